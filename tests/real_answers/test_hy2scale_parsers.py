"""Tests HY2 SCALE's client and feeds with the recordings of real nodes.

The expected results were written by hand from the recordings.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest
from yarl import URL

from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    RejectedError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider, models
from custom_components.tunnel_hub.api.hy2scale.client import Hy2ScaleClient
from custom_components.tunnel_hub.api.models.certificates import (
    Certificate,
    Certificates,
    NewCertificate,
    SignedCertificate,
)
from custom_components.tunnel_hub.api.models.mesh import (
    Hub,
    LatencySample,
    Link,
    LinkHistory,
    Peer,
    PeerDirection,
    Port,
    Position,
    Proxy,
    Rule,
    Upgrade,
    UpgradeState,
    User,
    Vpn,
    VpnServer,
    WireGuard,
    WireGuardPeer,
)
from custom_components.tunnel_hub.api.models.tunnels import Tunnel, TunnelState
from custom_components.tunnel_hub.api.provider import Identity
from custom_components.tunnel_hub.api.tokens import FixedToken

from . import field_types
from .counts import count_replayed
from .field_types import Meaning, Row, check_field_types
from .outcomes import Refused, check
from .recordings import by_line, load
from .server import RecordedServer

RECORDED = "hy2scale-1.3.4"
RECORDED_MESH = "hy2scale-mesh-1.3.4"
RECORDED_AT = datetime(2026, 11, 29, 8, 19, 44, tzinfo=UTC)
GIB = 1024**3
REASON = (
    "no NET_ADMIN capability "
    "(bridge creation, iptables-legacy, iptables, and chroot /host all failed)"
)
NO_INTERNET = (
    'Get "https://api.github.com/repos/FrankoonG/hy2scale/releases/latest": dial tcp: lookup '
    "api.github.com on 192.0.2.53:53: dial udp 192.0.2.53:53: connect: network is unreachable"
)


def recorded_answer(line: int) -> Any:
    """Return a recorded answer that is passed on unchanged."""
    return load(RECORDED)[line - 1].reply.answer


# Expected results

NODE = Hub(
    id="account",
    name="6bbbe501",
    active_paths=(),
    compat=False,
    connections=0,
    exit_clients=0,
    exit_node=True,
    limited=True,
    rate_in=0,
    rate_out=0,
    sessions=0,
    traffic_in=0,
    traffic_out=0,
    version="1.3.4",
)


def link(name: str, **known: Any) -> Link:
    """Return a connection that is not connected."""
    values: dict[str, Any] = {
        "direction": PeerDirection.OUTBOUND,
        "nested": False,
        "rate_in": 0,
        "rate_out": 0,
        "conflict": False,
        "incompatible": False,
        "exit_path": name,
        "native": False,
        "unsupported": False,
    }
    return Link(id=name, name=name, **values | known)


def tunnel(name: str, address: str, state: TunnelState) -> Tunnel:
    """Return a configured connection."""
    return Tunnel(
        id=name,
        name=name,
        enabled=state is not TunnelState.DISABLED,
        online=state is TunnelState.ONLINE,
        protocol="hysteria2",
        public_address=address,
        state=state,
    )


DOWN = tunnel("down", "127.0.0.1:9", TunnelState.OFFLINE)
EXITS: Mapping[str, Any] = {"exits": ("down", "jp"), "exits_down": ("down",)}
ALICE = User(
    id="65a34753",
    name="alice",
    conflicts=(),
    enabled=False,
    expires=datetime(2027, 6, 30, tzinfo=UTC),
    traffic_limit=10 * GIB,
    traffic_usage=0.0,
    traffic_used=0,
    exit_path="jp",
    **EXITS,
)
BOB = User(
    id="501d4307",
    name="bob",
    conflicts=(),
    enabled=True,
    traffic_used=0,
    exit_path="",
    **EXITS,
)
VIDEO = Rule(
    id="video",
    name="Video",
    enabled=False,
    priority=0,
    targets=("video.example.com",),
    tun_active=False,
    type="domain",
    unavailable=True,
    exit_path="jp",
    **EXITS,
)
SOCKS5 = Proxy(
    id="socks5",
    name="socks5",
    enabled=True,
    listen="127.0.0.1:1080",
    protocol="socks5",
    exit_path="",
    **EXITS,
)
NEW_PROXY = Proxy(
    id="nobody",
    name="nobody",
    enabled=False,
    listen="127.0.0.1:1",
    protocol="http",
    exit_path="",
    **EXITS,
)
SHADOWSOCKS = Proxy(
    id="ss",
    name="ss",
    enabled=False,
    listen="127.0.0.1:8388",
    method="aes-256-gcm",
    protocol="ss",
    has_exit=False,
)
VPN = Vpn(
    id="account",
    ikev2_capable=False,
    ikev2_enabled=False,
    ikev2_reason=REASON,
    l2tp_capable=False,
    l2tp_enabled=False,
    l2tp_reason=REASON,
)
WIREGUARD = WireGuard(
    id="account",
    wireguard_connected=0,
    wireguard_enabled=False,
    wireguard_peers=1,
    wireguard_port=51820,
    wireguard_running=False,
)
DEFAULT = Certificate(
    id="default",
    domains="6bbbe501",
    status=None,
    expires=datetime(2036, 11, 26, tzinfo=UTC),
)
VPN_EXAMPLE = Certificate(
    id="vpn",
    domains="vpn.example.com",
    status=None,
    expires=datetime(2028, 11, 28, tzinfo=UTC),
)


class Api(NamedTuple):
    """The client, and a provider that is signed in."""

    client: Hy2ScaleClient
    provider: Hy2ScaleProvider


type Ask = Callable[[Api], Awaitable[object]]
type Case = tuple[tuple[int, ...], Ask, object]
"""The lines to answer with, the call, and its result."""


def feed(key: str) -> Ask:
    return lambda api: api.provider.feeds[key].fetch()


async def wireguard_peers(api: Api) -> object:
    """Read the WireGuard peers without the value that only indicates changes."""
    found = await api.provider.feeds["wireguard_peers"].fetch()
    return {
        id_: (peer.name, peer.address, peer.keepalive, peer.exit_path)
        for id_, peer in found.items()
        if isinstance(peer, WireGuardPeer)
    }


async def nothing() -> None:
    """Store nothing."""


async def names(answer: Awaitable[Iterable[Row]]) -> list[object]:
    """Return the names of the rows of a list."""
    return [row["name"] for row in await answer]


CASES: tuple[Case, ...] = (
    ((1,), lambda a: a.client.build_id(), {"build_id": "4c770ac290d75761"}),
    ((2,), lambda a: a.client.node(), Refused(AuthenticationError, "unauthorized")),
    ((3,), lambda a: a.client.node(), Refused(AuthenticationError, "unauthorized")),
    (
        (4,),
        lambda a: a.client.login("admin", "0"),
        Refused(AuthenticationError, "invalid credentials"),
    ),
    (
        (5,),
        lambda a: a.client.login("admin", "0"),
        {"force_password_change": True, "token": "<session>"},
    ),
    ((6,), lambda a: a.provider.identify(), Identity(id="6bbbe501", title="6bbbe501")),
    ((7,), lambda a: a.client.update_node({"name": "sg-home"}), None),
    ((8,), lambda a: a.provider.identify(), Identity(id="6bbbe501", title="sg-home")),
    ((9, 6, 13), feed("hub"), {"account": NODE}),
    ((10, 32), feed("links"), {}),
    ((11,), feed("tunnels"), {}),
    ((13, 14), feed("sessions"), {}),
    ((14, 10, 15), feed("users"), {}),
    ((15,), lambda a: a.client.user_conflicts(), {}),
    ((16, 10), feed("rules"), {}),
    (
        (17, 10, 18),
        feed("proxies"),
        {
            "ss": Proxy(
                id="ss",
                name="ss",
                enabled=False,
                method="aes-256-gcm",
                protocol="ss",
                has_exit=False,
            )
        },
    ),
    ((18,), lambda a: a.client.shadowsocks(), recorded_answer(18)),
    ((19, 20), feed("vpn"), {"account": VPN}),
    (
        (20, 19),
        lambda a: a.provider.set_server_enabled(VpnServer.L2TP, enabled=True),
        Refused(RejectedError, REASON),
    ),
    ((21, 10), wireguard_peers, {}),
    (
        (22,),
        feed("certificates"),
        {"account": Certificates(id="account", certificates=(DEFAULT,))},
    ),
    ((23,), lambda a: a.provider.graph_layout(), {}),
    (
        (24, 1, 25, 26),
        lambda a: a.provider.describe_node(),
        {
            "build": {
                **recorded_answer(24),
                "build_id": "4c770ac290d75761",
            },
            "machine": recorded_answer(26),
            "settings": recorded_answer(25),
        },
    ),
    ((25,), lambda a: a.client.ui_settings(), recorded_answer(25)),
    ((26,), lambda a: a.client.arch(), recorded_answer(26)),
    (
        (27, 26, 81),
        feed("upgrade"),
        {
            "account": Upgrade(
                id="account",
                current="1.3.4",
                installable=True,
                progress=0.0,
                state=UpgradeState.IDLE,
            )
        },
    ),
    ((28,), lambda a: a.client.peer_health(), []),
    (
        (29, 30),
        lambda a: a.provider.link_history(Tunnel, "jp"),
        LinkHistory(connected=False, rebinds=None, samples=()),
    ),
    ((30,), lambda a: a.client.peer_latency(), []),
    ((31, 6), feed("tun_mode"), {}),
    ((32,), lambda a: a.client.internal_peers(), []),
    (
        (34,),
        lambda a: a.client.create_client({}),
        Refused(RejectedError, "name, addr, password required"),
    ),
    ((35,), lambda a: a.client.create_client({}), None),
    ((36,), lambda a: a.client.create_client({}), None),
    ((37,), lambda a: a.client.create_client({}), None),
    ((38, 86), lambda a: a.provider.set_peer_nested(Tunnel, "jp", nested=True), None),
    ((39,), lambda a: a.client.nest_peer("nobody", enabled=True), None),
    (
        (40,),
        lambda a: a.client.create_user({}),
        Refused(RejectedError, "username and password required"),
    ),
    ((41,), lambda a: a.client.create_user({}), None),
    ((42,), lambda a: a.client.create_user({}), None),
    ((43,), lambda a: a.client.create_user({}), None),
    ((44, 13), lambda a: a.provider.sessions_of("501d4307"), ()),
    ((45,), lambda a: a.client.toggle_user("65a34753", enabled=False), None),
    ((46,), lambda a: a.client.toggle_user("nobody", enabled=False), None),
    ((47,), lambda a: a.client.reset_traffic("65a34753"), None),
    ((48,), lambda a: a.client.delete_user("nobody"), None),
    ((49,), lambda a: a.client.create_rule({}), None),
    ((50,), lambda a: a.client.toggle_rule("video", enabled=False), None),
    ((51,), lambda a: a.client.toggle_rule("nobody", enabled=False), None),
    ((52,), lambda a: a.client.update_tun_mode({}), None),
    ((53, 86, 87), feed("rules"), {"video": VIDEO}),
    ((54,), lambda a: a.client.create_proxy({}), None),
    ((55, 58, 86, 87), feed("proxies"), {"socks5": SOCKS5, "ss": SHADOWSOCKS}),
    ((56,), lambda a: a.client.update_proxy("nobody", {}), None),
    ((57,), lambda a: a.client.update_shadowsocks({}), None),
    ((58,), lambda a: a.client.shadowsocks(), recorded_answer(58)),
    ((59,), lambda a: a.client.update_wireguard({}), None),
    ((60,), lambda a: a.client.create_wireguard_peer({}), None),
    ((61, 86, 87), wireguard_peers, {"phone": ("phone", "10.9.0.2/32", None, "")}),
    (
        (62, 61),
        lambda a: a.provider.wireguard_config("phone", "vpn.example.com"),
        recorded_answer(62),
    ),
    (
        (63,),
        lambda a: a.client.wireguard_config("nobody", ""),
        Refused(RejectedError, "peer not found"),
    ),
    ((64,), lambda a: a.client.delete_wireguard_peer("nobody"), None),
    (
        (65, 67),
        lambda a: a.provider.generate_certificate(
            NewCertificate(id="vpn", domains=["vpn.example.com"], days=730)
        ),
        "vpn",
    ),
    (
        (66, 67),
        lambda a: a.provider.generate_certificate(NewCertificate(id="ca", domains=[], is_ca=True)),
        Refused(RejectedError, "id and domains required"),
    ),
    (
        (67,),
        feed("certificates"),
        {"account": Certificates(id="account", certificates=(VPN_EXAMPLE, DEFAULT))},
    ),
    (
        (67, 65),
        lambda a: a.provider.sign_certificate(
            SignedCertificate(id="x", authority="vpn", host="h.example.com")
        ),
        Refused(InvalidInputError, "no_authority"),
    ),
    ((68, 67), lambda a: a.provider.delete_certificate("nobody"), None),
    ((69, 99), lambda a: a.provider.set_graph_layout({"jp": Position(x=1.5, y=-2)}), None),
    (
        (70,),
        lambda a: a.provider.check_ports(
            [Port(port=5565, protocol="udp"), Port(port=40001, protocol="tcp")]
        ),
        {Port(port=5565, protocol="udp"): False, Port(port=40001, protocol="tcp"): True},
    ),
    (
        (71,),
        lambda a: a.client.check_ports({}),
        Refused(
            RejectedError,
            "json: cannot unmarshal object into Go value of type []app.PortConflict",
        ),
    ),
    ((72,), lambda a: a.provider.resolve_name("localhost"), ("127.0.0.1",)),
    (
        (73,),
        lambda a: a.provider.peers_of(Tunnel, "jp"),
        (
            Peer(
                id="jp/sg-home",
                name="jp/sg-home",
                direction=PeerDirection.INBOUND,
                exit_node=True,
                latency=0,
                version="1.3.4",
                conflict=False,
                enabled=True,
                incompatible=False,
                native=False,
                unsupported=False,
            ),
        ),
    ),
    (
        (74,),
        lambda a: a.provider.peers_of(Tunnel, "nobody"),
        Refused(RejectedError, 'relay: peer "nobody" not connected'),
    ),
    (
        (75,),
        lambda a: a.client.update_password({}, nothing),
        Refused(RejectedError, "current password incorrect"),
    ),
    ((76, 78), lambda a: a.client.disable_client("jp", disabled=True), None),
    (
        (77, 78),
        feed("links"),
        {"jp": link("jp", nested=True), "down": link("down")},
    ),
    (
        (78,),
        feed("tunnels"),
        {"jp": tunnel("jp", "127.0.0.1:6566", TunnelState.DISABLED), "down": DOWN},
    ),
    ((79,), lambda a: a.client.disable_client("jp", disabled=False), None),
    ((80,), lambda a: a.client.disable_client("nobody", disabled=False), None),
    (
        (81,),
        lambda a: a.client.check_upgrade(),
        Refused(UnavailableError, f"HTTP 502 {NO_INTERNET}"),
    ),
    (
        (82,),
        lambda a: a.client.apply_upgrade(),
        Refused(RejectedError, "no downloaded update ready to apply"),
    ),
    (
        (83,),
        lambda a: a.client.delete_session("nobody"),
        Refused(RejectedError, "session not found"),
    ),
    ((84,), lambda a: a.provider.identify(), Identity(id="6bbbe501", title="sg-home")),
    ((85, 84, 89), feed("hub"), {"account": replace(NODE, name="sg-home")}),
    (
        (86, 87, 108),
        feed("links"),
        {"jp": link("jp", nested=True, latency=0, version="1.3.4"), "down": link("down")},
    ),
    (
        (87,),
        feed("tunnels"),
        {"jp": tunnel("jp", "127.0.0.1:6566", TunnelState.ONLINE), "down": DOWN},
    ),
    ((89,), lambda a: a.client.sessions(), []),
    ((90, 91, 86, 87), feed("users"), {"65a34753": ALICE, "501d4307": BOB}),
    ((91,), lambda a: a.client.user_conflicts(), {}),
    ((92, 86, 87), feed("rules"), {"video": VIDEO}),
    ((93, 94, 86, 87), feed("proxies"), {"socks5": SOCKS5, "nobody": NEW_PROXY, "ss": SHADOWSOCKS}),
    ((94,), lambda a: a.client.shadowsocks(), recorded_answer(58)),
    ((95, 96), feed("vpn"), {"account": VPN}),
    (
        (96, 95),
        lambda a: a.provider.set_server_enabled(VpnServer.L2TP, enabled=False),
        Refused(RejectedError, REASON),
    ),
    ((97,), feed("wireguard"), {"account": WIREGUARD}),
    (
        (98,),
        feed("certificates"),
        {"account": Certificates(id="account", certificates=(VPN_EXAMPLE, DEFAULT))},
    ),
    ((99,), lambda a: a.provider.graph_layout(), {"jp": Position(x=1.5, y=-2)}),
    ((100,), lambda a: a.client.build_info(), recorded_answer(24)),
    ((101,), lambda a: a.client.ui_settings(), recorded_answer(25)),
    ((102,), lambda a: a.client.arch(), recorded_answer(26)),
    (
        (103, 102, 81),
        feed("upgrade"),
        {
            "account": Upgrade(
                id="account",
                current="1.3.4",
                installable=True,
                progress=0.0,
                state=UpgradeState.ERROR,
            )
        },
    ),
    ((104,), lambda a: a.client.peer_health(), recorded_answer(104)["peers"]),
    (
        (105, 106),
        lambda a: a.provider.link_history(Tunnel, "jp"),
        LinkHistory(
            connected=True,
            rebinds=0,
            samples=(
                LatencySample(
                    time=datetime(2026, 11, 29, 8, 19, 41, 505_239, tzinfo=UTC), latency=0
                ),
            ),
        ),
    ),
    ((106,), lambda a: a.client.peer_latency(), recorded_answer(106)["peers"]),
    ((107, 84), feed("tun_mode"), {}),
    ((108,), lambda a: names(a.client.internal_peers()), ["jp"]),
    ((110,), lambda a: a.client.delete_client("nobody"), None),
    ((111,), lambda a: a.client.delete_client("down"), None),
)
OTHER_PATHS = {63: "/wireguard/peers/nobody/config?endpoint="}
UNUSED_LINES = {
    **dict.fromkeys((12, 88), "GET /peers has fewer fields than the topology"),
    **dict.fromkeys((33, 109), "no client requests a path that does not exist"),
    **dict.fromkeys((112, 113), "GET /clients has the same fields, and the connection"),
}


def test_every_recording_is_read() -> None:
    assert {lines[0] for lines, _, _ in CASES} | UNUSED_LINES.keys() == by_line(RECORDED).keys()


def provider_of(session: ClientSession, url: str) -> Hy2ScaleProvider:
    """Return the provider of a node, signed in."""
    at = URL(url)
    return Hy2ScaleProvider(
        session,
        {
            "host": str(at.host),
            "port": str(at.port),
            "base_path": "/",
            "https": "false",
            "username": "admin",
            "password_hash": "0",
            "token": "stored",
        },
        {},
    )


@pytest.mark.parametrize(
    "lines, ask, expected", CASES, ids=["-".join(map(str, lines)) for lines, _, _ in CASES]
)
async def test_results(
    *,
    request: pytest.FixtureRequest,
    freezer: FrozenDateTimeFactory,
    session: ClientSession,
    recorded: RecordedServer,
    lines: tuple[int, ...],
    ask: Ask,
    expected: object,
) -> None:
    freezer.move_to(RECORDED_AT)
    recordings = by_line(RECORDED)
    for line in lines:
        recorded.add(recordings[line], path=f"/api{OTHER_PATHS.get(line, recordings[line].path)}")
    api = Api(
        Hy2ScaleClient(Transport(session, (recorded.url,)), FixedToken("stored")),
        provider_of(session, recorded.url),
    )

    await check(ask(api), expected)
    count_replayed(request.node, RECORDED, "parser", lines)


# A mesh, second by second

MESH: Mapping[int, str] = {
    1: "eee+",
    3: "My Seaside-, eee+",
    5: "bee+, eee+",
    17: "bee+, eee+, bee/gone-, bee/sea+",
    37: "bee+, eee+, bee/gone-, bee/sea-",
    43: "bee-, eee+, bee/gone-, bee/sea-",
    48: "bee+, eee+, bee/gone-, bee/sea-",
    55: "bee+, eee+, bee/gone-, bee/sea+",
    95: "bee+, eee+, bee/gone-, bee/sea-",
    109: "bee-, bee/gone-, bee/sea-, eee-",
    113: "bee-2+, bee-2/gone-, bee-2/sea-, eee-",
    123: "bee-2+, bee-2/gone-, bee-2/sea+, eee-",
}
"""The line from which the node has these connected peers, by their names at that time."""
IDS = {"My Seaside", "eee", "bee/gone", "bee/sea"}
"""The ids, by the first names of the peers."""


async def test_results_in_a_mesh(
    request: pytest.FixtureRequest,
    freezer: FrozenDateTimeFactory,
    session: ClientSession,
    recorded: RecordedServer,
) -> None:
    """After each answer: which peers are shown, which are kept, and their ids."""
    freezer.move_to(RECORDED_AT)
    # Requests without a recording: there were no connections, and no node ids were sent.
    for path in ("/clients", "/internal/peers", "/peers/bee/peers", "/peers/bee-2/peers"):
        recorded.add(by_line(RECORDED)[11], path=f"/api{path}")
    provider = provider_of(session, recorded.url)
    expected, ids = "", set[str]()

    for line, recording in by_line(RECORDED_MESH).items():
        recorded.add(recording, path=f"/api{recording.path}")
        expected = MESH.get(line, expected)
        freezer.tick(3)
        if recording.method != "GET" or recording.path not in {"/clients", "/topology"}:
            continue
        links, peers, tunnels = [
            await provider.feeds[key].fetch() for key in ("links", "peers", "tunnels")
        ]
        ids |= links.keys() | peers.keys() | tunnels.keys()
        if recording.path == "/topology":
            # Only an established connection has a version.
            seen = {
                f"{one.name}{'+' if (one.version if type(one) is Link else one.connected) else '-'}"
                for one in (*links.values(), *peers.values())
                if isinstance(one, Peer)
            }
            assert seen == set(expected.split(", ")), str(recording)

    assert ids == IDS
    count_replayed(request.node, RECORDED_MESH, "parser", by_line(RECORDED_MESH))


# All types of all fields


def flag_or(field: str, *, otherwise: bool) -> Meaning:
    """A flag that a row only has if it differs from the default."""
    return lambda row: otherwise if (value := field_types.flag(field)(row)) is None else value


def _is_disabled(row: Row) -> bool:
    return field_types.flag("disabled")(row) is True


def _is_exit(row: Row) -> object:
    """Nodes report false for all peers that they connect to."""
    value = field_types.flag("exit_node")(row)
    return None if row.get("direction") == "outbound" and value is not True else value


def _latency(row: Row) -> object:
    no_link = field_types.flag("connected")(row) is False
    return None if no_link else field_types.count("latency_ms")(row)


def _tunnel_state(row: Row) -> TunnelState | None:
    if _is_disabled(row):
        return TunnelState.DISABLED
    if (connected := field_types.flag("connected")(row)) is None:
        return None
    return TunnelState.ONLINE if connected else TunnelState.OFFLINE


def _exit_path(row: Row) -> object:
    path = row.get("exit_via", "")
    return "" if path == "" else field_types.text("exit_via")(row)


def _midnight(field: str) -> Meaning:
    def _right(row: Row) -> datetime | None:
        found = field_types.day(field)(row)
        return datetime.combine(found, time(), UTC) if isinstance(found, date) else None

    return _right


def _limit(row: Row) -> object:
    return field_types.count("traffic_limit")(row) or None


def _usage(row: Row) -> float | None:
    used, limit = field_types.count("traffic_used")(row), _limit(row)
    return None if not isinstance(used, int) or not isinstance(limit, int) else used / limit * 100


def _targets(row: Row) -> tuple[str, ...]:
    listed = row.get("targets")
    found = (
        [field_types.text("x")({"x": one}) for one in listed] if isinstance(listed, list) else []
    )
    return tuple(str(one) for one in found if one is not None)


def _given(_: Row) -> object:
    """The value that `named` sets."""
    return "x"


HUB_MEANINGS: Mapping[str, Meaning] = {
    "id": lambda _: "account",
    "name": lambda row: field_types.text("name")(row) or field_types.text("node_id")(row),
    "active_paths": lambda row: (
        tuple(row["active_paths"].items()) if isinstance(row.get("active_paths"), dict) else None
    ),
    **{name: field_types.flag(name) for name in ("compat", "exit_node", "limited")},
    "connections": field_types.count("conns"),
    "exit_clients": field_types.count("exit_clients"),
    "rate_in": field_types.count("rx_rate"),
    "rate_out": field_types.count("tx_rate"),
    "traffic_in": field_types.count("rx_bytes"),
    "traffic_out": field_types.count("tx_bytes"),
    "version": field_types.text("version"),
}
LINK_MEANINGS: Mapping[str, Meaning] = {
    "id": _given,
    "name": _given,
    "addresses": lambda _: (),
    "direction": field_types.one_of("direction", ["inbound", "outbound"]),
    "exit_node": _is_exit,
    "latency": _latency,
    "nested": field_types.flag("nested"),
    "rate_in": field_types.count("rx_rate"),
    "rate_out": field_types.count("tx_rate"),
    "version": field_types.text("version"),
    **{
        name: flag_or(name, otherwise=False)
        for name in ("conflict", "incompatible", "native", "unsupported")
    },
}
PEER_MEANINGS: Mapping[str, Meaning] = {
    **LINK_MEANINGS,
    "connected": field_types.flag("connected"),
    "enabled": lambda row: not _is_disabled(row),
}
TUNNEL_MEANINGS: Mapping[str, Meaning] = {
    "id": _given,
    "name": _given,
    "enabled": lambda row: not _is_disabled(row),
    "online": field_types.flag("connected"),
    "protocol": lambda _: "hysteria2",
    "public_address": field_types.text("addr"),
    "state": _tunnel_state,
}
EXIT_MEANINGS: Mapping[str, Meaning] = {
    "exit_path": _exit_path,
    "exits": lambda _: (),
    "exits_down": lambda _: (),
    "has_exit": lambda _: True,
}
USER_MEANINGS: Mapping[str, Meaning] = {
    **EXIT_MEANINGS,
    "id": field_types.text("id"),
    "name": field_types.text("username"),
    "conflicts": lambda _: (),
    "enabled": field_types.flag("enabled"),
    "expires": _midnight("expiry_date"),
    "traffic_limit": _limit,
    "traffic_usage": _usage,
    "traffic_used": field_types.count("traffic_used"),
}
RULE_MEANINGS: Mapping[str, Meaning] = {
    **EXIT_MEANINGS,
    "id": field_types.text("id"),
    "name": lambda row: field_types.text("name")(row) or field_types.text("id")(row),
    "enabled": field_types.flag("enabled"),
    "priority": lambda row: field_types.count("priority")({"priority": 0, **row}),
    "targets": _targets,
    "tun_active": flag_or("tun_active", otherwise=False),
    "type": field_types.text("type"),
    "unavailable": lambda _: True,
}
PROXY_MEANINGS: Mapping[str, Meaning] = {
    **EXIT_MEANINGS,
    "id": field_types.text("id"),
    "name": field_types.text("id"),
    "enabled": field_types.flag("enabled"),
    "listen": field_types.text("listen"),
    "method": field_types.text("method"),
    "protocol": field_types.text("protocol"),
}
SERVER_MEANINGS: Mapping[str, Meaning] = {
    "id": lambda _: "account",
    "wireguard_connected": field_types.count("connected"),
    "wireguard_enabled": field_types.flag("enabled"),
    "wireguard_peers": lambda row: (
        sum(isinstance(p, dict) for p in row.get("peers") or ())
        if isinstance(row.get("peers"), list)
        else 0
    ),
    "wireguard_port": field_types.count("listen_port"),
    "wireguard_running": field_types.flag("running"),
}
VPN_MEANINGS: Mapping[str, Meaning] = {
    "id": lambda _: "account",
    "l2tp_capable": field_types.flag("capable"),
    "l2tp_enabled": field_types.flag("enabled"),
    "l2tp_reason": field_types.text("reason"),
}
UPGRADE_MEANINGS: Mapping[str, Meaning] = {
    "id": lambda _: "account",
    "current": field_types.text("current"),
    "latest": field_types.text("latest"),
    "progress": lambda row: (
        None
        if (done := field_types.amount("progress")(row)) is None
        else min(float(str(done)), 100.0)
    ),
    "state": field_types.one_of("state", list(UpgradeState)),
}


def named(table: Any, **more: object) -> Callable[[Row], Any]:
    """Return a function that reads rows of resources whose id is not in the row."""
    return lambda row: table.one({**row, models.ID: "x", models.TITLE: "x", **more})


NO_EXITS = {"exits": (), "exits_down": ()}
type Table = tuple[Callable[[Row], Any], Mapping[str, Meaning]]
TABLES: Mapping[str, Table] = {
    "/node": (models.HUB.one, HUB_MEANINGS),
    "/stats": (models.HUB.one, HUB_MEANINGS),
    "/topology": (named(models.PEER), PEER_MEANINGS),
    "/clients": (named(models.TUNNEL), TUNNEL_MEANINGS),
    "/users": (lambda row: models.USER.one({**row, **NO_EXITS, "conflicts": ()}), USER_MEANINGS),
    "/rules": (
        lambda row: models.RULE.one({**row, **NO_EXITS, "unavailable": True}),
        RULE_MEANINGS,
    ),
    "/proxies": (lambda row: models.PROXY.one({**row, **NO_EXITS}), PROXY_MEANINGS),
    "/wireguard": (models.WIREGUARD.one, SERVER_MEANINGS),
    "/l2tp": (
        lambda row: models.VPN.one({f"l2tp_{name}": value for name, value in row.items()}),
        VPN_MEANINGS,
    ),
    "/upgrade/status": (models.UPGRADE.one, UPGRADE_MEANINGS),
}


def _rows_in(answer: Any) -> list[Row]:
    """Return the rows of an answer, and those below them."""
    if isinstance(answer, dict):
        return list(answer.get("rules", [answer]))
    return [row for top in answer for row in (top, *_rows_in(top.get("children", [])))]


def different_rows() -> list[tuple[str, Row]]:
    """Return all rows of both recordings that differ in more than their values."""
    found: dict[tuple[object, ...], tuple[str, Row]] = {}
    for recording in (*load(RECORDED), *load(RECORDED_MESH)):
        if recording.method == "GET" and recording.path in TABLES and recording.reply.status == 200:
            for row in _rows_in(recording.reply.answer):
                kind = recording.path, *row, row.get("direction"), row.get("connected")
                found.setdefault(kind, (f"line {recording.line}: {recording.path}", row))
    return list(found.values())


@pytest.mark.parametrize("where, row", different_rows())
def test_field_types(where: str, row: Row) -> None:
    read, meanings = TABLES[where.partition(": ")[2]]

    assert check_field_types(read, row, meanings) > 20 * len(row), where
