"""Tests all endpoints of the node manager in both dialects: requests, answers and refusals."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.easytier.client import EasyTierClient
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    NodeGoneError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.http import USER_AGENT, Transport
from custom_components.tunnel_hub.api.tokens import FixedToken
from simulator.easytier import EasyTierService

from ...conftest import Dialect
from ...sampling import each_with_each
from ..refusals import refused
from .conftest import client_of

CONNECTION = {"type": "TCP", "ip": "192.0.2.7", "port": 11010}
FIELDS: Mapping[str, object] = {
    "node_name": "家里",
    "region_type": "domestic",
    "region_detail": "北京",
    "connections": [CONNECTION],
    "tier_bandwidth": 50,
    "max_bandwidth": 1000,
    "max_traffic": 2000,
    "reset_cycle": 31,
    "max_connections": 64,
    "tags": "高速,稳定",
    "valid_until": "2999-12-31",
    "allow_relay": 1,
}
OTHERS = "9"
"""A node of another account."""
UNKNOWN_ID = "99"
TARGET = {
    "server": "tcp://198.18.0.2:11010",
    "network_name": "demo-network",
    "network_secret": "?",
}


def requested_paths(easytier: EasyTierService) -> list[str]:
    """Return the requested paths in order."""
    return [f"{call.method} {call.path}" for call in easytier.calls]


def target(easytier: EasyTierService, number: str = "1") -> dict[str, str]:
    """Return the query for a check of a node's first connection."""
    node = easytier.state.nodes[number]
    way = node.connections[0]
    return {
        "server": f"{way.type.lower()}://{way.ip}:{way.port}",
        "network_name": node.network_name or "",
        "network_secret": node.network_token or "",
    }


# /api/auth


async def test_register(
    anonymous: EasyTierClient, easytier: EasyTierService, dialect: Dialect
) -> None:
    row = await anonymous.register("new@example.com", "new-password")

    (mail,) = easytier.state.mailbox
    assert mail.to == "new@example.com"
    assert row.get("verification_token") == (mail.token if dialect == "documented" else None)
    with refused(AuthenticationError, "请先验证您的邮箱"):
        await anonymous.login("new@example.com", "new-password")

    await anonymous.verify(mail.token)

    assert "token" in await anonymous.login("new@example.com", "new-password")


async def test_register_is_refused(anonymous: EasyTierClient) -> None:
    with refused(RejectedError, "该邮箱已被注册并激活"):
        await anonymous.register("demo@example.com", "demo-password")
    with refused(RejectedError, "密码长度至少为 6 位"):
        await anonymous.register("new@example.com", "short")


async def test_resend_verification(anonymous: EasyTierClient, easytier: EasyTierService) -> None:
    await anonymous.resend_verification("unverified@example.com")

    (mail,) = easytier.state.mailbox
    assert mail.to == "unverified@example.com"
    with refused(RejectedError, "该邮箱已经验证过了"):
        await anonymous.resend_verification("demo@example.com")
    easytier.state.settings.mail = False
    with pytest.raises(UnavailableError, match="邮件服务未配置"):
        await anonymous.resend_verification("unverified@example.com")


async def test_login(
    anonymous: EasyTierClient, easytier: EasyTierService, dialect: Dialect
) -> None:
    row = await anonymous.login("demo@example.com", "demo-password")

    super_admin = {"is_super_admin": False} if dialect == "real" else {}
    assert row["user"] == {"email": "demo@example.com", "is_admin": False, **super_admin}
    (call,) = easytier.calls
    assert call.headers["User-Agent"] == USER_AGENT
    assert not call.query, "the password is not in logs"


async def test_login_is_refused(anonymous: EasyTierClient) -> None:
    with refused(AuthenticationError, "邮箱或密码错误"):
        await anonymous.login("demo@example.com", "wrong-password")


async def test_login_with_an_unverified_email_address(anonymous: EasyTierClient) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await anonymous.login("unverified@example.com", "unverified-password")

    assert (caught.value.key, caught.value.message) == ("mail_not_verified", "请先验证您的邮箱")


