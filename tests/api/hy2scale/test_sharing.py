"""One read for several feeds, and several changes in parallel."""

import asyncio
from collections.abc import Mapping

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.cache import CachedRead
from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.models.mesh import Proxy
from simulator.hy2scale import Hy2ScaleService


async def test_one_reading_for_all_that_need_it(
    provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService
) -> None:
    await asyncio.gather(*(feed.fetch() for feed in provider.feeds.values()))

    for route in ("/api/topology", "/api/users", "/api/sessions", "/api/wireguard"):
        assert len(hy2scale.calls_to(route)) == 1, route


async def test_what_was_read_before_a_write_is_not_kept() -> None:
    """A read that was running when something was written."""
    answers = iter("abc")
    gate = asyncio.Event()

    async def _read() -> str:
        await gate.wait()
        return next(answers)

    recent = CachedRead(_read)
    reading = asyncio.create_task(recent.get(60))
    await asyncio.sleep(0)
    recent.forget()
    gate.set()

    assert await reading == "a"
    assert await recent.get(60) == "b"
    assert await recent.get(60) == "b"


@pytest.mark.parametrize(
    "feed, changes",
    [
        ("links", {"us": {"latency_ms": 777}}),
        ("peers", {"office": {"latency_ms": 777}}),
        ("tunnels", {"us": {"online": False}}),
    ],
)
async def test_only_what_changed_differs(
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


async def test_two_changes_at_once(provider: Hy2ScaleProvider, hy2scale: Hy2ScaleService) -> None:
    """Each replaces the whole row; neither undoes the other."""
    hy2scale.fault("/api/proxies/{id}", "delay", seconds=0.05, times=None)

    await asyncio.gather(
        provider.set_enabled(Proxy, "http", enabled=True),
        provider.select_exit(Proxy, "http", "us"),
    )

    proxy = hy2scale.state.proxies["http"]
    assert (proxy.enabled, proxy.exit_via) == (True, "us")
