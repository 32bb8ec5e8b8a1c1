"""Tests that ids stay the same when nodes, connections and WireGuard peers are renamed."""

from collections.abc import Callable, Mapping
from typing import Any, override

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.errors import UnavailableError
from custom_components.tunnel_hub.api.hy2scale.permanent_ids import Register, Sighting
from custom_components.tunnel_hub.api.models.mesh import (
    ClientUpdate,
    Link,
    Peer,
    PeerDirection,
    WireGuardPeer,
)
from custom_components.tunnel_hub.api.models.tunnels import Tunnel
from simulator.hy2scale import Client, Hy2ScaleService, Peer as PeerRow

from .common import BOTH, OLD, read
from .conftest import Begin

POLL = 10
DAY = 86_400
NESTED = {"us/us-r1", "us/us-r1/us-r1-r1"}
LINKS = {"us", "jp", "kr", "sg", "de"}


class Watch:
    """A provider that is polled, and its stored data."""

    def __init__(
        self, freezer: FrozenDateTimeFactory, begin: Begin, service: Hy2ScaleService
    ) -> None:
        self._freezer = freezer
        self._begin = begin
        self.service = service
        self.memory: Mapping[str, Any] = {}
        self.provider = begin()
        self.restart()

    def restart(self) -> None:
        """Restart with the stored data."""
        self.provider = self._begin()
        self.provider.restore(self.memory)
        self.provider.on_memory = self._store

    async def _store(self, memory: Mapping[str, Any]) -> None:
        self.memory = memory

    async def poll(self, after: float = POLL) -> None:
        """Advance the time, and read the connections, peers and tunnels."""
        self._freezer.tick(after)
        self.service.catch_up()
        self.links = await read(self.provider, Link)
        self.peers = await read(self.provider, Peer)
        self.tunnels = await read(self.provider, Tunnel)

    def names(self) -> dict[str, str | None]:
        """Return the names of peers by id."""
        return {id_: peer.name for id_, peer in self.peers.items()}

    def connected(self) -> set[str]:
        """Return the connected peers."""
        return {id_ for id_, peer in self.peers.items() if peer.connected}


@pytest.fixture
async def watch(freezer: FrozenDateTimeFactory, begin: Begin, hy2scale: Hy2ScaleService) -> Watch:
    """A node that was polled once."""
    watch = Watch(freezer, begin, hy2scale)
    await watch.poll()
    assert set(watch.links) == set(watch.tunnels) == LINKS
    assert set(watch.peers) == {"office", *NESTED}
    return watch


type Again = Callable[[Watch], None]
AGAIN = pytest.mark.parametrize(
    "again", [lambda _: None, Watch.restart], ids=["running", "restarted"]
)
"""Runs a test with and without a restart of Home Assistant."""


@AGAIN
async def test_a_new_connection_is_renamed(watch: Watch, again: Again) -> None:
    """It keeps the id of its first name."""
    watch.service.state.remotes["198.51.100.1:5565"] = "sea"
    id_ = await watch.provider.create(
        ClientUpdate(name="My Seaside", addresses=("198.51.100.1:5565",), password="p")
    )
    assert id_ == "My Seaside"
    again(watch)
    await watch.poll()

    assert "sea" in watch.service.state.clients
    assert set(watch.tunnels) == set(watch.links) == {*LINKS, "My Seaside"}
    assert watch.tunnels["My Seaside"].name == watch.links["My Seaside"].name == "sea"
    await watch.provider.set_enabled(Tunnel, "My Seaside", enabled=False)
    assert watch.service.state.clients["sea"].disabled
    await watch.provider.update("My Seaside", ClientUpdate(server_name="sea.example.com"))
    assert watch.service.state.clients["sea"].sni == "sea.example.com"
    await watch.provider.delete(Tunnel, "My Seaside")
    assert "sea" not in watch.service.state.clients


