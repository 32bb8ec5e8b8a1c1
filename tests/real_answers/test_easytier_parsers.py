"""Tests EasyTier's client and feeds with the recordings of easytier-worker.

The expected results were written by hand from the recordings.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
import re
from typing import Any, NamedTuple

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.capabilities.directory import ALL_NODES, PUBLIC_NODES
from custom_components.tunnel_hub.api.easytier import EasyTierProvider, models
from custom_components.tunnel_hub.api.easytier.client import EasyTierClient
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    NodeGoneError,
    RejectedError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.models.account import Account, NewAccount
from custom_components.tunnel_hub.api.models.directory import (
    ProposedNode,
    PublicNode,
    QueryPriority,
    Region,
    RelayNode,
    RelayNodeConnection,
    RelayNodeReport,
    RelayNodeUpdate,
    ReportResult,
)
from custom_components.tunnel_hub.api.models.service import ServiceTotals
from custom_components.tunnel_hub.api.tokens import FixedToken

from . import field_types
from .counts import count_replayed
from .field_types import Meaning, Row, check_field_types
from .outcomes import Refused, check
from .recordings import by_line
from .server import RecordedServer

RECORDED = "easytier-worker"
RECORDED_AT = datetime(2026, 11, 29, 8, 14, 44, tzinfo=UTC)
GIB = 1024**3
SHOW_OFFLINE = "/api/public?show_offline=true"

# Expected results: GB are counted in powers of 1024.

NEVER_REPORTED = RelayNode(
    id="1",
    name="北京联通",
    allow_relay=True,
    availability_24_hours=None,
    availability_30_days=None,
    bandwidth=0.0,
    bandwidth_maximum=200.0,
    bandwidth_tier=None,
    connections=0,
    connections_allowed=100,
    last_report=None,
    load=None,
    online=False,
    place="北京",
    region=Region.DOMESTIC,
    tags=("高速", "稳定"),
    traffic_allowed=1000 * GIB,
    traffic_reset=datetime(2026, 11, 30, tzinfo=UTC),
    traffic_usage=0.0,
    traffic_used=0,
    valid_until=date(2027, 11, 4),
)
SECOND = replace(NEVER_REPORTED, id="2", connections_allowed=None)
"""1e30 connections are too many to be meant."""
REPORTED = replace(
    NEVER_REPORTED,
    availability_24_hours=66.67,
    availability_30_days=66.67,
    bandwidth=50.5,
    connections=5,
    last_report=datetime(2026, 11, 29, 8, 14, 43, 819_000, tzinfo=UTC),
    traffic_usage=7.77,
    traffic_used=83_429_739_725,
)
"""The last of three reports says that it is offline."""
PUBLIC = PublicNode(
    id="1",
    name="北京联通",
    allow_relay=False,
    availability_24_hours=75.0,
    availability_30_days=75.0,
    bandwidth=50.5,
    bandwidth_maximum=200.0,
    bandwidth_tier=90.0,
    connections=5,
    connections_allowed=100,
    load=56.11,
    online=True,
    place="北京",
    region=Region.DOMESTIC,
    tags=("高速", "稳定"),
    traffic_allowed=1000 * GIB,
    traffic_reset=datetime(2026, 11, 30, tzinfo=UTC),
    traffic_usage=7.77,
    traffic_used=83_429_739_725,
)
PUBLIC_SECOND = replace(
    PUBLIC,
    id="2",
    allow_relay=True,
    availability_24_hours=None,
    availability_30_days=None,
    bandwidth=0.0,
    bandwidth_tier=None,
    connections=0,
    connections_allowed=None,
    load=None,
    online=False,
    traffic_usage=0.0,
    traffic_used=0,
)
PROPOSED = ProposedNode(
    node=replace(
        PUBLIC,
        availability_24_hours=None,
        availability_30_days=None,
        bandwidth_maximum=None,
        online=None,
        traffic_reset=None,
    ),
    addresses=("tcp://192.0.2.4:11010", "ws://relay.example.com:11011"),
)
TOTALS = ServiceTotals(
    id="service",
    name="EasyTier",
    bandwidth=50.5,
    connections=5,
    nodes=2,
    nodes_domestic=2,
    nodes_listed=2,
    nodes_online=1,
    nodes_overseas=0,
)
TRAFFIC = ReportResult(
    traffic_used=83_429_739_725,
    traffic_allowed=1000 * GIB,
    traffic_reset=datetime(2026, 11, 30, tzinfo=UTC),
)

USER = NewAccount(username="", mail="user@example.com", password="user-pass-1")
ADMIN = NewAccount(username="", mail="admin@example.com", password="admin-pass-1")
DRAFT = RelayNodeUpdate(
    name="another",
    region=Region.DOMESTIC,
    connections=(RelayNodeConnection(type="TCP", host="192.0.2.4", port=11010),),
)
REPORT = RelayNodeReport(online=True, bandwidth=50.5, traffic=77.7, connections=5, token="any")


class Api(NamedTuple):
    """The client, and the provider with or without an account."""

    client: EasyTierClient
    provider: EasyTierProvider


def feed(key: str) -> Callable[[Api], Awaitable[object]]:
    return lambda api: api.provider.feeds[key].fetch()


async def user_of(api: Api) -> object:
    """Sign in, and return the account of the login."""
    row = await api.client.login(USER.mail, USER.password)
    return row["token"], row["user"]


type Case = tuple[tuple[int, ...], Callable[[Api], Awaitable[object]], object]
"""The lines to answer with, the call, and its result."""

CASES: tuple[Case, ...] = (
    ((1,), lambda a: a.provider.is_initialized(), False),
    (
        (2,),
        lambda a: a.provider.initialize("wrong", ADMIN),
        Refused(InvalidInputError, "jwt_secret_refused"),
    ),
    ((3,), lambda a: a.provider.initialize("jwt-secret", ADMIN), None),
    (
        (4,),
        lambda a: a.provider.initialize("jwt-secret", ADMIN),
        Refused(RejectedError, "系统已经初始化"),
    ),
    ((5,), lambda a: a.provider.is_initialized(), True),
    (
        (6,),
        lambda a: a.provider.begin_registration(USER),
        Refused(RejectedError, "密码长度至少为 6 位"),
    ),
    ((7, 11, 14), lambda a: a.provider.begin_registration(USER), False),
    ((8, 11, 14), lambda a: a.provider.begin_registration(USER), False),
    ((9,), user_of, Refused(AuthenticationError, "请先验证您的邮箱")),
    (
        (10,),
        lambda a: a.provider.finish_registration(USER, "nonsense"),
        Refused(RejectedError, "无效的验证令牌"),
    ),
    ((12,), user_of, Refused(AuthenticationError, "邮箱或密码错误")),
    ((13,), user_of, Refused(AuthenticationError, "邮箱或密码错误")),
    (
        (14,),
        user_of,
        ("<jwt>", {"email": "user@example.com", "is_admin": False, "is_super_admin": False}),
    ),
    (
        (15,),
        user_of,
        ("<jwt>", {"email": "admin@example.com", "is_admin": True, "is_super_admin": True}),
    ),
    ((16,), lambda a: a.client.my(), Refused(AuthenticationError, "无效的令牌")),
    ((17,), lambda a: a.client.my(), Refused(AuthenticationError, "访问未授权")),
    ((18,), feed("account"), {"account": Account(id="account", administrator=False)}),
    ((19,), feed("account"), {"account": Account(id="account", administrator=True)}),
    ((20, 18), feed("nodes"), {}),
    ((21, 20, 18), lambda a: a.provider.create_node(DRAFT), Refused(UnsupportedError, "")),
    ((22, 20, 18), lambda a: a.provider.create_node(DRAFT), "1"),
    ((23, 20, 18), lambda a: a.provider.create_node(DRAFT), Refused(RejectedError, "缺少必填字段")),
    ((24, 20, 18), lambda a: a.provider.create_node(DRAFT), Refused(RejectedError, "缺少必填字段")),
    ((25, 20, 18), lambda a: a.provider.create_node(DRAFT), "2"),
    ((26,), feed("nodes"), {"1": NEVER_REPORTED, "2": SECOND}),
    (
        (27, 33, 34),
        lambda a: a.provider.report_node("1", REPORT),
        Refused(InvalidInputError, "report_refused"),
    ),
    ((27,), lambda a: a.client.report({}), Refused(InvalidInputError, "report_refused")),
    (
        (28, 34),
        lambda a: a.provider.report_node("1", REPORT),
        Refused(RejectedError, "缺少必填字段"),
    ),
    ((29, 34), lambda a: a.provider.report_node("1", REPORT), Refused(NodeGoneError, "node_gone")),
    ((30, 34), lambda a: a.provider.report_node("1", REPORT), TRAFFIC),
    ((31, 34), lambda a: a.provider.report_node("1", REPORT), TRAFFIC),
    ((32, 34), lambda a: a.provider.report_node("1", REPORT), TRAFFIC),
    ((33,), feed("nodes"), {"1": REPORTED, "2": SECOND}),
    ((35,), lambda a: a.provider.report_node("999", REPORT), Refused(NodeGoneError, "node_gone")),
    ((36,), lambda a: a.provider.set_allow_relay("1", allowed=False), None),
    (
        (37,),
        lambda a: a.provider.set_allow_relay("999", allowed=False),
        Refused(NodeGoneError, "node_gone"),
    ),
    ((38,), lambda a: a.client.update("1", {}), Refused(RejectedError, "没有要更新的字段")),
    ((39,), lambda a: a.client.update("1", {"reset_cycle": 40}), None),
    ((40,), lambda a: a.provider.regenerate_report_token("1"), "<new report token>"),
    ((41,), lambda a: a.client.all(), Refused(InvalidInputError, "not_administrator")),
    (
        (42,),
        feed("nodes"),
        {"1": replace(REPORTED, allow_relay=False, bandwidth_tier=90.0), "2": SECOND},
    ),
    ((43, 34), lambda a: a.provider.report_node("1", REPORT), TRAFFIC),
    ((44,), feed("public_nodes"), {"1": PUBLIC}),
    ((45,), feed("public_nodes"), {"1": PUBLIC, "2": PUBLIC_SECOND}),
    ((46, 45), feed("service"), {"service": TOTALS}),
    (
        (47,),
        lambda a: a.provider.query_nodes(region=Region.DOMESTIC, priority=QueryPriority.TRAFFIC),
        (PROPOSED,),
    ),
    ((48,), lambda a: a.provider.query_nodes(region=Region.OVERSEAS, relay_only=True), ()),
    ((49,), lambda a: a.provider.query_nodes(), (PROPOSED,)),
    ((50,), lambda a: a.client.health(), Refused(UnsupportedError, "")),
    (
        (51,),
        lambda a: a.client.check({"server": "tcp://192.0.2.4:11010"}),
        Refused(UnsupportedError, ""),
    ),
    ((52,), lambda a: a.client.batch_check([]), Refused(UnsupportedError, "")),
    ((53,), lambda a: a.client.reset_token(), "<jwt>"),
    ((54,), lambda a: a.provider.is_initialized(), Refused(InvalidInputError, "other_service")),
    ((55,), lambda a: a.provider.is_initialized(), Refused(InvalidInputError, "other_service")),
    ((56,), feed("nodes"), Refused(UnavailableError, "server_error: HTTP 500 获取节点失败")),
    ((57,), feed("public_nodes"), Refused(UnavailableError, "server_error: HTTP 500 获取节点失败")),
    ((58, 57), feed("service"), {"service": replace(TOTALS, nodes_listed=None)}),
    ((59,), lambda a: a.client.delete("1"), None),
    ((60,), lambda a: a.client.delete("999"), Refused(NodeGoneError, "node_gone")),
    ((61,), lambda a: a.client.me(), Refused(AuthenticationError, "用户不存在")),
)
OTHER_PATHS = {
    # The client requests offline nodes too, and none of the paths that do not exist.
    44: SHOW_OFFLINE,
    54: "/api/system/check-init",
    55: "/api/system/check-init",
}


def test_every_recording_is_read() -> None:
    assert {lines[0] for lines, _, _ in CASES} | {11, 34} == by_line(RECORDED).keys()


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
    ask: Callable[[Api], Awaitable[object]],
    expected: object,
) -> None:
    freezer.move_to(RECORDED_AT)
    recordings = by_line(RECORDED)
    for line in lines:
        recorded.add(recordings[line], path=OTHER_PATHS.get(line))
    account = {"email": USER.mail, "password": USER.password, "token": "stored"}
    options = {PUBLIC_NODES: ["1", "2"], ALL_NODES: 42 in lines}
    api = Api(
        EasyTierClient(Transport(session, (recorded.url,)), FixedToken("stored")),
        EasyTierProvider(session, {"base_url": recorded.url, **account}, options),
    )

    await check(ask(api), expected)
    count_replayed(request.node, RECORDED, "parser", lines)


# All types of all fields


def _usage(used: str, limit: str) -> Meaning:
    """Return the used part of a limit in percent."""

    def _right(row: Row) -> float | None:
        part = field_types.amount(used)(row)
        whole = field_types.amount(limit, zero=False)(row)
        return 100 * part / whole if isinstance(part, float) and isinstance(whole, float) else None

    return _right


def _availability(row: Row) -> float | None:
    """Return the share of online reports; unknown if the node is offline since an unknown time."""
    digits = str(row.get("recent_status")).strip()
    is_offline = row.get("status") != "online" and not isinstance(row.get("last_report_at"), str)
    if is_offline or not re.fullmatch("[0-9]+", digits):
        return None
    known = digits.replace("0", "")
    return 100 * sum(digit != "1" for digit in known) / len(known) if known else None


def _tags(row: Row) -> tuple[str, ...] | None:
    value = row.get("tags")
    words = value.replace("、", ",").split(",") if isinstance(value, str) else []
    return tuple(word.strip() for word in words if word.strip()) or None


USAGES = (
    _usage("current_bandwidth", "tier_bandwidth"),
    _usage("connection_count", "max_connections"),
    _usage("used_traffic", "max_traffic"),
)


def _load(row: Row) -> object:
    """Return the highest usage; unknown for an offline node."""
    known = [share for usage in USAGES if isinstance(share := usage(row), float)]
    return max(known, default=None) if row.get("status") != "offline" else None


NODE: Mapping[str, Meaning] = {
    "id": field_types.text("id"),
    "name": field_types.text("node_name"),
    "allow_relay": field_types.flag("allow_relay"),
    "availability_24_hours": _availability,
    "availability_30_days": _availability,
    "bandwidth": field_types.amount("current_bandwidth"),
    "bandwidth_maximum": field_types.amount("max_bandwidth"),
    "bandwidth_tier": field_types.amount("tier_bandwidth", zero=False),
    "connections": field_types.count("connection_count"),
    "connections_allowed": field_types.count("max_connections"),
    "load": _load,
    "online": lambda row: {"online": True, "offline": False}.get(str(row.get("status"))),
    "place": field_types.text("region_detail"),
    "region": field_types.one_of("region_type", ["domestic", "overseas"]),
    "tags": _tags,
    "traffic_allowed": field_types.amount("max_traffic", GIB, zero=False),
    "traffic_reset": field_types.moment("reset_date"),
    "traffic_usage": _usage("used_traffic", "max_traffic"),
    "traffic_used": field_types.amount("used_traffic", GIB),
}
OWN_NODE: Mapping[str, Meaning] = {
    **NODE,
    "last_report": field_types.moment("last_report_at"),
    "valid_until": field_types.day("valid_until"),
}
SERVICE: Mapping[str, Meaning] = {
    "id": lambda _: "service",
    "name": lambda _: "EasyTier",
    "bandwidth": field_types.amount("current_bandwidth_total"),
    "connections": field_types.count("connection_count_total"),
    "nodes": field_types.count("total_nodes"),
    "nodes_domestic": field_types.count("domestic_nodes"),
    "nodes_online": field_types.count("online_nodes"),
    "nodes_overseas": field_types.count("overseas_nodes"),
}
ACCOUNT: Mapping[str, Meaning] = {
    "id": lambda _: "account",
    "administrator": field_types.flag("is_admin"),
}
RESULT: Mapping[str, Meaning] = {
    "traffic_used": field_types.amount("used_traffic", GIB),
    "traffic_allowed": field_types.amount("max_traffic", GIB, zero=False),
    "traffic_reset": field_types.moment("reset_date"),
}

type Table = tuple[Callable[[Row], Any], Mapping[str, Meaning]]
TABLES: Mapping[str, Table] = {
    "GET /api/nodes/my": (models.NODE.one, OWN_NODE),
    "GET /api/nodes/all": (models.NODE.one, OWN_NODE),
    "GET /api/nodes/1": (models.NODE.one, OWN_NODE),
    "GET /api/public": (models.PUBLIC_NODE.one, NODE),
    "GET /api/public?show_offline=true": (models.PUBLIC_NODE.one, NODE),
    "POST /api/query": (models.PUBLIC_NODE.one, NODE),
    "GET /api/stats": (models.SERVICE.one, SERVICE),
    "GET /api/auth/me": (models.ACCOUNT.one, ACCOUNT),
    "POST /api/report": (models.report_result, RESULT),
}


def recorded_rows() -> list[tuple[int, Row, Table]]:
    """Return all rows of all answers, with the function that reads them."""
    found = []
    for line, recording in by_line(RECORDED).items():
        table = TABLES.get(f"{recording.method} {recording.path}")
        if table is not None and recording.reply.status == 200:
            answer: Any = recording.reply.answer
            listed = answer.get("nodes", [answer.get("node", answer)])
            found += [(line, row, table) for row in listed]
    return found


@pytest.mark.parametrize("line, row, table", recorded_rows())
def test_field_types(line: int, row: Row, table: Table) -> None:
    read, meanings = table

    assert check_field_types(read, row, meanings) > 20 * len(row), f"line {line}"
