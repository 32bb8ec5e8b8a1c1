"""Tests HY2 SCALE's feeds in both generations, with unusual values."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.errors import (
    InvalidInputError,
    Reason,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.models.certificates import Certificates
from custom_components.tunnel_hub.api.models.mesh import (
    Hub,
    Link,
    Peer,
    Proxy,
    Rule,
    TunMode,
    Upgrade,
    User,
    UserSessions,
    Vpn,
    WireGuard,
    WireGuardPeer,
)
from custom_components.tunnel_hub.api.models.tunnels import Tunnel
from custom_components.tunnel_hub.api.provider import Credentials
from simulator.hy2scale import (
    Certificate,
    Hy2ScaleService,
    Peer as PeerRow,
    PeerFlags,
    Proxy as ProxyRow,
    User as UserRow,
)
from simulator.hy2scale.endpoints.vpn import REASON

from ..event_loop import until
from .common import BOTH, OLD, read

type Provider = Hy2ScaleProvider
type Node = Hy2ScaleService


async def user(provider: Provider, hy2scale: Node, name: str) -> User:
    (id_,) = (u.id for u in hy2scale.state.users.values() if u.username == name)
    return (await read(provider, User))[id_]


# Identity and sign-in


@BOTH
async def test_identity(provider: Provider, hy2scale: Node) -> None:
    identity = await provider.identify()
    assert (identity.id, identity.title) == ("ea1b2adb", "sg-home")

    hy2scale.state.name = ""

    assert (await provider.identify()).title == "ea1b2adb"


async def test_a_node_without_an_id(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/node", "patch", remove=("node_id",))

    with pytest.raises(UnavailableError, match="malformed"):
        await provider.identify()


@pytest.mark.parametrize("base_path", ["elsewhere", "/"])
async def test_wrong_base_path(
    session: ClientSession, credentials: Credentials, base_path: str
) -> None:
    """The user has to correct it."""
    provider = Hy2ScaleProvider(session, {**credentials, "base_path": base_path}, {})

    with pytest.raises(InvalidInputError) as info:
        await provider.identify()

    assert info.value.key == "no_node_here"


@BOTH
async def test_a_changed_base_path(provider: Provider, hy2scale: Node) -> None:
    """All routes are missing, which is reported, unlike a version without some features."""
    for kind in (Hub, Peer, Rule, User):
        await read(provider, kind)
    hy2scale.state.ui.base_path = "/elsewhere"
    await hy2scale.restart()

    for ask in (
        provider.identify(),
        read(provider, Hub),
        read(provider, Rule),
        provider.set_exit_node(enabled=False),
        provider.describe_node(),
        provider.backup(),
    ):
        with pytest.raises(InvalidInputError) as info:
            await ask
        assert info.value.key == "no_node_here"


async def test_a_missing_route_is_not_a_changed_base_path(
    provider: Provider, hy2scale: Node
) -> None:
    """Whether the node itself responds is checked immediately, and cached with the route."""
    hy2scale.state.settings.missing_routes = ["/api/rules", "GET /api/backup"]

    for _ in range(3):
        assert await read(provider, Rule) == {}
    with pytest.raises(UnsupportedError):
        await provider.backup()

    assert len(hy2scale.calls_to("/api/rules")) == 1
    assert len(hy2scale.calls_to("/api/node")) == 2


async def test_a_server_in_front_of_the_node_requires_a_password(
    provider: Provider, hy2scale: Node
) -> None:
    """It is not the node's password, and the page of that server is not shown."""
    hy2scale.fault("/api/login", "html", status=401)

    with pytest.raises(UnavailableError) as info:
        await provider.identify()

    assert (info.value.reason, info.value.detail) == (Reason.FIREWALL, "HTTP 401")


async def test_only_the_hash_of_a_password_is_kept(
    session: ClientSession, credentials: Credentials, hy2scale: Node
) -> None:
    """Later sign-ins use the hash."""
    given = {**credentials, "password": "hub-password", "password_hash": "old"}

    provider = Hy2ScaleProvider(session, given, {})

    assert provider.credentials == credentials
    await provider.identify()
    (login,) = hy2scale.calls_to("/api/login")
    assert login.body == {"username": "admin", "password": hy2scale.state.password_hash}


