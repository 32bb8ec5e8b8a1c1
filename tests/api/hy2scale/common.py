"""What the tests of the node's provider share."""

from typing import Any

import pytest

from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.models.base import Resource
from simulator.hy2scale import Hy2ScaleService

BOTH = pytest.mark.parametrize("generation", ["1.3", "documented"], indirect=True)
"""A test that both generations of the node must pass."""

OLD = pytest.mark.parametrize("generation", ["documented"], indirect=True)
"""A test of what only the documented generation has, or lacks."""


async def read[R: Resource](
    provider: Hy2ScaleProvider, resource: type[R], key: str | None = None
) -> dict[str, R]:
    """Read the feed of a kind of resource. key: where there are several of it."""
    (feed,) = (
        feed
        for feed in provider.feeds.values()
        if feed.resource is resource and key in (None, feed.key)
    )
    found = await feed.fetch()
    assert all(type(one) is resource for one in found.values())
    assert all(id_ == one.id for id_, one in found.items())
    return {id_: one for id_, one in found.items() if isinstance(one, resource)}


def writes(service: Hy2ScaleService) -> list[Any]:
    """Return the calls that should change something, without signing in."""
    return [call for call in service.calls if call.method != "GET" and call.path[-6:] != "/login"]