@AGAIN
@pytest.mark.parametrize("seconds", [1, 5, POLL])
async def test_a_renamed_node(watch: Watch, again: Again, seconds: int) -> None:
    """With all peers below it; commands use the new path."""
    watch.service.rename("us", "usa")
    for number in range(30 // seconds):
        await watch.poll(seconds)
        assert set(watch.tunnels) == set(watch.links) == LINKS
        assert set(watch.peers) == {"office", *NESTED}
        if number == 10 // seconds:
            again(watch)

    assert watch.tunnels["us"].name == watch.links["us"].name == "usa"
    assert watch.names() == {
        "office": "office",
        "us/us-r1": "usa/us-r1",
        "us/us-r1/us-r1-r1": "usa/us-r1/us-r1-r1",
    }
    assert watch.connected() == {"office", *NESTED}
    await watch.provider.set_enabled(Peer, "us/us-r1", enabled=False)
    assert watch.service.state.peer_flags["usa/us-r1"].disabled
    await watch.provider.set_peer_nested(Link, "us", nested=False)
    assert not watch.service.nested("usa")


@AGAIN
async def test_a_renamed_nested_node(watch: Watch, again: Again) -> None:
    """The node above it reports the old name until it knows the new one."""
    watch.service.state.settings.notices_after = 0
    watch.service.rename("us/us-r1", "r9")
    again(watch)
    await watch.poll()
    await watch.poll()
    await watch.poll()

    assert watch.names() == {
        "office": "office",
        "us/us-r1": "us/r9",
        "us/us-r1/us-r1-r1": "us/r9/us-r1-r1",
    }
    await watch.provider.set_peer_nested(Peer, "us/us-r1", nested=False)
    assert not watch.service.nested("us/r9")


@AGAIN
async def test_a_renamed_inbound_node(watch: Watch, again: Again) -> None:
    """It disconnects and reconnects with the other name: one peer disappears, one appears."""
    watch.service.drop("office")
    await watch.poll()
    again(watch)
    watch.service.state.peers["bureau"] = PeerRow("inbound", version="1.3.4")
    del watch.service.state.peers["office"]
    await watch.poll()

    assert watch.names()["office"] == "bureau"
    assert watch.connected() == {"office", *NESTED}


async def test_one_node_disappears_and_another_appears_later(watch: Watch) -> None:
    """These are two nodes."""
    watch.service.drop("office")
    await watch.poll()
    await watch.poll(3600)
    watch.service.state.peers["cabin"] = PeerRow("inbound", version="1.3.4")
    await watch.poll()

    assert watch.names() == {"cabin": "cabin", "office": "office"} | {id_: id_ for id_ in NESTED}
    assert watch.connected() == {"cabin", *NESTED}


async def test_several_nodes_disappear_and_appear(watch: Watch) -> None:
    """It is unknown which of them is which."""
    watch.service.state.peers["cabin"] = PeerRow("inbound", version="1.3.4")
    await watch.poll()
    for name in ("office", "cabin"):
        del watch.service.state.peers[name]
    for name in ("one", "two"):
        watch.service.state.peers[name] = PeerRow("inbound", version="1.3.4")
    await watch.poll()

    assert set(watch.peers) == {"office", "cabin", "one", "two", *NESTED}
    assert watch.connected() == {"one", "two", *NESTED}


@AGAIN
async def test_node_ids(watch: Watch, again: Again) -> None:
    """Nodes that are renamed while they are offline are recognized by their node ids."""
    peers = watch.service.state.peers
    peers["cabin"] = PeerRow("inbound", node_id="id-of-cabin", version="1.3.4")
    peers["studio"] = PeerRow("inbound", node_id="id-of-studio", version="1.3.4")
    await watch.poll()
    for name in ("cabin", "studio"):
        watch.service.drop(name)
    await watch.poll(2 * DAY)
    again(watch)
    peers["hut"] = PeerRow("inbound", node_id="id-of-cabin", version="1.3.4")
    peers["loft"] = PeerRow("inbound", node_id="id-of-studio", version="1.3.4")
    await watch.poll()

    names = watch.names()
    assert (names["cabin"], names["studio"]) == ("hut", "loft")
    assert len(watch.peers) == 5


async def test_node_ids_are_read_once(watch: Watch) -> None:
    """At the start, and for new peers; not for those that are too far away."""
    watch.service.calls.clear()
    await watch.poll()
    await watch.poll()
    assert not watch.service.calls_to("/api/internal/peers")
    assert not watch.service.calls_to("/api/peers/{name}/peers")

    watch.service.state.peers["us/us-r2"] = PeerRow(latency_ms=1, version="1.3.4")
    watch.service.state.peers["us/us-r1/far"] = PeerRow(latency_ms=1, version="1.3.4")
    await watch.poll()
    await watch.poll()

    assert not watch.service.calls_to("/api/internal/peers")
    (call,) = watch.service.calls_to("/api/peers/{name}/peers")
    assert call.params == {"name": "us"}
    watch.service.drop("office")
    await watch.poll()
    assert not watch.service.calls_to("/api/internal/peers")
    watch.service.reconnect("office")
    await watch.poll()
    await watch.poll()
    assert len(watch.service.calls_to("/api/internal/peers")) == 1, "it may be another node"


@pytest.mark.parametrize(
    "kind, options",
    [
        ("status", {"status": 400, "body": "no\n"}),
        ("html", {}),
        ("body", {"body": [{"name": "cabin", "node_id": None}, {"node_id": "x"}, 7]}),
    ],
)
async def test_node_ids_that_cannot_be_read(
    watch: Watch, kind: str, options: dict[str, Any]
) -> None:
    """The other data are still read."""
    for route in ("/api/internal/peers", "/api/peers/{name}/peers"):
        watch.service.fault(route, kind, times=None, **options)
    watch.service.state.peers["cabin"] = PeerRow("inbound", version="1.3.4")
    await watch.poll()

    assert set(watch.peers) == {"office", "cabin", *NESTED}


@AGAIN
async def test_this_node_is_renamed_and_restarted(watch: Watch, again: Again) -> None:
    await watch.provider.identify()
    for name in ("house", "home"):
        watch.service.state.node_id = name
        watch.service.reconnect_all()
        watch.service.reboot()
        again(watch)
        for _ in range(40):
            await watch.poll(1)
            assert set(watch.tunnels) == set(watch.links) == LINKS
            assert set(watch.peers) == {"office", *NESTED}
        assert watch.connected() == {"office", *NESTED}


async def test_an_address_that_changes_with_the_name(watch: Watch) -> None:
    """The list of connections still has the primary address; the topology does not."""
    client = watch.service.state.clients["us"]
    client.addrs = ["198.51.100.7:5565"]
    watch.service.rename("us", "usa")
    watch.service.reconnect_all()
    await watch.poll(30)

    assert set(watch.tunnels) == set(watch.links) == LINKS
    assert watch.links["us"].name == "usa"


async def test_the_list_of_connections_fails(watch: Watch) -> None:
    """A new name may be a known connection, so the read fails until the list can be read."""
    watch.service.state.clients["us"].addrs = ["198.51.100.7:5565"]
    watch.service.rename("us", "usa")
    watch.service.reconnect_all()
    watch.service.fault("/api/clients", "status", times=None, status=503, body="wait\n")

    with pytest.raises(UnavailableError):
        await watch.poll(30)
    watch.service.clear_faults()
    await watch.poll()

    assert set(watch.links) == LINKS
    assert watch.links["us"].name == "usa"


async def test_without_a_list_of_connections(watch: Watch) -> None:
    """Only the topology is used."""
    watch.service.state.settings.missing_routes = ["GET /api/clients"]
    watch.memory = {}
    watch.restart()

    watch.service.catch_up()
    assert set(await read(watch.provider, Link)) == LINKS
    assert await read(watch.provider, Tunnel) == {}


async def test_two_connections_share_an_address(watch: Watch) -> None:
    """Only a primary address is unique."""
    clients = watch.service.state.clients
    clients["jp"].addrs.append("us.example.com:5565")
    clients["us"].addrs.append("jp.example.com:5565")
    await watch.poll()
    names = ("jp", "us", "kr", "sg", "de")
    watch.service.state.clients = {name: clients[name] for name in names}
    clients["us"].name, clients["jp"].name = "west", "east"
    await watch.poll()

    assert {id_: one.name for id_, one in watch.tunnels.items() if id_ in ("us", "jp")} == {
        "us": "west",
        "jp": "east",
    }


async def test_two_connections_swap_their_names(watch: Watch) -> None:
    clients = watch.service.state.clients
    clients["us"].name, clients["jp"].name = "jp", "us"
    await watch.poll()

    assert watch.tunnels["us"].public_address == "us.example.com:5565"
    assert (watch.tunnels["us"].name, watch.tunnels["jp"].name) == ("jp", "us")


@AGAIN
async def test_a_reused_name(watch: Watch, again: Again) -> None:
    """The first connection with this name keeps the id."""
    state = watch.service.state
    state.clients["jp"].name = "tokyo"
    await watch.poll()
    again(watch)
    state.clients["new"] = Client(name="jp", addr="192.0.2.9:1", addrs=["192.0.2.9:1"])
    await watch.poll()

    assert set(watch.tunnels) == {*LINKS, "jp~2"}
    assert (watch.tunnels["jp"].name, watch.tunnels["jp~2"].name) == ("tokyo", "jp")
    await watch.provider.delete(Tunnel, "jp~2")
    assert {client.name for client in state.clients.values()} == {"us", "tokyo", "kr", "sg", "de"}


async def test_peers_with_the_same_name(watch: Watch) -> None:
    """They are distinguished as far as possible, and the conflict is shown."""
    twin = {"name": "twin", "direction": "outbound", "connected": True}
    us = {"name": "us", "direction": "outbound", "addr": "us.example.com:5565", "connected": True}
    rows = [{**us, "children": [twin, twin]}]
    watch.service.fault("/api/topology", "body", body=rows, times=None)
    await watch.poll()
    await watch.poll()

    twins = {id_: peer for id_, peer in watch.peers.items() if "twin" in id_}
    assert {id_: (p.name, p.conflict) for id_, p in twins.items()} == {
        "us/twin": ("us/twin", True),
        "us/twin~2": ("us/twin (2)", True),
    }


async def test_a_node_with_inbound_and_outbound_connections(watch: Watch) -> None:
    """Its own peers are listed twice, but shown once; also if one connection is lost."""
    top = {"name": "us", "direction": "outbound", "addr": "us.example.com:5565", "nested": True}
    child = {"name": "us-r1", "direction": "outbound", "connected": True, "nested": False}
    inbound = {"name": "us", "direction": "inbound", "connected": True, "children": [child]}
    this = {"name": "me", "is_self": True, "children": [inbound]}

    def show(*rows: object) -> None:
        watch.service.clear_faults()
        watch.service.fault("/api/topology", "body", body=rows, times=None)

    show(this, {**top, "connected": True, "children": [child]})
    await watch.poll()
    assert watch.connected() == {"us", "us/us-r1"}
    show({**this, "children": []}, {**top, "connected": True, "children": [child]})
    await watch.poll()
    assert watch.connected() == {"us/us-r1"}
    show(this, {**top, "connected": False})
    await watch.poll()
    assert watch.connected() == {"us", "us/us-r1"}
    assert set(watch.peers) == {"office", "us", *NESTED}


@AGAIN
async def test_how_long_peers_are_kept(watch: Watch, again: Again) -> None:
    """After weeks, the last values are still shown."""
    watch.service.drop("office")
    await watch.poll()
    await watch.poll(27 * DAY)
    again(watch)
    await watch.poll()

    office = watch.peers["office"]
    assert (office.connected, office.latency, office.rate_in) == (False, None, None)
    assert (office.direction, office.version) == (PeerDirection.INBOUND, "1.3.4")
    assert (office.enabled, office.exit_node, office.nested) == (True, True, False)
    assert watch.provider.feeds["peers"].kept() == {"office"}
    await watch.poll(2 * DAY)
    await watch.poll()
    assert set(watch.peers) == NESTED


async def test_a_user_removes_a_peer(watch: Watch) -> None:
    watch.service.drop("office")
    await watch.poll()
    forget = watch.provider.feeds["peers"].forget
    assert forget
    await forget("office")
    await forget("unknown")
    await watch.poll()
    assert set(watch.peers) == NESTED
    watch.restart()
    await watch.poll()
    assert set(watch.peers) == NESTED

    watch.service.reconnect("office")
    await watch.poll()
    assert set(watch.peers) == {"office", *NESTED}
    watch.service.drop("office")
    await watch.poll()
    assert set(watch.peers) == {"office", *NESTED}


@BOTH
async def test_peers_behind_a_deleted_connection(watch: Watch) -> None:
    """They are removed and restored with it, also if it leads elsewhere."""
    client = watch.service.state.clients.pop("us")
    await watch.poll()
    await watch.poll()
    assert set(watch.peers) == {"office"}
    assert set(watch.tunnels) == set(watch.links) == LINKS - {"us"}

    client.addr, client.addrs = "198.51.100.3:5565", ["198.51.100.3:5565"]
    watch.service.state.clients["us"] = client
    await watch.poll()
    await watch.poll()
    assert set(watch.peers) == {"office", *NESTED}
    assert set(watch.tunnels) == LINKS


async def test_a_renamed_wireguard_peer(watch: Watch) -> None:
    """A peer with the same key, or with the same name and another key, is the same."""
    peers = watch.service.state.wireguard.peers
    assert set(await read(watch.provider, WireGuardPeer)) == {"phone", "laptop"}
    peers[0].name, peers[1].name = "laptop", "phone"
    await watch.poll()

    found = await read(watch.provider, WireGuardPeer)
    assert {id_: peer.name for id_, peer in found.items()} == {
        "phone": "laptop",
        "laptop": "phone",
    }
    await watch.provider.select_exit(WireGuardPeer, "phone", "jp")
    peers = watch.service.state.wireguard.peers
    assert (peers[0].exit_via, peers[1].exit_via) == ("jp", "us")
    peers[0].public_key = "a-new-key"
    await watch.poll()
    assert set(await read(watch.provider, WireGuardPeer)) == {"phone", "laptop"}


async def test_a_list_with_repeated_rows(watch: Watch) -> None:
    """It adds no connections and no WireGuard peers: their addresses and keys are unique."""
    assert set(await read(watch.provider, WireGuardPeer)) == {"phone", "laptop"}
    watch.service.fault("*", "double", times=None)
    await watch.poll()

    assert set(watch.links) == set(watch.tunnels) == LINKS
    assert set(await read(watch.provider, WireGuardPeer)) == {"phone", "laptop"}


@OLD
async def test_ids_as_documented(watch: Watch) -> None:
    """The documented generation has no node ids of nested peers; names and addresses are used."""
    watch.service.rename("us", "usa")
    await watch.poll(30)
    await watch.poll()

    assert set(watch.links) == set(watch.tunnels) == LINKS
    assert watch.names()["us/us-r1"] == "usa/us-r1"


async def test_storage_is_only_written_after_changes(watch: Watch) -> None:
    """Rates and latencies are not stored; the known peers are."""
    stored = watch.memory
    for peer in watch.service.state.peers.values():
        peer.latency_ms, peer.tx_rate = 77, 12_345
    await watch.poll()
    assert watch.memory is stored

    watch.service.state.peers["us/us-r1"].version = "1.3.5"
    await watch.poll()
    assert watch.memory is not stored
    secrets = [client.password for client in watch.service.state.clients.values()]
    secrets += [peer.private_key for peer in watch.service.state.wireguard.peers]
    assert not [secret for secret in secrets if secret in repr(watch.memory)]


class _CountedName(str):
    """A name that counts how often it is compared, hashed or formatted."""

    __slots__ = ()
    uses = 0

    @override
    def __hash__(self) -> int:
        _CountedName.uses += 1
        return super().__hash__()

    @override
    def __format__(self, spec: str) -> str:
        _CountedName.uses += 1
        return super().__format__(spec)


@pytest.mark.parametrize(
    "sighting",
    [
        lambda name, n: Sighting(_CountedName(f"{name}{n}"), ("a key",)),
        lambda name, n: Sighting(_CountedName(name), (f"a key{n}",)),
        lambda name, n: Sighting(_CountedName(name)),
    ],
    ids=["one key", "one name", "one name, no keys"],
)
def test_the_work_grows_linearly(
    sighting: Callable[[str, int], Sighting],
) -> None:
    """Also if all resources look the same."""
    register = Register()
    shown = [sighting("phone", n) for n in range(500)]

    _CountedName.uses = 0

    first = [one.id for one in register.follow(shown, 0.0)]
    again = [one.id for one in register.follow(shown, 60.0)]
    uses = _CountedName.uses
    more = [one.id for one in register.follow([*shown, *shown], 120.0)]

    assert len(set(first)) == 500
    assert again == first == more[:500]
    assert len(set(more)) == 1000
    assert uses < 20 * 500
