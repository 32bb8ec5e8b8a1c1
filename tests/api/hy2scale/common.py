"""Helpers of the tests of HY2 SCALE's provider."""

from typing import Any

import pytest

from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.models.base import Resource
from simulator.hy2scale import Hy2ScaleService

BOTH = pytest.mark.parametrize("generation", ["1.3", "documented"], indirect=True)
"""Runs a test with both generations of the node."""

OLD = pytest.mark.parametrize("generation", ["documented"], indirect=True)
"""Runs a test with the documented generation."""


async def read[R: Resource](
    provider: Hy2ScaleProvider, resource: type[R], key: str | None = None
) -> dict[str, R]:
    """Read the feed with this type of resource. key: of the feed, if there are several."""
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
    """Return the calls that should change something, without sign-ins."""
    return [call for call in service.calls if call.method != "GET" and call.path[-6:] != "/login"]
