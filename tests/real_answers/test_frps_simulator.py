"""Tests the simulated frps with the recordings of version 0.70.1."""

from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

from aiohttp import ClientSession
import pytest

from simulator import Simulator
from simulator.frp import Client, Frps, FrpService, Proxy
from simulator.frp.frps import add, close, go_offline

from . import Difference, Replay, count_replayed, load

RECORDED = "frps-0.70.1"
RECORDED_AT = datetime(2026, 11, 29, 8, 15, 38, tzinfo=UTC).timestamp()
STARTED = 1795940135

DIFFERENCES: tuple[Difference, ...] = ()


def password(words: str) -> Mapping[str, str]:
    """Return the headers of a sign-in with a password."""
    return {"Authorization": f"Basic {b64encode(f'admin:{words}'.encode()).decode()}"}


@pytest.fixture
async def frp() -> AsyncIterator[FrpService]:
    """A server with one client that has a tcp and an http proxy."""
    async with Simulator(["frp"], tunnels=0, clock=lambda: RECORDED_AT) as simulator:
        service = simulator.get(FrpService)
        server = service.state.server
        server.settings.vhost_https_port = 0
        server.traffic_in, server.traffic_out = 234, 4296
        client = Client(
            *("alice", "ha", "f2ff03a8378047af", "vm", "198.51.100.7"),
            first_connected=STARTED,
            last_connected=STARTED,
        )
        server.clients = {client.key: client}
        nas = Proxy("alice.nas", "tcp", "alice", "ha", remote_port=6001, last_start=STARTED)
        nas.traffic_in[0], nas.traffic_out[0] = 234, 4296
        add(server, nas)
        add(server, Proxy("alice.web", "http", "alice", "ha", subdomain="w", last_start=STARTED))
        for proxy in server.proxies.values():
            proxy.local_ip = "198.51.100.7"
        yield service


def _close_a_third_proxy(server: Frps) -> None:
    """Add a third proxy, and close it on the client."""
    proxy = Proxy("alice.s1", "tcp", "alice", "ha", remote_port=6002, last_start=1795940139)
    add(server, proxy)
    close(proxy, 1795940140)


def _disconnect(server: Frps) -> None:
    """Restart the proxies of the client, then disconnect it."""
    for name, started in (("alice.nas", 1795940143), ("alice.s1", 1795940141)):
        server.proxies[name].online, server.proxies[name].last_start = True, started
    go_offline(server, "alice.ha", 1795940144)


BEFORE: Mapping[int, Callable[[Frps], None]] = {31: _close_a_third_proxy, 32: _disconnect}
"""The changes on the server before a line was recorded."""
SIGNED_WITH: Mapping[int, Mapping[str, str]] = {1: {}, 2: {}, 3: password("wrong")}
"""By line; all others with the correct password."""


async def test_simulator_answers_like_the_real_server(
    session: ClientSession, frp: FrpService, request: pytest.FixtureRequest
) -> None:
    replay = Replay(session, frp.url, differences=DIFFERENCES, values=True)

    for recording in load(RECORDED):
        if happen := BEFORE.get(recording.line):
            happen(frp.state.server)
        headers = SIGNED_WITH.get(recording.line, password(frp.credentials["password"]))
        await replay.ask(recording, headers=headers)

    replay.check()
    assert len(replay.replayed) == 42
    count_replayed(request.node, RECORDED, "simulator", replay.replayed)
