"""Tests frps's client and feeds with the recordings of version 0.70.1.

The expected results were written by hand from the recordings.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    RejectedError,
    TunnelGoneError,
    TunnelHubError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.frp.frps_client import FrpsClient
from custom_components.tunnel_hub.api.frp.frps_models import (
    CLIENT,
    PROXY,
    SERVER,
    Addressing,
    address_fields,
    days,
    days_until,
    server_row,
)
from custom_components.tunnel_hub.api.frp.frps_provider import FrpsProvider
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.models.account import DayTraffic
from custom_components.tunnel_hub.api.models.server import Client, Server
from custom_components.tunnel_hub.api.models.tunnels import Tunnel

from . import field_types
from .counts import count_replayed
from .field_types import Meaning, Row, check_field_types
from .recordings import Recording, load
from .server import RecordedServer

RECORDED = "frps-0.70.1"


def at(second: int) -> datetime:
    """Return a time in the minute of the recordings."""
    return datetime(2026, 11, 29, 8, 15, second, tzinfo=UTC)


SERVER_THEN = Server(
    id="account",
    clients=1,
    connections=0,
    heartbeats=False,
    port=7000,
    ports=(("http", 8088),),
    traffic_in_today=234,
    traffic_out_today=4296,
    tunnels_online=2,
    tunnels_online_by_type=(("http", 1), ("tcp", 1)),
    version="0.70.1",
)
SERVER_WITHOUT_CLIENT = replace(SERVER_THEN, clients=0, tunnels_online=0, tunnels_online_by_type=())
HA = Client(
    id="alice.ha",
    name="alice.ha",
    address="198.51.100.7",
    connected_since=at(35),
    host_name="vm",
    online=True,
    version="0.70.1",
)
HA_GONE = replace(HA, connected_since=None, last_seen=at(44), online=False)
NAS = Tunnel(
    id="alice.nas",
    name="alice.nas",
    client="alice.ha",
    connections=0,
    last_start=at(35),
    online=True,
    protocol="tcp",
    traffic_in_today=234,
    traffic_out_today=4296,
)
WEB = replace(
    NAS, id="alice.web", name="alice.web", protocol="http", traffic_in_today=0, traffic_out_today=0
)
S1_OFF = replace(
    WEB,
    id="alice.s1",
    name="alice.s1",
    protocol="tcp",
    last_start=at(39),
    last_close=at(40),
    online=False,
)
NAS_GONE = replace(NAS, last_start=at(43), last_close=at(44), online=False)
WEB_GONE = replace(WEB, last_close=at(44), online=False)
S1_GONE = replace(S1_OFF, last_start=at(41), last_close=at(44))
WEEK = (
    *(DayTraffic(day=f"2026-11-{day}", traffic_in=0, traffic_out=0) for day in range(23, 29)),
    DayTraffic(day="2026-11-29", traffic_in=234, traffic_out=4296),
)


def in_version_1(*tunnels: Tunnel) -> list[Tunnel]:
    """Return tunnels without the fields of version 2."""
    return [replace(tunnel, last_start=None, last_close=None) for tunnel in tunnels]


async def servers(answer: Awaitable[Row]) -> object:
    return SERVER.one(server_row(await answer))


async def clients(answer: Awaitable[list[Row]]) -> object:
    return [CLIENT.one(row) for row in await answer]


async def client_of(answer: Awaitable[Row]) -> object:
    return CLIENT.one(await answer)


async def tunnels(answer: Awaitable[list[Row]], proxy_type: str | None = None) -> object:
    of_type = {} if proxy_type is None else {"type": proxy_type}
    return [PROXY.one({**row, **of_type}) for row in await answer]


async def tunnel_of(answer: Awaitable[Row], proxy_type: str | None = None) -> object:
    of_type = {} if proxy_type is None else {"type": proxy_type}
    return PROXY.one({**await answer, **of_type})


async def week(answer: Awaitable[list[Row]]) -> object:
    return days(await answer)


async def week_of(answer: Awaitable[Row]) -> object:
    return days_until(at(0).date(), await answer)


class Line(NamedTuple):
    """The call for a line, and the result: a value, or an error."""

    ask: Callable[[FrpsClient], Awaitable[object]]
    expected: object


def page(query: Mapping[str, str]) -> Callable[[FrpsClient], Awaitable[object]]:
    """Request a page, or a filtered list, as the client itself never does."""

    async def _ask(client: FrpsClient) -> object:
        answer = await client.ask("GET", "/api/v2/proxies", params=query)
        data: Any = answer.mapping()["data"]
        return [PROXY.one(row) for row in data["items"]]

    return _ask


def missing(route: str) -> Callable[[FrpsClient], Awaitable[object]]:
    return lambda client: client.ask("GET", route)


LINES: Mapping[int, Line] = {
    1: Line(lambda c: c.healthz(), None),
    2: Line(lambda c: c.serverinfo(), AuthenticationError),
    3: Line(lambda c: c.serverinfo(), AuthenticationError),
    4: Line(lambda c: servers(c.serverinfo()), SERVER_THEN),
    5: Line(lambda c: servers(c.system_info()), SERVER_THEN),
    6: Line(lambda c: clients(c.clients()), [HA]),
    7: Line(lambda c: clients(c.clients_v2()), [HA]),
    8: Line(lambda c: client_of(c.client("alice.ha")), HA),
    9: Line(lambda c: c.client("nobody"), TunnelGoneError),
    10: Line(lambda c: c.users(), [{"user": "alice", "clientCount": 1, "proxyCount": 2}]),
    11: Line(lambda c: tunnels(c.proxies_of("tcp"), "tcp"), in_version_1(NAS)),
    12: Line(lambda c: tunnels(c.proxies_of("http"), "http"), in_version_1(WEB)),
    13: Line(lambda c: tunnels(c.proxies_of("udp"), "udp"), []),
    14: Line(lambda c: tunnels(c.proxies_of("nonsense")), []),
    15: Line(lambda c: tunnel_of(c.proxy("alice.nas"), "tcp"), in_version_1(NAS)[0]),
    16: Line(lambda c: c.proxy("nobody"), TunnelGoneError),
    17: Line(lambda c: tunnels(c.proxies_v2()), [WEB, NAS]),
    18: Line(page({"page": "1", "pageSize": "1"}), [WEB]),
    19: Line(page({"page": "9", "pageSize": "200"}), []),
    20: Line(page({"pageSize": "201"}), RejectedError("pageSize must be between 1 and 200")),
    21: Line(page({"type": "tcp", "status": "online"}), [NAS]),
    22: Line(page({"q": "web"}), [WEB]),
    23: Line(lambda c: tunnel_of(c.proxy_v2("alice.nas")), NAS),
    24: Line(lambda c: c.proxy_v2("nobody"), TunnelGoneError),
    25: Line(lambda c: week_of(c.traffic("alice.nas")), WEEK),
    26: Line(lambda c: c.traffic("nobody"), TunnelGoneError),
    27: Line(lambda c: week(c.traffic_v2("alice.nas")), WEEK),
    28: Line(lambda c: c.traffic_v2("nobody"), TunnelGoneError),
    29: Line(missing("/api/nothing"), UnsupportedError),
    30: Line(missing("/nothing"), UnsupportedError),
    31: Line(lambda c: tunnels(c.proxies_v2()), [WEB, NAS, S1_OFF]),
    32: Line(lambda c: servers(c.serverinfo()), SERVER_WITHOUT_CLIENT),
    33: Line(lambda c: clients(c.clients()), [HA_GONE]),
    34: Line(lambda c: clients(c.clients_v2()), [HA_GONE]),
    35: Line(lambda c: tunnels(c.proxies_v2()), [WEB_GONE, NAS_GONE, S1_GONE]),
    36: Line(lambda c: tunnels(c.proxies_of("tcp"), "tcp"), in_version_1(NAS_GONE, S1_GONE)),
    37: Line(lambda c: tunnel_of(c.proxy_v2("alice.nas")), NAS_GONE),
    38: Line(lambda c: week_of(c.traffic("alice.nas")), WEEK),
    39: Line(lambda c: c.prune(), None),
    40: Line(
        lambda c: c.ask("POST", "/api/v2/system/prune", params={"type": "nonsense"}),
        RejectedError("type must be one of offline_proxies"),
    ),
    41: Line(lambda c: c.delete_offline_proxies(), None),
    42: Line(lambda c: tunnels(c.proxies_v2()), []),
}
"""By the number of the line."""

_PAGED = "?page=1&pageSize=200"
_ALL_PAGES = ("/api/v2/clients", "/api/v2/proxies", "/api/v2/users")


def path_of(recording: Recording) -> str:
    """Return the path that our client requests: for lists, it requests the largest pages."""
    return f"{recording.path}{_PAGED}" if recording.path in _ALL_PAGES else recording.path


@pytest.mark.parametrize("recording", load(RECORDED), ids=lambda recording: str(recording.line))
async def test_each_answer(
    session: ClientSession,
    recorded: RecordedServer,
    recording: Recording,
    request: pytest.FixtureRequest,
) -> None:
    recorded.add(recording, path=path_of(recording))
    client = FrpsClient(Transport(session, (recorded.url,)), "admin", "admin-password")
    ask, expected = LINES[recording.line]

    found: object
    try:
        found = await ask(client)
    except TunnelHubError as err:
        found = err

    if isinstance(expected, type):
        assert isinstance(found, expected)
    elif isinstance(expected, RejectedError):
        assert isinstance(found, RejectedError)
        assert found.message == expected.message
    else:
        assert found == expected
    assert recorded.unanswered == []
    count_replayed(request.node, RECORDED, "parser", [recording.line])


def test_every_line_is_requested() -> None:
    assert LINES.keys() == {recording.line for recording in load(RECORDED)}


@pytest.fixture
def provider(session: ClientSession, recorded: RecordedServer) -> FrpsProvider:
    credentials = {"kind": "frps", "base_url": recorded.url, "username": "admin", "password": "pw"}
    return FrpsProvider(session, credentials, {"outside_address": "vpn.example.com"})


def by_line() -> dict[int, Recording]:
    return {recording.line: recording for recording in load(RECORDED)}


async def test_a_server_before_and_after_its_client_disconnects(
    freezer: FrozenDateTimeFactory, recorded: RecordedServer, provider: FrpsProvider
) -> None:
    """The known addresses are kept."""
    lines = by_line()
    for number in (5, 7, 17):
        recorded.add(lines[number], path=path_of(lines[number]))
    # Both were started in the same second.
    recorded.add(lines[15], path="/api/proxies/alice.web")
    nas = replace(NAS, public_address="vpn.example.com:6001")
    web = replace(WEB, public_address="w.example.test:8088")
    assert await provider.feeds["server"].fetch() == {
        "account": replace(SERVER_THEN, tunnels_offline=0)
    }
    assert await provider.feeds["tunnels"].fetch() == {"alice.nas": nas, "alice.web": web}
    assert await provider.feeds["clients"].fetch() == {"alice.ha": HA}
    assert provider.time_zone == UTC

    for number in (34, 35):
        recorded.add(lines[number], path=path_of(lines[number]))
    freezer.tick(60)
    assert await provider.feeds["tunnels"].fetch() == {
        "alice.nas": replace(NAS_GONE, public_address="vpn.example.com:6001"),
        "alice.s1": S1_GONE,
        "alice.web": replace(WEB_GONE, public_address="w.example.test:8088"),
    }
    assert await provider.feeds["clients"].fetch() == {"alice.ha": HA_GONE}


async def test_the_same_with_version_1(recorded: RecordedServer, provider: FrpsProvider) -> None:
    lines = by_line()
    for number in (4, 6, 11, 12):
        recorded.add(lines[number])
    for name in ("/api/v2/system/info", "/api/v2/clients", "/api/v2/proxies"):
        # The answer to an unknown route.
        recorded.add(lines[29], path=f"{name}{_PAGED if name in _ALL_PAGES else ''}")
    for proxy_type in ("udp", "https", "tcpmux", "stcp", "xtcp", "sudp"):
        recorded.add(lines[13], path=f"/api/proxy/{proxy_type}")

    assert await provider.feeds["server"].fetch() == {
        "account": replace(SERVER_THEN, tunnels_offline=0)
    }
    nas, web = in_version_1(
        replace(NAS, public_address="vpn.example.com:6001"),
        replace(WEB, public_address="w.example.test:8088"),
    )
    assert await provider.feeds["tunnels"].fetch() == {"alice.nas": nas, "alice.web": web}
    assert await provider.feeds["clients"].fetch() == {"alice.ha": HA}
    assert recorded.unanswered == []


async def test_another_service_with_similar_answers(
    recorded: RecordedServer, provider: FrpsProvider
) -> None:
    with pytest.raises(InvalidInputError):
        await provider.identify()


# All types of all fields


def epoch(field: str) -> Meaning:
    """A time in seconds since 1970; 0 is never."""

    def _right(row: Row) -> datetime | None:
        seconds = field_types.as_number(row.get(field))
        if not seconds or not 0 < seconds < 10**11:
            return None
        return datetime.fromtimestamp(seconds, UTC)

    return _right


def when_online(meaning: Meaning, *, online: bool) -> Meaning:
    """A value that applies while a client is online, or while it is offline."""
    return lambda row: meaning(row) if field_types.flag("online")(row) is online else None


def key(row: Row) -> str | None:
    """Return the unique key of a client."""
    parts = (field_types.text("user")(row), field_types.text("clientID")(row))
    return ".".join(str(part) for part in parts if part) or None


CLIENT_MEANINGS: Mapping[str, Meaning] = {
    "id": lambda row: field_types.text("key")(row) or key(row),
    "name": lambda row: field_types.text("key")(row) or key(row),
    "address": field_types.text("clientIP"),
    "connected_since": when_online(epoch("lastConnectedAt"), online=True),
    "host_name": field_types.text("hostname"),
    "last_seen": when_online(epoch("disconnectedAt"), online=False),
    "online": field_types.flag("online"),
    "version": field_types.text("version"),
}
STATUS_MEANINGS: Mapping[str, Meaning] = {
    "id": lambda _: "alice.nas",
    "name": lambda _: "alice.nas",
    "client": lambda _: "alice.ha",
    "connections": field_types.count("curConns"),
    "last_close": epoch("lastCloseAt"),
    "last_start": epoch("lastStartAt"),
    "online": lambda row: {"online": True, "offline": False}.get(str(row.get("phase"))),
    "protocol": lambda _: "tcp",
    "traffic_in_today": field_types.count("todayTrafficIn"),
    "traffic_out_today": field_types.count("todayTrafficOut"),
}


def _item(line: int, number: int) -> Any:
    answer: Any = by_line()[line].reply.answer
    return answer["data"]["items"][number]


def test_field_types_of_a_client() -> None:
    for line in (7, 34):
        assert check_field_types(CLIENT.one, _item(line, 0), CLIENT_MEANINGS) > 200


def test_field_types_of_a_proxy() -> None:
    for line in (17, 35):
        row = _item(line, 1)

        def _read(status: Row, row: Row = row) -> Tunnel | None:
            return PROXY.one({**row, "status": dict(status)})

        assert check_field_types(_read, row["status"], STATUS_MEANINGS) > 100


def _port(field: str) -> Callable[[Row], int | None]:
    def _right(row: Row) -> int | None:
        port = field_types.as_number(row.get(field))
        return round(port) if port and 0 < port < 65536 else None

    return _right


def _online(row: Row) -> int | None:
    counts = row.get("proxyTypeCount")
    return None if not isinstance(counts, dict) else sum(n for _, n in _by_type(row))


def _by_type(row: Row) -> tuple[tuple[str, int], ...]:
    counts = row.get("proxyTypeCount")
    if not isinstance(counts, dict):
        return ()
    known = ((name, field_types.as_number(n)) for name, n in counts.items())
    return tuple(sorted((name, round(n)) for name, n in known if n and n > 0))


def test_field_types_of_the_server() -> None:
    meanings: Mapping[str, Meaning] = {
        "id": lambda _: "account",
        "clients": field_types.count("clientCounts"),
        "connections": field_types.count("curConns"),
        "heartbeats": lambda row: (field_types.as_number(row.get("heartbeatTimeout")) or 0) >= 1,
        "port": _port("bindPort"),
        "ports": lambda row: tuple(
            (name, port)
            for name, field in {
                "http": "vhostHTTPPort",
                "https": "vhostHTTPSPort",
                "tcpmux": "tcpmuxHTTPConnectPort",
                "kcp": "kcpBindPort",
                "quic": "quicBindPort",
            }.items()
            if (port := _port(field)(row))
        ),
        "traffic_in_today": field_types.count("totalTrafficIn"),
        "traffic_out_today": field_types.count("totalTrafficOut"),
        "tunnels_online": _online,
        "tunnels_online_by_type": _by_type,
        "version": field_types.text("version"),
    }
    row: Any = by_line()[4].reply.answer

    assert check_field_types(SERVER.one, row, meanings) > 300


def test_field_types_of_an_address() -> None:
    """The address is correct or unknown."""
    addresses = Addressing("vpn.example.com", "example.test", (("http", 8088),))
    for line, number, right in ((17, 1, "vpn.example.com:6001"), (17, 0, "w.example.test:8088")):
        row = _item(line, number)
        kind = row["spec"]["type"]
        for _, spec in field_types.rows_of_all_types(row["spec"][kind]):
            wild = {**row, "spec": {"type": kind, kind: dict(spec)}}
            address = addresses.of(kind, address_fields(wild) or {})
            expected = {right, None, *_variants(spec, kind)}
            assert address in expected, spec


def _variants(spec: Row, kind: str) -> set[str]:
    """Return the addresses of a spec with another port or name."""
    port, name = _port("remotePort")(spec), field_types.text("subdomain")(spec)
    return {f"vpn.example.com:{port}"} if kind == "tcp" else {f"{name}.example.test:8088"}