def test_console(provider: Provider, hy2scale: Node) -> None:
    assert provider.console_url == f"{hy2scale.url}/scale/"


async def test_statistics(provider: Provider) -> None:
    await asyncio.gather(*(read(provider, kind) for kind in (Hub, Link, User)))

    assert provider.statistics() == {"requests": 10, "token_renewals": 1}


# The node


async def test_a_hub_without_the_sessions_endpoint(provider: Provider, hy2scale: Node) -> None:
    hy2scale.state.settings.missing_routes = ["/api/sessions"]

    hub = (await read(provider, Hub))["account"]

    assert hub.sessions is None
    assert provider.feeds["hub"].unsupported_fields() == {"sessions"}
    assert await read(provider, UserSessions) == {}


@OLD
async def test_missing_fields_appear_with_another_version(
    freezer: FrozenDateTimeFactory, provider: Provider, hy2scale: Node
) -> None:
    for kind in (Hub, Peer, User):
        await read(provider, kind)
    assert set(provider.feeds["peers"].unsupported_fields()) == {"connected", "enabled"}
    assert set(provider.feeds["users"].unsupported_fields()) == {"conflicts"}

    hy2scale.state.settings.generation = "1.3"
    await hy2scale.restart()
    freezer.tick(30)
    for kind in (Hub, Peer, User):
        await read(provider, kind)

    assert not any(provider.feeds[key].unsupported_fields() for key in ("hub", "peers", "users"))


async def test_vpn(provider: Provider, hy2scale: Node) -> None:
    vpn = (await read(provider, Vpn))["account"]
    assert (vpn.l2tp_capable, vpn.l2tp_enabled, vpn.l2tp_reason) == (True, True, None)
    assert (vpn.ikev2_capable, vpn.ikev2_enabled, vpn.ikev2_reason) == (True, True, None)

    hy2scale.state.settings.kernel_right = False
    hy2scale.state.settings.missing_routes = ["/api/ikev2"]
    await hy2scale.restart()

    vpn = (await read(provider, Vpn))["account"]
    assert (vpn.l2tp_capable, vpn.l2tp_reason) == (False, REASON)
    assert (vpn.ikev2_capable, vpn.ikev2_enabled) == (None, None)


async def test_no_vpn(provider: Provider, hy2scale: Node) -> None:
    hy2scale.state.settings.missing_routes = ["/api/ikev2", "/api/l2tp"]

    assert await read(provider, Vpn) == {}


@BOTH
async def test_no_certificates(provider: Provider, hy2scale: Node) -> None:
    hy2scale.state.certificates.clear()

    assert (await read(provider, Certificates))["account"].certificates == ()


async def test_unusual_certificates(provider: Provider, hy2scale: Node) -> None:
    """Without a date, a subject or an id."""
    patch = {"0.not_after": "soon", "1.subject": "", "2.id": None}
    hy2scale.fault("/api/tls", "patch", patch=patch)

    found = (await read(provider, Certificates))["account"].certificates

    assert [(c.id, c.domains, c.expires is None) for c in found] == [
        ("mesh-ca", "Mesh CA", False),
        ("default", "ea1b2adb", True),
    ]


@pytest.mark.parametrize("days, expected", [(15, None), (14, 14), (0.5, 0), (-3, -3)])
async def test_an_expiring_certificate_is_an_issue(
    freezer: FrozenDateTimeFactory,
    provider: Provider,
    hy2scale: Node,
    days: float,
    expected: int | None,
) -> None:
    assert not list(provider.issues()), "unknown before the first read"
    hy2scale.state.certificates = {
        "a": hy2scale.issue_certificate("a", days=99),
        "b": Certificate("b", "b", hy2scale.issue_certificate("x", days=max(days, 0.01)).cert),
    }
    if days < 0:
        freezer.tick(timedelta(days=-days))

    await read(provider, Certificates)

    if expected is None:
        assert not list(provider.issues())
    else:
        (problem,) = provider.issues()
        assert problem.key == "certificate_expiring"
        assert problem.placeholders["certificates"][0].startswith("b (20")


