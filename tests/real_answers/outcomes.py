"""Compares results of recorded answers with expected values or errors."""

from collections.abc import Awaitable
from typing import NamedTuple

import pytest

from custom_components.tunnel_hub.api.errors import TunnelHubError


class Refused(NamedTuple):
    """An error. words: the service's message, or the key of ours; "" for any."""

    error: type[TunnelHubError]
    words: str = ""


async def check(result: Awaitable[object], expected: object) -> None:
    """Compare a result with the expected value, or with the expected error."""
    if not isinstance(expected, Refused):
        assert await result == expected
        return
    with pytest.raises(expected.error) as caught:
        await result
    messages = {getattr(caught.value, name, None) for name in ("key", "message", "detail")}
    assert expected.words in {*messages, str(caught.value), ""}