async def test_verify(anonymous: EasyTierClient, easytier: EasyTierService) -> None:
    account = easytier.state.accounts["4"]

    await anonymous.verify(account.verification_token or "")

    assert account.is_verified


async def test_a_refused_verification_is_not_retried(
    anonymous: EasyTierClient, easytier: EasyTierService
) -> None:
    with refused(RejectedError, "无效的验证令牌"):
        await anonymous.verify("used")
    easytier.fault("/api/auth/verify", "error")
    with refused(UnavailableError):
        await anonymous.verify("again")

    assert len(easytier.calls) == 2


async def test_me(client: EasyTierClient, easytier: EasyTierService) -> None:
    assert await client.me() == {
        "email": "demo@example.com",
        "is_admin": 0,
        "is_super_admin": 0,
        "is_verified": 1,
    }

    token = easytier.calls[-1].headers["Authorization"]
    assert token.startswith("Bearer ")
    await client.me()
    assert easytier.calls[-1].headers["Authorization"] == token
    assert len(easytier.calls_to("/api/auth/login")) == 1


async def test_reset_token(client: EasyTierClient, dialect: Dialect) -> None:
    first, second = await client.reset_token(), await client.reset_token()

    assert first
    assert (first == second) is (dialect == "real")


# /api/nodes


async def test_my(client: EasyTierClient, dialect: Dialect) -> None:
    rows = await client.my()

    assert sorted(str(row["id"]) for row in rows) == list("12345678")
    assert ("report_token" in rows[0]) is (dialect == "real")


async def test_create(client: EasyTierClient, easytier: EasyTierService, dialect: Dialect) -> None:
    assert await client.create(FIELDS) == "12"

    node = easytier.state.nodes["12"]
    assert (node.node_name, node.user_email, node.max_connections) == (
        "家里",
        "demo@example.com",
        64,
    )
    assert [(way.type, way.ip, way.port) for way in node.connections] == [
        ("TCP", "192.0.2.7", 11010)
    ]
    tried = [path for path in requested_paths(easytier) if path.startswith("POST /api/nodes")]
    assert tried == ["POST /api/nodes", "POST /api/nodes/"][: 1 + (dialect == "documented")]


async def test_create_is_refused(client: EasyTierClient) -> None:
    with refused(RejectedError, "缺少必填字段"):
        await client.create({**FIELDS, "connections": []})


async def test_create_is_not_retried(client: EasyTierClient, easytier: EasyTierService) -> None:
    """The node may have been created."""
    easytier.fault("*", "error", match={"node_name": "家里"})

    with refused(UnavailableError):
        await client.create(FIELDS)

    assert (
        len([path for path in requested_paths(easytier) if path.startswith("POST /api/nodes")]) == 1
    )


async def test_update(client: EasyTierClient, easytier: EasyTierService) -> None:
    await client.update("1", {"tier_bandwidth": 200})

    assert easytier.state.nodes["1"].tier_bandwidth == 200
    assert easytier.calls[-1].body == {"tier_bandwidth": 200}


async def test_update_is_refused(client: EasyTierClient, dialect: Dialect) -> None:
    with refused(RejectedError, "没有要更新的字段"):
        await client.update("1", {})
    error = RejectedError if dialect == "documented" else UnavailableError
    with pytest.raises(error):
        await client.update("1", {"connections": "everywhere"})


async def test_delete(client: EasyTierClient, easytier: EasyTierService) -> None:
    await client.delete("1")

    assert "1" not in easytier.state.nodes


ONE_NODE: Mapping[str, Callable[[EasyTierClient, str], Awaitable[object]]] = {
    "delete": EasyTierClient.delete,
    "node": EasyTierClient.node,
    "regenerate_token": EasyTierClient.regenerate_token,
    "update": lambda client, node: client.update(node, {"allow_relay": 1}),
}


