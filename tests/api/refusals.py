"""Expects refusals of services and of our validation."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from custom_components.tunnel_hub.api.errors import InvalidInputError, TunnelHubError


@contextmanager
def refused(error: type[TunnelHubError], words: str = "") -> Iterator[None]:
    """Expect exactly this error, with this message or message key."""
    with pytest.raises(TunnelHubError) as caught:
        yield
    raised = caught.value
    assert type(raised) is error
    message = (
        raised.key if isinstance(raised, InvalidInputError) else getattr(raised, "message", "")
    )
    assert words in {message, str(raised)}
