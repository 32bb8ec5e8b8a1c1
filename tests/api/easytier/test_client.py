"""All endpoints in both dialects: what they take, what they answer, and how they refuse."""

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
"""A node that is not the demo account's."""
UNKNOWN_ID = "99"
TARGET = {
    "server": "tcp://198.18.0.2:11010",
    "network_name": "demo-network",
    "network_secret": "?",
}


def paths(easytier: EasyTierService) -> list[str]:
    """Return what was asked, in order."""
    return [f"{call.method} {call.path}" for call in easytier.calls]


def target(easytier: EasyTierService, number: str = "1") -> dict[str, str]:
    """Return what a check wants of a node's first connection."""
    node = easytier.state.nodes[number]
    way = node.connections[0]
    return {
        "server": f"{way.type.lower()}://{way.ip}:{way.port}",
        "network_name": node.network_name or "",
        "network_secret": node.network_token or "",
    }


# /api/auth


async def test_register(
    stranger: EasyTierClient, easytier: EasyTierService, dialect: Dialect
) -> None:
    row = await stranger.register("new@example.com", "new-password")

    (mail,) = easytier.state.mailbox
    assert mail.to == "new@example.com"
    assert row.get("verification_token") == (mail.token if dialect == "documented" else None)
    with refused(AuthenticationError, "请先验证您的邮箱"):
        await stranger.login("new@example.com", "new-password")

    await stranger.verify(mail.token)

    assert "token" in await stranger.login("new@example.com", "new-password")


async def test_register_is_refused(stranger: EasyTierClient) -> None:
    with refused(RejectedError, "该邮箱已被注册并激活"):
        await stranger.register("demo@example.com", "demo-password")
    with refused(RejectedError, "密码长度至少为 6 位"):
        await stranger.register("new@example.com", "short")


async def test_resend_verification(stranger: EasyTierClient, easytier: EasyTierService) -> None:
    await stranger.resend_verification("unverified@example.com")

    (mail,) = easytier.state.mailbox
    assert mail.to == "unverified@example.com"
    with refused(RejectedError, "该邮箱已经验证过了"):
        await stranger.resend_verification("demo@example.com")
    easytier.state.settings.mail = False
    with pytest.raises(UnavailableError, match="邮件服务未配置"):
        await stranger.resend_verification("unverified@example.com")


async def test_login(stranger: EasyTierClient, easytier: EasyTierService, dialect: Dialect) -> None:
    row = await stranger.login("demo@example.com", "demo-password")

    super_admin = {"is_super_admin": False} if dialect == "real" else {}
    assert row["user"] == {"email": "demo@example.com", "is_admin": False, **super_admin}
    (call,) = easytier.calls
    assert call.headers["User-Agent"] == USER_AGENT
    assert not call.query, "the password stays out of logs"


async def test_login_is_refused(stranger: EasyTierClient) -> None:
    with refused(AuthenticationError, "邮箱或密码错误"):
        await stranger.login("demo@example.com", "wrong-password")


async def test_login_with_an_unverified_mail_address(stranger: EasyTierClient) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await stranger.login("unverified@example.com", "unverified-password")

    assert (caught.value.key, caught.value.message) == ("mail_not_verified", "请先验证您的邮箱")


async def test_verify(stranger: EasyTierClient, easytier: EasyTierService) -> None:
    account = easytier.state.accounts["4"]

    await stranger.verify(account.verification_token or "")

    assert account.is_verified


async def test_verify_is_refused_and_tried_once(
    stranger: EasyTierClient, easytier: EasyTierService
) -> None:
    with refused(RejectedError, "无效的验证令牌"):
        await stranger.verify("used")
    easytier.fault("/api/auth/verify", "error")
    with refused(UnavailableError):
        await stranger.verify("again")

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
    tried = [path for path in paths(easytier) if path.startswith("POST /api/nodes")]
    assert tried == ["POST /api/nodes", "POST /api/nodes/"][: 1 + (dialect == "documented")]


async def test_create_is_refused(client: EasyTierClient) -> None:
    with refused(RejectedError, "缺少必填字段"):
        await client.create({**FIELDS, "connections": []})


async def test_create_is_not_tried_again(client: EasyTierClient, easytier: EasyTierService) -> None:
    """The node may have been made."""
    easytier.fault("*", "error", match={"node_name": "家里"})

    with refused(UnavailableError):
        await client.create(FIELDS)

    assert len([path for path in paths(easytier) if path.startswith("POST /api/nodes")]) == 1


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
    """Least of all that something has been done."""
    easytier.fault("/api/nodes/{id}", "body", body={}, times=None)
    easytier.fault("/api/nodes/{id}/regenerate-token", "body", body={}, times=None)

    with pytest.raises(UnavailableError) as info:
        await ONE_NODE[name](client, "1")

    assert info.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("name", ONE_NODE)
async def test_only_the_owner_may(client: EasyTierClient, name: str) -> None:
    with refused(InvalidInputError, "not_node_owner"):
        await ONE_NODE[name](client, OTHERS)