@pytest.mark.parametrize("name", ONE_NODE)
async def test_an_empty_answer(
    client: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    """It does not count as success."""
    easytier.fault("/api/nodes/{id}", "body", body={}, times=None)
    easytier.fault("/api/nodes/{id}/regenerate-token", "body", body={}, times=None)

    with pytest.raises(UnavailableError) as info:
        await ONE_NODE[name](client, "1")

    assert info.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("name", ONE_NODE)
async def test_only_the_owner_is_allowed(client: EasyTierClient, name: str) -> None:
    with refused(InvalidInputError, "not_node_owner"):
        await ONE_NODE[name](client, OTHERS)


@pytest.mark.parametrize("name", ONE_NODE)
async def test_a_deleted_node(client: EasyTierClient, name: str) -> None:
    with refused(NodeGoneError, "node_gone"):
        await ONE_NODE[name](client, UNKNOWN_ID)


@pytest.mark.parametrize("name", ONE_NODE)
async def test_an_id_cannot_change_the_path(
    client: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    with pytest.raises(TunnelHubError):
        await ONE_NODE[name](client, "9/../1?x=")

    assert not easytier.calls_to("/api/nodes/{id}", id="1")
    assert len(easytier.state.nodes) == 11


async def test_node(
    client: EasyTierClient, session: ClientSession, easytier: EasyTierService
) -> None:
    row = await client.node("3")

    assert (row["id"], row["node_name"]) == (3, "广州移动")
    assert (await client_of(session, easytier, "admin").node("3"))["id"] == 3


async def test_regenerate_token(client: EasyTierClient, easytier: EasyTierService) -> None:
    before = easytier.state.nodes["1"].report_token

    after = await client.regenerate_token("1")

    assert after == easytier.state.nodes["1"].report_token != before


async def test_all(
    client: EasyTierClient, session: ClientSession, easytier: EasyTierService
) -> None:
    rows = await client_of(session, easytier, "admin").all()

    assert len(rows) == 11
    with refused(InvalidInputError, "not_administrator"):
        await client.all()


# Public endpoints


async def test_report(
    anonymous: EasyTierClient, easytier: EasyTierService, dialect: Dialect
) -> None:
    node = easytier.state.nodes["4"]
    before = node.used_traffic
    fields = {
        "node_name": node.node_name,
        "email": node.user_email,
        "token": node.report_token,
        "current_bandwidth": 12.5,
        "reported_traffic": 0.5,
        "connection_count": 5,
        "status": "online",
    }

    row = await anonymous.report(fields)

    expected = 0.5 if dialect == "real" else before + 0.5
    assert (row["used_traffic"], row["max_traffic"]) == (expected, node.max_traffic)
    assert (node.status, node.current_bandwidth, node.connection_count) == ("online", 12.5, 5)
    with refused(InvalidInputError, "report_refused"):
        await anonymous.report({**fields, "token": "wrong"})
    with refused(NodeGoneError, "node_gone"):
        await anonymous.report({**fields, "node_name": "unknown"})
    with refused(RejectedError, "缺少必填字段"):
        await anonymous.report({"node_name": "x"})


async def test_report_of_an_expired_node(
    anonymous: EasyTierClient, easytier: EasyTierService
) -> None:
    node = easytier.state.nodes["8"]
    fields = dict.fromkeys(("current_bandwidth", "reported_traffic", "connection_count"), 1)

    with refused(InvalidInputError, "report_refused"):
        await anonymous.report(
            {
                **fields,
                "node_name": node.node_name,
                "email": node.user_email,
                "token": node.report_token,
                "status": "online",
            }
        )


async def test_query(anonymous: EasyTierClient, easytier: EasyTierService) -> None:
    wishes = {"region": "overseas", "priority": "bandwidth", "relay_only": True}

    rows = await anonymous.query(wishes)

    assert rows
    assert all((row["region_type"], row["allow_relay"]) == ("overseas", 1) for row in rows)
    assert easytier.calls[-1].body == wishes


async def test_public(anonymous: EasyTierClient, dialect: Dialect) -> None:
    rows = await anonymous.public()

    assert {row["id"] for row in rows} == {1, 2, 3, 4, 5, 6, 7, 9, 10, 11}
    assert all("allow_relay" in row for row in rows)
    assert ("recent_status" in rows[0]) is (dialect == "real")


async def test_stats(anonymous: EasyTierClient, dialect: Dialect) -> None:
    row = await anonymous.stats()

    assert row["total_nodes"] == 11
    assert ("total_bandwidth" in row) is (dialect == "documented")


# /api/edgeone


@pytest.fixture
def checking(easytier: EasyTierService) -> EasyTierService:
    """The node manager with checks, in both dialects."""
    easytier.state.settings.edgeone = True
    return easytier


async def test_check(anonymous: EasyTierClient, checking: EasyTierService) -> None:
    row = await anonymous.check(target(checking))

    node = checking.state.nodes["1"]
    assert (row["is_online"], row["latency_ms"]) == (True, node.connections[0].latency_ms)
    with refused(RejectedError, "缺少必填参数"):
        await anonymous.check({})


async def test_batch_check(anonymous: EasyTierClient, checking: EasyTierService) -> None:
    rows = await anonymous.batch_check([target(checking, "4"), target(checking, "1")])

    assert [row["is_online"] for row in rows] == [False, True]
    with refused(RejectedError, "节点列表为空"):
        await anonymous.batch_check([])
    with refused(RejectedError, "节点列表超过20个"):
        await anonymous.batch_check([TARGET] * 21)


@pytest.mark.parametrize("results", [None, [], [{}, {}], "x"])
async def test_a_batch_with_missing_results(
    anonymous: EasyTierClient, checking: EasyTierService, results: object
) -> None:
    checking.fault("/api/edgeone/batch-check", "body", body={"results": results})

    with refused(UnavailableError):
        await anonymous.batch_check([target(checking)])


async def test_a_result_that_is_not_an_object(
    anonymous: EasyTierClient, checking: EasyTierService
) -> None:
    checking.fault("/api/edgeone/batch-check", "body", body={"results": ["?"]})

    assert await anonymous.batch_check([target(checking)]) == [{}]


async def test_health(anonymous: EasyTierClient, checking: EasyTierService) -> None:
    assert (await anonymous.health())["mode"] == "remote"


CHECKS: Mapping[str, Callable[[EasyTierClient], Awaitable[object]]] = {
    "batch_check": lambda client: client.batch_check([TARGET]),
    "check": lambda client: client.check(TARGET),
    "health": EasyTierClient.health,
}


@pytest.mark.parametrize("name", CHECKS)
async def test_checks_are_not_deployed(
    anonymous: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    easytier.state.settings.edgeone = False

    with refused(UnsupportedError):
        await CHECKS[name](anonymous)


@pytest.mark.parametrize("name", CHECKS)
async def test_checks_require_a_key(
    session: ClientSession, anonymous: EasyTierClient, checking: EasyTierService, name: str
) -> None:
    checking.state.settings.api_key = "the-key"
    with refused(InvalidInputError, "api_key_refused"):
        await CHECKS[name](anonymous)
    transport = Transport(session, (checking.url,))

    await CHECKS[name](EasyTierClient(transport, FixedToken(), "the-key"))

    assert "the-key" not in checking.calls[-1].query.values()


# /api/system


async def test_check_init(anonymous: EasyTierClient, easytier: EasyTierService) -> None:
    assert await anonymous.check_init() is True

    easytier.state.settings.initialized = False

    assert await anonymous.check_init() is False


@pytest.mark.parametrize(
    "kind, options",
    [
        ("html", {"status": 200}),
        ("html", {"status": 404}),
        ("status", {"status": 404, "body": "404 page not found"}),
        ("status", {"status": 405}),
        ("status", {"status": 401, "body": '{"error": "who are you?"}'}),
        ("empty", {}),
        ("wrong_type", {"shape": "list"}),
        ("body", {"body": {"status": "ok"}}),
        ("body", {"body": {"initialized": "yes"}}),
    ],
)
async def test_another_kind_of_server(
    anonymous: EasyTierClient, easytier: EasyTierService, kind: Any, options: Mapping[str, Any]
) -> None:
    easytier.fault("/api/system/check-init", kind, **options)

    with refused(InvalidInputError, "other_service"):
        await anonymous.check_init()


@pytest.mark.parametrize(
    "kind, options, reason",
    [
        ("html", {"status": 403}, Reason.FIREWALL),
        ("redirect", {}, Reason.REDIRECT),
        ("error", {}, Reason.SERVER_ERROR),
    ],
)
async def test_a_server_that_may_be_a_node_manager(
    *,
    anonymous: EasyTierClient,
    easytier: EasyTierService,
    kind: Any,
    options: Mapping[str, Any],
    reason: Reason,
) -> None:
    easytier.fault("/api/system/check-init", kind, times=None, **options)

    with pytest.raises(UnavailableError) as caught:
        await anonymous.check_init()

    assert caught.value.reason is reason


async def test_initialize(
    anonymous: EasyTierClient, easytier: EasyTierService, dialect: Dialect
) -> None:
    admin = "first@example.com", "first-password"
    with refused(RejectedError, "系统已经初始化"):
        await anonymous.initialize("secret", *admin)
    easytier.state.settings.initialized = False
    with refused(UnavailableError):
        await anonymous.login(*admin)
    with refused(InvalidInputError, "jwt_secret_refused"):
        await anonymous.initialize("wrong", *admin)

    await anonymous.initialize(easytier.state.jwt_secret, *admin)

    super_admin = {"is_super_admin": True} if dialect == "real" else {}
    user = (await anonymous.login(*admin))["user"]
    assert user == {"email": admin[0], "is_admin": True, **super_admin}


# All endpoints

ENDPOINTS: Mapping[str, Callable[[EasyTierClient], Awaitable[object]]] = {
    "all": EasyTierClient.all,
    "batch_check": lambda client: client.batch_check([TARGET]),
    "check": lambda client: client.check(TARGET),
    "create": lambda client: client.create(FIELDS),
    "delete": lambda client: client.delete("1"),
    "health": EasyTierClient.health,
    "initialize": lambda client: client.initialize("secret", "new@example.com", "new-password"),
    "login": lambda client: client.login("demo@example.com", "demo-password"),
    "me": EasyTierClient.me,
    "my": EasyTierClient.my,
    "node": lambda client: client.node("1"),
    "public": EasyTierClient.public,
    "query": lambda client: client.query({}),
    "regenerate_token": lambda client: client.regenerate_token("1"),
    "register": lambda client: client.register("new@example.com", "new-password"),
    "report": lambda client: client.report({}),
    "resend_verification": lambda client: client.resend_verification("unverified@example.com"),
    "reset_token": EasyTierClient.reset_token,
    "stats": EasyTierClient.stats,
    "update": lambda client: client.update("1", {"allow_relay": 1}),
    "verify": lambda client: client.verify("token"),
}
each_endpoint = pytest.mark.parametrize("name", ENDPOINTS)
SIGNED = (
    "all",
    "create",
    "delete",
    "me",
    "my",
    "node",
    "regenerate_token",
    "reset_token",
    "update",
)


@pytest.fixture
async def signed_in(client: EasyTierClient, easytier: EasyTierService) -> EasyTierClient:
    """The demo account's client with a session token; recorded calls are cleared."""
    await client.me()
    easytier.state.settings.edgeone = True
    return client


TROUBLES: tuple[tuple[str, Mapping[str, Any], type[TunnelHubError]], ...] = (
    ("status", {"status": 404, "body": "404 Not Found"}, UnsupportedError),
    ("status", {"status": 405}, UnsupportedError),
    ("html", {"status": 404}, UnsupportedError),
    ("html", {"status": 200}, UnavailableError),
    ("html", {"status": 403}, UnavailableError),
    ("error", {}, UnavailableError),
    ("empty", {}, UnavailableError),
    ("wrong_type", {"shape": "list"}, UnavailableError),
    ("redirect", {}, UnavailableError),
    ("reset", {}, UnavailableError),
    ("status", {"status": 429}, UnavailableError),
    ("body", {"status": 418, "body": {"error": "我是茶壶"}}, RejectedError),
)


@pytest.mark.parametrize("name, kind, options, error", each_with_each(ENDPOINTS, TROUBLES))
async def test_failures_of_every_endpoint(
    *,
    signed_in: EasyTierClient,
    easytier: EasyTierService,
    name: str,
    kind: Any,
    options: Mapping[str, Any],
    error: type[TunnelHubError],
) -> None:
    easytier.fault("*", kind, times=None, **options)

    with refused(error, "我是茶壶" if error is RejectedError else ""):
        await ENDPOINTS[name](signed_in)


WRITES = (
    "create",
    "delete",
    "initialize",
    "login",
    "regenerate_token",
    "register",
    "report",
    "resend_verification",
    "reset_token",
    "update",
    "verify",
)


@each_endpoint
async def test_only_reads_are_retried(
    signed_in: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    """A write may have been done."""
    before = len(easytier.calls)
    easytier.fault("*", "error", times=None)

    with refused(UnavailableError):
        await ENDPOINTS[name](signed_in)

    assert len(easytier.calls) - before == (1 if name in WRITES else 2)


@pytest.mark.parametrize("name", SIGNED)
async def test_a_refused_token_is_renewed_once(
    signed_in: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    easytier.account.is_admin = True
    easytier.refuse_tokens()

    await ENDPOINTS[name](signed_in)

    assert len(easytier.calls_to("/api/auth/login")) == 2


@pytest.mark.parametrize("name", SIGNED)
async def test_a_token_that_is_refused_again(
    signed_in: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    easytier.account.password = "another-password"
    easytier.refuse_tokens()

    with refused(AuthenticationError, "邮箱或密码错误"):
        await ENDPOINTS[name](signed_in)

    assert len(easytier.calls_to("/api/auth/login")) == 2


@pytest.mark.parametrize("name", SIGNED)
async def test_without_an_account(anonymous: EasyTierClient, name: str) -> None:
    with refused(AuthenticationError):
        await ENDPOINTS[name](anonymous)


@pytest.mark.parametrize("name", ["all", "my", "public", "query"])
async def test_invalid_lists(
    signed_in: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    easytier.fault("*", "body", body={"nodes": None})

    with refused(UnavailableError):
        await ENDPOINTS[name](signed_in)


async def test_an_invalid_node(signed_in: EasyTierClient, easytier: EasyTierService) -> None:
    easytier.fault("*", "body", body={"node": None})

    with refused(UnavailableError):
        await signed_in.node("1")


async def test_secrets_in_messages_are_redacted(
    session: ClientSession, easytier: EasyTierService
) -> None:
    transport = Transport(session, (easytier.url,))
    transport.secrets.add("hunter2")
    easytier.fault("*", "body", status=400, body={"error": "hunter2 of demo@example.com?"})

    with refused(RejectedError, "** of **?"):
        await EasyTierClient(transport, FixedToken()).register("demo@example.com", "hunter2")


async def test_a_refusal_without_message(
    anonymous: EasyTierClient, easytier: EasyTierService
) -> None:
    easytier.fault("*", "body", status=400, body={})

    with refused(RejectedError, "HTTP 400"):
        await anonymous.stats()


@pytest.mark.parametrize("node_id", ["", ".", ".."])
async def test_an_id_that_is_not_one_segment_of_a_path(
    signed_in: EasyTierClient, easytier: EasyTierService, node_id: str
) -> None:
    """It would lead to another route."""
    easytier.calls.clear()

    with pytest.raises(NodeGoneError):
        await signed_in.delete(node_id)

    assert not easytier.calls
