"""Tests that feeds share reads, and that parallel changes do not overwrite each other."""

import asyncio
from collections.abc import Mapping

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.models.mesh import Proxy
from simulator.hy2scale import Hy2ScaleService


async def test_feeds_share_reads(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    await asyncio.gather(*(feed.fetch() for feed in provider.feeds.values()))

    for route in ("/api/topology", "/api/users", "/api/sessions", "/api/wireguard"):
        assert len(hy2scale.calls_to(route)) == 1, route


@pytest.mark.parametrize(
    "feed, changes",
    [
        ("links", {"us": {"latency_ms": 777}}),
        ("peers", {"office": {"latency_ms": 777}}),
        ("tunnels", {"us": {"online": False}}),
    ],
)
async def test_only_changed_resources_differ(
    provider: Hy2ScaleProvider,
    hy2scale: Hy2ScaleService,
    freezer: FrozenDateTimeFactory,
    feed: str,
    changes: Mapping[str, Mapping[str, object]],
) -> None:
    read = provider.feeds[feed].fetch
    before = dict(await read())
    ((id_, change),) = changes.items()
    others = before.keys() - {id_}
    for field, value in change.items():
        setattr(hy2scale.state.peers[id_], field, value)

    freezer.tick(3)
    after = await read()

    assert others
    assert after[id_] != before[id_]
    assert [other for other in others if after[other] != before[other]] == []


async def test_two_changes_in_parallel(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    """Each replaces the whole row, and keeps the other's change."""
    hy2scale.fault("/api/proxies/{id}", "delay", seconds=0.05, times=None)

    await asyncio.gather(
        provider.set_enabled(Proxy, "http", enabled=True),
        provider.select_exit(Proxy, "http", "us"),
    )

    proxy = hy2scale.state.proxies["http"]
    assert (proxy.enabled, proxy.exit_via) == (True, "us")
