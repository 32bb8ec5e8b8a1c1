"""What the clients' tests expect where a service refuses."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from custom_components.tunnel_hub.api.errors import InvalidInputError, TunnelHubError


@contextmanager
def refused(error: type[TunnelHubError], words: str = "") -> Iterator[None]:
    """Expect exactly this error, with exactly these words or this key of a sentence."""
    with pytest.raises(TunnelHubError) as caught:
        yield
    raised = caught.value
    assert type(raised) is error
    told = raised.key if isinstance(raised, InvalidInputError) else getattr(raised, "message", "")
    assert words in {told, str(raised)}
