"""Tests frpc's client and feeds with the recordings of version 0.70.1.

The expected results were written by hand from the recordings.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    RejectedError,
    TunnelGoneError,
)
from custom_components.tunnel_hub.api.frp.frpc_client import FrpcClient
from custom_components.tunnel_hub.api.frp.frpc_models import PROXY, fields_of, proxy_row
from custom_components.tunnel_hub.api.frp.frpc_provider import FrpcProvider
from custom_components.tunnel_hub.api.frp.frpc_proxies import names_in
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.models.tunnels import Tunnel, TunnelPhase, TunnelSource

from . import field_types
from .counts import count_replayed
from .field_types import Meaning, Row, check_field_types
from .outcomes import Refused, check
from .recordings import Recording, by_line, load
from .server import RecordedServer

RECORDED = "frpc-0.70.1"

WEB = Tunnel(
    id="web",
    name="web",
    editable=False,
    local_address="127.0.0.1:9000",
    online=True,
    protocol="http",
    public_address="w.example.test:8088",
    source=TunnelSource.FILE,
    phase=TunnelPhase.RUNNING,
)
NAS = replace(WEB, id="nas", name="nas", protocol="tcp", public_address="127.0.0.1:6001")
FILE = {"nas": NAS, "web": WEB}
STORED = replace(
    NAS,
    id="s1",
    name="s1",
    editable=True,
    enabled=True,
    public_address="127.0.0.1:6002",
    source=TunnelSource.STORE,
)
DISABLED = replace(
    STORED,
    enabled=False,
    online=False,
    phase=TunnelPhase.DISABLED,
)
IN_STORE_NO_MORE = replace(STORED, editable=False, enabled=None)
TAKEN = replace(
    STORED,
    id="taken",
    name="taken",
    editable=False,
    enabled=None,
    error="port already used",
    online=False,
    public_address=None,
    phase=TunnelPhase.START_ERROR,
)
PROXY_OF_FILE = {
    "name": "nas",
    "type": "tcp",
    "transport": {"bandwidthLimit": "", "bandwidthLimitMode": "client"},
    "loadBalancer": {"group": ""},
    "healthCheck": {"type": "", "intervalSeconds": 0},
    "localIP": "127.0.0.1",
    "localPort": 9000,
    "plugin": None,
    "remotePort": 6001,
}


class Api(NamedTuple):
    """The client and the provider."""

    client: FrpcClient
    provider: FrpcProvider


async def read(api: Api) -> object:
    return await api.provider.feeds["tunnels"].fetch()


async def names_in_file(api: Api) -> object:
    return names_in(await api.client.config())


def fields(name: str) -> Callable[[Api], Awaitable[object]]:
    async def _read(api: Api) -> object:
        return fields_of(await api.client.proxy_config(name))

    return _read


async def create(api: Api) -> None:
    await api.client.create({"name": "s1", "type": "tcp"})


async def update(api: Api) -> None:
    await api.client.replace("s1", {"name": "s1", "type": "tcp"})


type Case = tuple[tuple[int, ...], Callable[[Api], Awaitable[object]], object]
"""The lines to answer with, the call, and its result."""

CASES: tuple[Case, ...] = (
    ((1,), lambda a: a.client.healthz(), None),
    ((2,), lambda a: a.client.status(), Refused(AuthenticationError)),
    ((3, 7), read, FILE),
    ((4,), names_in_file, {"nas", "web"}),
    ((5,), fields("nas"), PROXY_OF_FILE),
    ((6,), fields("nobody"), Refused(TunnelGoneError, "tunnel_gone")),
    ((8,), lambda a: a.client.visitors(), []),
    ((9,), lambda a: a.provider.identify(), Refused(InvalidInputError, "no_frp_here")),
    ((10,), create, None),
    ((11,), create, Refused(RejectedError, 'conflict: already exists: proxy "s1"')),
    ((12, 13), read, {**FILE, "s1": STORED}),
    ((14, 15, 3, 7), lambda a: a.provider.force_tunnel_offline("nobody"), Refused(TunnelGoneError)),
    ((16,), update, None),
    ((17, 18), read, {**FILE, "s1": DISABLED}),
    ((19,), update, Refused(RejectedError, "proxy name in URL must match name in body")),
    ((20, 14), lambda a: a.provider.set_enabled(Tunnel, "s1", enabled=True), None),
    ((21, 7), read, {**FILE, "s1": IN_STORE_NO_MORE}),
    (
        (22,),
        create,
        Refused(
            RejectedError,
            "invalid argument: validation error: localPort: localPort: port number 99999 must be"
            " in the range 0..65535",
        ),
    ),
    ((23,), create, Refused(RejectedError, "proxy name is required")),
    ((24,), create, Refused(RejectedError, "invalid proxy type: nonsense")),
    (
        (25,),
        create,
        Refused(
            RejectedError,
            "parse JSON error: invalid character 'n' looking for beginning of object key string",
        ),
    ),
    ((26,), create, None),
    ((27,), lambda a: a.client.delete("nas"), None),
    ((28,), create, None),
    ((29, 13), read, {**FILE, "s1": STORED, "taken": TAKEN}),
    ((30,), lambda a: a.client.delete("taken"), None),
    ((31,), lambda a: a.client.delete("s1"), None),
    ((32,), lambda a: a.client.delete("s1"), Refused(TunnelGoneError, "tunnel_gone")),
    ((33,), lambda a: a.provider.reload_configuration(), None),
)
OTHER_PATHS = {9: "/api/status"}
"""Lines of paths that do not exist, with the path that is requested instead."""


def test_every_recording_is_read() -> None:
    assert {line for lines, _, _ in CASES for line in lines} == by_line(RECORDED).keys()


@pytest.mark.parametrize(
    "lines, ask, expected", CASES, ids=["-".join(map(str, lines)) for lines, _, _ in CASES]
)
async def test_results(
    *,
    request: pytest.FixtureRequest,
    session: ClientSession,
    recorded: RecordedServer,
    lines: tuple[int, ...],
    ask: Callable[[Api], Awaitable[object]],
    expected: object,
) -> None:
    recordings = by_line(RECORDED)
    for line in lines:
        recorded.add(recordings[line], path=OTHER_PATHS.get(line))
    credentials = {"kind": "frpc", "base_url": recorded.url, "username": "a", "password": "b"}
    api = Api(
        FrpcClient(Transport(session, (recorded.url,)), "a", "b"),
        FrpcProvider(session, credentials, {}),
    )

    await check(ask(api), expected)
    count_replayed(request.node, RECORDED, "parser", lines)


# All types of all fields


def _phase(row: Row) -> TunnelPhase | None:
    words = {
        "new": TunnelPhase.NEW,
        "wait start": TunnelPhase.WAIT_START,
        "start error": TunnelPhase.START_ERROR,
        "running": TunnelPhase.RUNNING,
        "check failed": TunnelPhase.CHECK_FAILED,
        "closed": TunnelPhase.CLOSED,
    }
    return words.get(str(row.get("status")).strip())


def _online(row: Row) -> bool | None:
    phase = _phase(row)
    return None if phase is None else phase is TunnelPhase.RUNNING


MEANINGS: Mapping[str, Meaning] = {
    "id": field_types.text("name"),
    "name": field_types.text("name"),
    "editable": lambda _: False,
    "error": field_types.text("err"),
    "local_address": field_types.text("local_addr"),
    "online": _online,
    "protocol": field_types.text("type"),
    "public_address": field_types.text("remote_addr"),
    "source": lambda row: TunnelSource.STORE if row.get("source") == "store" else TunnelSource.FILE,
    "phase": _phase,
}


def _read(row: Row) -> Any:
    """Read a row of the status."""
    return PROXY.one(proxy_row("x", running=row, stored=None, known=None, server=None))


def _answer(recording: Recording) -> Mapping[str, Any]:
    assert isinstance(recording.reply.answer, dict)
    return recording.reply.answer


def recorded_rows() -> list[Row]:
    """Return the rows of the status that differ in more than their names."""
    found = {
        (row["type"], row["status"], row.get("source")): row
        for recording in load(RECORDED)
        if recording.path == "/api/status" and recording.reply.status == 200
        for rows in _answer(recording).values()
        for row in rows
    }
    return list(found.values())


@pytest.mark.parametrize("row", recorded_rows(), ids=lambda row: f"{row['type']} {row['status']}")
def test_field_types(row: Row) -> None:
    meanings = {**MEANINGS, "id": lambda _: "x", "name": lambda _: "x"}

    assert check_field_types(_read, row, meanings) > 20 * len(row)