# Upgrades


async def test_a_failed_upgrade_is_checked_again(provider: Provider, hy2scale: Node) -> None:
    hy2scale.state.upgrade.state = "error"

    assert (await read(provider, Upgrade))["account"].latest == "1.3.5"


async def test_an_unknown_upgrade_state(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/upgrade/status", "patch", patch={"state": "resting", "progress": 400})

    upgrade = (await read(provider, Upgrade))["account"]

    assert (upgrade.state, upgrade.progress) == (None, 100)


# The mesh


async def test_rates_below_zero(provider: Provider, hy2scale: Node) -> None:
    patch = {"tx_rate": 2**64 - 5, "rx_rate": 2**63, "conns": -1}
    hy2scale.fault("/api/stats", "patch", patch=patch)

    hub = (await read(provider, Hub))["account"]

    assert (hub.rate_out, hub.rate_in, hub.connections) == (None, None, None)
    assert not provider.feeds["hub"].unsupported_fields(), "only unknown now"


@pytest.mark.parametrize(
    "topology",
    [
        [],
        [{"name": "me", "is_self": True}],
        [{"name": "me", "direction": "local", "children": None}],
        [{"name": "me", "is_self": True, "children": [{"x": "y"}]}, {"direction": "outbound"}, 7],
    ],
)
async def test_a_node_without_peers(provider: Provider, hy2scale: Node, topology: object) -> None:
    hy2scale.fault("/api/topology", "body", body=topology, times=None)

    assert await read(provider, Peer) == {}
    assert await read(provider, Link) == {}


@pytest.mark.parametrize(
    "topology",
    [
        None,
        {},
        "nothing",
        7,
        pytest.param([1, 2], id="a list of numbers"),
        pytest.param([{"direction": "local"}, {"direction": "outbound"}], id="no names"),
        pytest.param([{"name": "us"}], id="a peer without a direction"),
        pytest.param([{"name": "us", "direction": {}}], id="an invalid direction"),
    ],
)
async def test_a_malformed_topology_removes_no_peers(
    provider: Provider, hy2scale: Node, topology: object
) -> None:
    hy2scale.fault("/api/topology", "body", body=topology, times=None)

    for kind in (Peer, Link):
        with pytest.raises(UnavailableError) as info:
            await read(provider, kind)
        assert info.value.reason is Reason.MALFORMED


async def test_a_very_deep_tree(provider: Provider, hy2scale: Node) -> None:
    row: dict[str, Any] = {"name": "end"}
    for number in range(450):
        row = {"name": f"p{number}", "children": [row]}
    topology = [{"name": "me", "is_self": True, "children": [row]}]
    hy2scale.fault("/api/topology", "body", body=topology)

    peers = await read(provider, Peer)

    assert list(peers)[:2] == ["p449", "p449/p448"]
    assert len(list(peers)[-1]) == 254, "ids have at most 255 characters"


async def test_peers_behind_a_lost_link_are_kept(provider: Provider, hy2scale: Node) -> None:
    """The node shows no peers behind a link that is down."""
    before = await read(provider, Peer)
    hy2scale.drop("us")
    # A write invalidates cached reads.
    await provider.set_peer_nested(Peer, "office", nested=False)

    peers = await read(provider, Peer)

    assert set(peers) == set(before)
    far = peers["us/us-r1/us-r1-r1"]
    assert (far.connected, far.latency, far.rate_in, far.rate_out) == (False, None, None, None)
    assert far.version == "1.3.4"
    await provider.set_peer_nested(Link, "us", nested=False)
    assert set(await read(provider, Peer)) == set(before)


async def test_a_tunnel_of_unknown_state(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/clients", "patch", remove=("0.connected",))

    us = (await read(provider, Tunnel))["us"]

    assert (us.state, us.online, us.enabled) == (None, None, True)


# Users, sessions and exits


async def test_users_without_an_id(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/users", "patch", remove=("0.id", "1.username"), times=None)

    assert len(await read(provider, User)) == 3
    assert next(one.name for one in (await read(provider, UserSessions)).values()) is None


async def test_exits(provider: Provider, hy2scale: Node) -> None:
    """All paths of the console in its format, and those that are down."""
    hy2scale.state.peers["office/printer"] = PeerRow("inbound", version="1.3.4")
    hy2scale.state.peer_flags["office"] = PeerFlags(nested=True)
    hy2scale.state.peer_flags["us/us-r1"].disabled = True

    alice = await user(provider, hy2scale, "alice")

    assert alice.exits == (
        *("de", "ea1b2adb/office", "ea1b2adb/office/printer"),
        *("jp", "kr", "sg", "us", "us/us-r1", "us/us-r1/us-r1-r1"),
    )
    assert alice.exits_down == ("de", "sg", "us/us-r1", "us/us-r1/us-r1-r1")
    for kind in (Rule, WireGuardPeer):
        assert {one.exits for one in (await read(provider, kind)).values()} == {alice.exits}
    assert (await read(provider, Proxy))["socks5"].exits_down == alice.exits_down


@BOTH
async def test_sessions(provider: Provider, hy2scale: Node) -> None:
    """For every user, also without sessions."""
    found = await read(provider, UserSessions)

    by_name = {one.name: one.sessions for one in found.values()}
    assert {name: len(sessions) for name, sessions in by_name.items()} == {
        "alice": 2,
        "bob": 1,
        "carol": 0,
        "dave": 0,
    }
    first = by_name["alice"][0]
    assert (first.key, first.address, first.protocol, first.connections) == (
        "alice|203.0.113.10|hy2",
        "203.0.113.10",
        "hy2",
        2,
    )
    assert first.since == datetime.fromtimestamp(
        int(hy2scale.state.sessions[first.key].connect_at), UTC
    )
    hy2scale.disconnect(first.key)
    await provider.set_peer_nested(Peer, "office", nested=False)
    again = await read(provider, UserSessions)
    (traffic,) = (
        (s.traffic_in, s.traffic_out)
        for one in again.values()
        for s in one.sessions
        if s.key == first.key
    )
    assert traffic == (
        hy2scale.state.sessions[first.key].rx_bytes,
        hy2scale.state.sessions[first.key].tx_bytes,
    )


async def test_sessions_of_unknown_users(provider: Provider, hy2scale: Node) -> None:
    """Sessions of unknown users, or without a key, are only counted."""
    patch = {"devices.0.username": "ghost", "devices.1.key": None}
    hy2scale.fault("/api/sessions", "patch", patch=patch, times=None)

    found = await read(provider, UserSessions)

    assert sorted(len(one.sessions) for one in found.values()) == [0, 0, 0, 1]
    assert (await read(provider, Hub))["account"].sessions == 3


@BOTH
async def test_no_sessions(provider: Provider, hy2scale: Node) -> None:
    hy2scale.state.sessions.clear()

    assert {len(s.sessions) for s in (await read(provider, UserSessions)).values()} == {0}


@BOTH
async def test_empty_lists(provider: Provider, hy2scale: Node) -> None:
    state = hy2scale.state
    for rows in (state.users, state.rules, state.proxies):
        rows.clear()
    state.settings.missing_routes = ["GET /api/ss"]

    for kind in (User, UserSessions, Rule, Proxy):
        assert await read(provider, kind) == {}


@pytest.mark.parametrize(
    "route, answer, of",
    [
        ("clients", None, Tunnel),
        ("sessions", None, UserSessions),
        ("sessions", {"devices": None, "total": 0}, UserSessions),
    ],
)
async def test_unexpected_null_is_an_error(
    provider: Provider, hy2scale: Node, route: str, answer: object, of: type[Tunnel | UserSessions]
) -> None:
    """No version returns null for an empty list there."""
    hy2scale.fault(f"/api/{route}", "body", body=answer)

    with pytest.raises(UnavailableError) as info:
        await read(provider, of)

    assert info.value.reason is Reason.MALFORMED


async def test_no_rules(provider: Provider, hy2scale: Node) -> None:
    hy2scale.fault("/api/rules", "body", body={"available": True, "rules": None})

    assert await read(provider, Rule) == {}


async def test_fingerprint_changes_with_the_configuration(
    freezer: FrozenDateTimeFactory, provider: Provider, hy2scale: Node
) -> None:
    async def _fingerprints() -> tuple[str | None, str | None]:
        freezer.tick(30)
        peers = await read(provider, WireGuardPeer)
        return peers["phone"].fingerprint, peers["laptop"].fingerprint

    first = await _fingerprints()
    assert await _fingerprints() == first
    hy2scale.state.wireguard.peers[0].allowed_ips = "10.0.0.99/32"
    second = await _fingerprints()
    assert second[0] != first[0]
    assert second[1] == first[1]
    hy2scale.state.wireguard.listen_port = 51821
    third = await _fingerprints()
    assert third[0] != second[0]
    assert third[1] != second[1]


@BOTH
async def test_no_wireguard_peers(provider: Provider, hy2scale: Node) -> None:
    hy2scale.state.wireguard.peers.clear()

    assert await read(provider, WireGuardPeer) == {}
    assert (await read(provider, WireGuard))["account"].wireguard_peers == 0


@pytest.mark.parametrize("damage", [{"patch": {"peers": {}}}, {"remove": ["peers"]}])
async def test_invalid_wireguard_peers(
    provider: Provider, hy2scale: Node, damage: dict[str, Any]
) -> None:
    hy2scale.fault("/api/wireguard", "patch", **damage)

    with pytest.raises(UnavailableError):
        await read(provider, WireGuardPeer)


# Requests and intervals


async def test_requests_of_all_feeds(
    freezer: FrozenDateTimeFactory, provider: Provider, hy2scale: Node
) -> None:
    """Data of several feeds are requested once."""
    await provider.identify()
    hy2scale.calls.clear()

    for feed in provider.feeds.values():
        await feed.fetch()

    requested = [call.path for call in hy2scale.calls]
    assert sorted(requested) == sorted(
        f"/scale/api{path}"
        for path in (
            *("/node", "/stats", "/sessions", "/topology", "/clients", "/users"),
            *("/users/conflicts", "/rules", "/proxies", "/ss", "/wireguard", "/l2tp", "/ikev2"),
            *("/rules/tun-mode", "/tls", "/upgrade/status", "/upgrade/check", "/system/arch"),
            *("/internal/peers", "/peers/us/peers"),
        )
    )


@pytest.mark.parametrize(
    "key, seconds",
    [
        *((key, 10) for key in ("hub", "links", "peers", "tunnels", "sessions")),
        *((key, 30) for key in ("users", "rules", "proxies", "wireguard", "wireguard_peers")),
        ("tun_mode", 300),
        *((key, 3600) for key in ("vpn", "certificates", "upgrade")),
    ],
)
def test_intervals(provider: Provider, key: str, seconds: int) -> None:
    assert provider.feeds[key].interval == timedelta(seconds=seconds)
    assert provider.feeds[key].required is (key == "hub")


async def test_reads_are_only_shared_briefly(
    freezer: FrozenDateTimeFactory, provider: Provider, hy2scale: Node
) -> None:
    await read(provider, Link)
    freezer.tick(1)
    await read(provider, Peer)
    assert len(hy2scale.calls_to("/api/topology")) == 1

    freezer.tick(2)
    await read(provider, Link)

    assert len(hy2scale.calls_to("/api/topology")) == 2


async def test_reads_before_a_write_are_not_shared(provider: Provider, hy2scale: Node) -> None:
    await read(provider, Link)

    await provider.set_enabled(Tunnel, "us", enabled=False)

    assert (await read(provider, Link))["us"].latency is None
    assert len(hy2scale.calls_to("/api/topology")) == 2


async def test_a_read_during_a_write_is_not_shared(provider: Provider, hy2scale: Node) -> None:
    """It was read before the write, and received afterwards."""
    await provider.identify()
    hy2scale.fault("/api/topology", "drip", seconds=0.001, size=1000)
    reading = asyncio.create_task(read(provider, Link))
    await until(lambda: bool(hy2scale.calls_to("/api/topology")))

    await provider.set_enabled(Rule, "video", enabled=False)
    await reading
    await read(provider, Peer)

    assert len(hy2scale.calls_to("/api/topology")) == 2


# Missing routes

MISSING = {
    "/api/ss": Proxy,
    "/api/users/conflicts": User,
    "/api/rules": Rule,
    "/api/wireguard": WireGuard,
    "/api/tls": Certificates,
    "/api/upgrade/status": Upgrade,
    "/api/rules/tun-mode": TunMode,
    "/api/sessions": UserSessions,
}


@pytest.mark.parametrize("route", MISSING)
async def test_a_missing_route_is_not_requested_again(
    freezer: FrozenDateTimeFactory, provider: Provider, hy2scale: Node, route: str
) -> None:
    """Until an hour has passed, or the node has restarted."""
    hy2scale.state.settings.missing_routes = [route]
    path = f"/scale{route}"

    def _count() -> int:
        return sum(call.path == path for call in hy2scale.calls)

    for _ in range(3):
        await read(provider, MISSING[route])
        freezer.tick(30)
    assert _count() == 1

    freezer.tick(3600)
    await read(provider, MISSING[route])
    assert _count() == 2

    hy2scale.state.settings.missing_routes = []
    await hy2scale.restart()
    await read(provider, Hub)
    await read(provider, MISSING[route])
    assert _count() > 2


async def test_a_known_route_does_not_become_missing(
    freezer: FrozenDateTimeFactory, provider: Provider, hy2scale: Node
) -> None:
    """A proxy in front of the node gives the same answer while the node restarts."""
    assert await read(provider, Rule)
    assert await read(provider, Tunnel)
    freezer.tick(10)
    for route in ("/api/rules", "/api/clients"):
        hy2scale.fault(route, "status", status=404, body="404 page not found\n")

    for kind in (Rule, Tunnel):
        with pytest.raises(UnavailableError) as info:
            await read(provider, kind)
        assert info.value.reason is Reason.MALFORMED

    assert await read(provider, Rule)
    assert await read(provider, Tunnel)


async def test_required_routes_are_never_missing_features(
    provider: Provider, hy2scale: Node
) -> None:
    hy2scale.fault("/api/stats", "status", status=404, body="404 page not found\n")

    with pytest.raises(UnsupportedError):
        await read(provider, Hub)


# Secrets


@BOTH
async def test_no_secrets_in_resources(provider: Provider, hy2scale: Node) -> None:
    state = hy2scale.state
    state.users["x"] = UserRow(
        id="x", username="x", password="plain-x", proxy_passwords={"ss": "plain-y"}
    )
    state.proxies["x"] = ProxyRow(id="x", protocol="http", listen="127.0.0.1:1")
    assert state.server
    secrets = {
        state.server.password,
        state.password_hash,
        state.l2tp.psk,
        state.ikev2.psk,
        state.wireguard.private_key,
        *(peer.private_key for peer in state.wireguard.peers),
        *(client.password for client in state.clients.values()),
        *(one.password for one in state.users.values()),
        *(word for one in state.users.values() for word in one.proxy_passwords.values()),
        *(line for c in state.certificates.values() for line in c.key.splitlines()[1:-1]),
    }
    assert len(secrets) > 15

    shown = [
        await provider.identify(),
        *[await feed.fetch() for feed in provider.feeds.values()],
        *provider.issues(),
        provider.statistics(),
    ]

    words = repr(shown)
    assert not [secret for secret in {*secrets, *state.tokens} if secret in words]
