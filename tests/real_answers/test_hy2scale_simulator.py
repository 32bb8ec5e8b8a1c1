"""Tests the simulated HY2 SCALE node with the recordings of real nodes."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from random import Random
import re
from typing import Any

from aiohttp import ClientSession
import pytest

from simulator import Simulator
from simulator.hy2scale import Hy2ScaleService, Peer, hashed
from simulator.hy2scale.keys import new_wireguard_key, wireguard_public_key

from . import Difference, Replay, count_replayed, load

RECORDED = "hy2scale-1.3.4"
RECORDED_MESH = "hy2scale-mesh-1.3.4"
PEER_KEY = new_wireguard_key(Random(1))
RECORDED_AT = datetime(2026, 11, 29, 8, 19, 30, tzinfo=UTC).timestamp()

DIFFERENCES: tuple[Difference, ...] = ()
MESH_DIFFERENCES = (
    Difference(
        "GET /diag/peer-latency",
        "answer.peers[1].history.length",
        "the real node measured at other times",
    ),
)


@pytest.fixture
async def node() -> AsyncIterator[Hy2ScaleService]:
    """A newly installed node without the capability to change the network."""
    async with Simulator(["hy2scale"], clock=lambda: RECORDED_AT) as simulator:
        simulator.get(Hy2ScaleService).reset_to_new_installation()
        yield simulator.get(Hy2ScaleService)


async def test_simulator_answers_like_the_real_node(
    session: ClientSession, node: Hy2ScaleService, request: pytest.FixtureRequest
) -> None:
    state = node.state
    state.node_id = state.name = "6bbbe501"
    state.settings.kernel_right = state.settings.host_network = state.settings.internet = False
    state.remotes = {"127.0.0.1:6566": "jp", "127.0.0.1:9": None}
    replay = Replay(session, node.api_url, differences=DIFFERENCES)
    replay.secrets = {
        "<sha-256 of the password>": hashed("admin"),
        "<peer's private key>": PEER_KEY,
        "<peer's public key>": wireguard_public_key(PEER_KEY),
    }

    for recording in load(RECORDED):
        token = {"no token": "", "bad token": "bad"}.get(
            recording.note, replay.secrets.get("<session>", "")
        )
        await replay.ask(recording, headers={"Authorization": f"Bearer {token}"} if token else {})
        node.advance(0.15)

    replay.check()
    count_replayed(request.node, RECORDED, "simulator", replay.replayed)


def _rename_bee(node: Hy2ScaleService) -> None:
    node.state.settings.forgets_peers_after = 9
    node.rename("bee", "bee-2")


SECOND = re.compile(r"(\d+) s: (.*)")
EVENTS: dict[str, Callable[[Hy2ScaleService], object]] = {
    "node bee has been killed": lambda node: node.kill("bee"),
    "node bee is back": lambda node: node.revive("bee"),
    "the inbound node eee has been killed": lambda node: node.kill("eee"),
    "eee is back": lambda node: node.revive("eee"),
    "bee has been renamed to bee-2 on its console": _rename_bee,
    "our node has been restarted": lambda node: node.reboot(),
}


async def test_simulated_mesh_changes_like_the_real_one(
    session: ClientSession, node: Hy2ScaleService, request: pytest.FixtureRequest
) -> None:
    """Compares the topology after each second."""
    state = node.state
    state.node_id = state.name = "home"
    state.settings.kernel_right = False
    # The real node took this long to notice.
    state.settings.forgets_peers_after, state.settings.notices_after = 10, 16
    state.remotes = {"127.0.0.1:6566": "bee", "127.0.0.1:4499": "bee-2"}
    linked: dict[str, Any] = {"version": "1.3.4", "latency_ms": 0}
    state.peers = {
        "eee": Peer("inbound", **linked),
        "My Seaside": Peer(**linked),
        "My Seaside/gone": Peer(online=False),
        "My Seaside/sea": Peer(**linked),
    }
    replay = Replay(session, node.api_url, differences=MESH_DIFFERENCES)
    replay.secrets["<password>"] = "a-password"
    second, situation = 0, ""

    for recording in load(RECORDED_MESH):
        if noted := SECOND.fullmatch(recording.note):
            node.advance(int(noted[1]) - second)
            second = int(noted[1])
            if noted[2] != situation:
                situation = noted[2]
                if happens := EVENTS.get(situation):
                    happens(node)
        state.tokens["the-token"] = node.token_end()
        await replay.ask(recording, headers={"Authorization": "Bearer the-token"})

    replay.check()
    count_replayed(request.node, RECORDED_MESH, "simulator", replay.replayed)