@pytest.mark.parametrize("name", ONE_NODE)
async def test_a_node_that_is_gone(client: EasyTierClient, name: str) -> None:
    with refused(NodeGoneError, "node_gone"):
        await ONE_NODE[name](client, UNKNOWN_ID)


@pytest.mark.parametrize("name", ONE_NODE)
async def test_an_id_cannot_lead_elsewhere(
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


# Open to all


async def test_report(
    stranger: EasyTierClient, easytier: EasyTierService, dialect: Dialect
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

    row = await stranger.report(fields)

    expected = 0.5 if dialect == "real" else before + 0.5
    assert (row["used_traffic"], row["max_traffic"]) == (expected, node.max_traffic)
    assert (node.status, node.current_bandwidth, node.connection_count) == ("online", 12.5, 5)
    with refused(InvalidInputError, "report_refused"):
        await stranger.report({**fields, "token": "wrong"})
    with refused(NodeGoneError, "node_gone"):
        await stranger.report({**fields, "node_name": "nobody"})
    with refused(RejectedError, "缺少必填字段"):
        await stranger.report({"node_name": "x"})


async def test_report_of_a_node_that_has_ended(
    stranger: EasyTierClient, easytier: EasyTierService
) -> None:
    node = easytier.state.nodes["8"]
    fields = dict.fromkeys(("current_bandwidth", "reported_traffic", "connection_count"), 1)

    with refused(InvalidInputError, "report_refused"):
        await stranger.report(
            {
                **fields,
                "node_name": node.node_name,
                "email": node.user_email,
                "token": node.report_token,
                "status": "online",
            }
        )


async def test_query(stranger: EasyTierClient, easytier: EasyTierService) -> None:
    wishes = {"region": "overseas", "priority": "bandwidth", "relay_only": True}

    rows = await stranger.query(wishes)

    assert rows
    assert all((row["region_type"], row["allow_relay"]) == ("overseas", 1) for row in rows)
    assert easytier.calls[-1].body == wishes


async def test_public(stranger: EasyTierClient, dialect: Dialect) -> None:
    rows = await stranger.public()

    assert {row["id"] for row in rows} == {1, 2, 3, 4, 5, 6, 7, 9, 10, 11}
    assert all("allow_relay" in row for row in rows)
    assert ("recent_status" in rows[0]) is (dialect == "real")


async def test_stats(stranger: EasyTierClient, dialect: Dialect) -> None:
    row = await stranger.stats()

    assert row["total_nodes"] == 11
    assert ("total_bandwidth" in row) is (dialect == "documented")


# /api/edgeone


@pytest.fixture
def checking(easytier: EasyTierService) -> EasyTierService:
    """The node manager with the checks, in both dialects."""
    easytier.state.settings.edgeone = True
    return easytier


async def test_check(stranger: EasyTierClient, checking: EasyTierService) -> None:
    row = await stranger.check(target(checking))

    node = checking.state.nodes["1"]
    assert (row["is_online"], row["latency_ms"]) == (True, node.connections[0].latency_ms)
    with refused(RejectedError, "缺少必填参数"):
        await stranger.check({})


async def test_batch_check(stranger: EasyTierClient, checking: EasyTierService) -> None:
    rows = await stranger.batch_check([target(checking, "4"), target(checking, "1")])

    assert [row["is_online"] for row in rows] == [False, True]
    with refused(RejectedError, "节点列表为空"):
        await stranger.batch_check([])
    with refused(RejectedError, "节点列表超过20个"):
        await stranger.batch_check([TARGET] * 21)


@pytest.mark.parametrize("results", [None, [], [{}, {}], "x"])
async def test_a_batch_without_a_result_for_each(
    stranger: EasyTierClient, checking: EasyTierService, results: object
) -> None:
    checking.fault("/api/edgeone/batch-check", "body", body={"results": results})

    with refused(UnavailableError):
        await stranger.batch_check([target(checking)])


async def test_a_result_that_is_no_object(
    stranger: EasyTierClient, checking: EasyTierService
) -> None:
    checking.fault("/api/edgeone/batch-check", "body", body={"results": ["?"]})

    assert await stranger.batch_check([target(checking)]) == [{}]


async def test_health(stranger: EasyTierClient, checking: EasyTierService) -> None:
    assert (await stranger.health())["mode"] == "remote"


CHECKS: Mapping[str, Callable[[EasyTierClient], Awaitable[object]]] = {
    "batch_check": lambda client: client.batch_check([TARGET]),
    "check": lambda client: client.check(TARGET),
    "health": EasyTierClient.health,
}


@pytest.mark.parametrize("name", CHECKS)
async def test_checks_are_not_offered(
    stranger: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    easytier.state.settings.edgeone = False

    with refused(UnsupportedError):
        await CHECKS[name](stranger)


@pytest.mark.parametrize("name", CHECKS)
async def test_checks_want_a_key(
    session: ClientSession, stranger: EasyTierClient, checking: EasyTierService, name: str
) -> None:
    checking.state.settings.api_key = "the-key"
    with refused(InvalidInputError, "api_key_refused"):
        await CHECKS[name](stranger)
    transport = Transport(session, (checking.url,))

    await CHECKS[name](EasyTierClient(transport, FixedToken(), "the-key"))

    assert "the-key" not in checking.calls[-1].query.values()


# /api/system


async def test_check_init(stranger: EasyTierClient, easytier: EasyTierService) -> None:
    assert await stranger.check_init() is True

    easytier.state.settings.initialized = False

    assert await stranger.check_init() is False


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
async def test_a_server_that_is_something_else(
    stranger: EasyTierClient, easytier: EasyTierService, kind: Any, options: Mapping[str, Any]
) -> None:
    easytier.fault("/api/system/check-init", kind, **options)

    with refused(InvalidInputError, "other_service"):
        await stranger.check_init()


@pytest.mark.parametrize(
    "kind, options, reason",
    [
        ("html", {"status": 403}, Reason.FIREWALL),
        ("redirect", {}, Reason.REDIRECT),
        ("error", {}, Reason.SERVER_ERROR),
    ],
)
async def test_a_server_that_may_yet_be_the_right_one(
    *,
    stranger: EasyTierClient,
    easytier: EasyTierService,
    kind: Any,
    options: Mapping[str, Any],
    reason: Reason,
) -> None:
    easytier.fault("/api/system/check-init", kind, times=None, **options)

    with pytest.raises(UnavailableError) as caught:
        await stranger.check_init()

    assert caught.value.reason is reason


async def test_initialize(
    stranger: EasyTierClient, easytier: EasyTierService, dialect: Dialect
) -> None:
    admin = "first@example.com", "first-password"
    with refused(RejectedError, "系统已经初始化"):
        await stranger.initialize("secret", *admin)
    easytier.state.settings.initialized = False
    with refused(UnavailableError):
        await stranger.login(*admin)
    with refused(InvalidInputError, "jwt_secret_refused"):
        await stranger.initialize("wrong", *admin)

    await stranger.initialize(easytier.state.jwt_secret, *admin)

    super_admin = {"is_super_admin": True} if dialect == "real" else {}
    user = (await stranger.login(*admin))["user"]
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
    """The demo account's client, with a session token; nothing else is known to have happened."""
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
async def test_every_endpoint_in_trouble(
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
async def test_only_reads_are_tried_again(
    signed_in: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    """A write may have been done."""
    before = len(easytier.calls)
    easytier.fault("*", "error", times=None)

    with refused(UnavailableError):
        await ENDPOINTS[name](signed_in)

    assert len(easytier.calls) - before == (1 if name in WRITES else 2)


@pytest.mark.parametrize("name", SIGNED)
async def test_a_refused_token_is_replaced_once(
    signed_in: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    easytier.account.is_admin = True
    easytier.refuse_tokens()

    await ENDPOINTS[name](signed_in)

    assert len(easytier.calls_to("/api/auth/login")) == 2


@pytest.mark.parametrize("name", SIGNED)
async def test_a_token_that_stays_refused(
    signed_in: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    easytier.account.password = "another-password"
    easytier.refuse_tokens()

    with refused(AuthenticationError, "邮箱或密码错误"):
        await ENDPOINTS[name](signed_in)

    assert len(easytier.calls_to("/api/auth/login")) == 2


@pytest.mark.parametrize("name", SIGNED)
async def test_without_an_account(stranger: EasyTierClient, name: str) -> None:
    with refused(AuthenticationError):
        await ENDPOINTS[name](stranger)


@pytest.mark.parametrize("name", ["all", "my", "public", "query"])
async def test_lists_that_are_none(
    signed_in: EasyTierClient, easytier: EasyTierService, name: str
) -> None:
    easytier.fault("*", "body", body={"nodes": None})

    with refused(UnavailableError):
        await ENDPOINTS[name](signed_in)


async def test_a_node_that_is_none(signed_in: EasyTierClient, easytier: EasyTierService) -> None:
    easytier.fault("*", "body", body={"node": None})

    with refused(UnavailableError):
        await signed_in.node("1")


async def test_words_without_secrets(session: ClientSession, easytier: EasyTierService) -> None:
    transport = Transport(session, (easytier.url,))
    transport.secrets.add("hunter2")
    easytier.fault("*", "body", status=400, body={"error": "hunter2 of demo@example.com?"})

    with refused(RejectedError, "** of **?"):
        await EasyTierClient(transport, FixedToken()).register("demo@example.com", "hunter2")


async def test_a_refusal_without_words(stranger: EasyTierClient, easytier: EasyTierService) -> None:
    easytier.fault("*", "body", status=400, body={})

    with refused(RejectedError, "HTTP 400"):
        await stranger.stats()


@pytest.mark.parametrize("node_id", ["", ".", ".."])
async def test_an_id_that_is_no_segment_of_a_path(
    signed_in: EasyTierClient, easytier: EasyTierService, node_id: str
) -> None:
    """It would lead to another route."""
    easytier.calls.clear()

    with pytest.raises(NodeGoneError):
        await signed_in.delete(node_id)

    assert not easytier.calls
