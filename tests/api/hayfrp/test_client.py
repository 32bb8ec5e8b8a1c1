"""Tests all documented endpoints of HayFrp: requests, answers and refusals."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from custom_components.tunnel_hub.api import coerce
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.hayfrp.client import (
    AlreadySignedInError,
    HayFrpClient,
    NotFoundError,
)
from custom_components.tunnel_hub.api.models.tunnels import TunnelState
from simulator.hayfrp import HayFrpService

from ..refusals import refused

FIELDS: Mapping[str, object] = {
    "proxy_name": "printer",
    "proxy_type": "tcp",
    "local_ip": "192.168.1.7",
    "local_port": 631,
    "remote_port": 20631,
    "use_encryption": "true",
    "use_compression": "false",
    "sk": "",
    "node": "2",
    "domain": "",
    "locations": "/print",
    "header_X_From_Where": "frp",
    "host_header_rewrite": "printer.local",
}


# Accounts


@pytest.mark.parametrize("user", ["demo", "demo@example.com", "13800000000"])
async def test_login(client: HayFrpClient, hayfrp: HayFrpService, user: str) -> None:
    assert await client.login(user, "demo-password") == hayfrp.account.csrf


@pytest.mark.parametrize(
    "user, passwd, error, words",
    [
        ("demo", "wrong", AuthenticationError, "登录失败,您的密码有误."),
        ("unknown", "wrong", NotFoundError, "用户还没有注册."),
        ("", "demo-password", RejectedError, "user不能为空."),
        ("demo", "", RejectedError, "passwd不能为空."),
    ],
)
async def test_login_is_refused(
    client: HayFrpClient, user: str, passwd: str, error: type[TunnelHubError], words: str
) -> None:
    with refused(error, words):
        await client.login(user, passwd)


async def test_a_login_ends_the_previous_session(client: HayFrpClient) -> None:
    first = await client.login("demo", "demo-password")
    second = await client.login("demo", "demo-password")

    await client.csrf(second)
    with refused(AuthenticationError, "登录无效或已过期."):
        await client.csrf(first)


async def test_csrf(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    await client.csrf(csrf)

    (call,) = hayfrp.calls
    assert call.body == {"type": "csrf", "csrf": "good-csrf"}


async def test_register(client: HayFrpClient, hayfrp: HayFrpService) -> None:
    await client.register_send_email("newcomer", "a device", "new@example.com")
    (mail,) = hayfrp.state.mailbox
    assert (mail.to, mail.kind, mail.user) == ("new@example.com", "register", "newcomer")

    await client.register("newcomer", "a device", "new@example.com", "new-password", mail.code)

    account = hayfrp.state.accounts["newcomer"]
    assert (account.email, account.password) == ("new@example.com", "new-password")
    assert await client.login("new@example.com", "new-password") == account.csrf


async def test_get_info(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    info = await client.get_info(csrf)

    assert info["uuid"] == hayfrp.account.uuid
    assert info["username"] == "demo"


@pytest.mark.parametrize("status", [True, "true", 1])
async def test_get_info_of_a_good_account(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, status: object
) -> None:
    hayfrp.fault("/user", "patch", patch={"status": status})

    assert (await client.get_info(csrf))["username"] == "demo"


@pytest.mark.parametrize("status", [False, "false", 0])
async def test_get_info_of_a_banned_account(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, status: object
) -> None:
    """A ban is data, not a refusal."""
    hayfrp.account.banned = True
    hayfrp.fault("/user", "patch", patch={"status": status})

    info = await client.get_info(csrf)

    assert (info["status"], info["username"]) == (status, "demo")


async def test_sign(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    before = hayfrp.account.traffic

    answer = await client.sign(csrf)

    gained = coerce.number(answer["signflow"])
    assert gained is not None
    assert gained * 1024 == pytest.approx(hayfrp.account.traffic - before)
    assert hayfrp.signed_today(hayfrp.account)


@pytest.mark.parametrize("status", [403, 404])
async def test_a_second_sign_in_is_distinguished_from_a_refused_one(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, status: int
) -> None:
    """Both have either status: only the messages differ."""
    hayfrp.state.settings.already_signed_status = status
    await client.sign(csrf)

    with refused(AlreadySignedInError, "您今天已经签到过了,请明天再来吧."):
        await client.sign(csrf)
    with refused(AuthenticationError, "CSRF临时授权无效或已过期."):
        await client.sign("of-yesterday")


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(
    "words", [None, "", "请勿重复签到.", "已领取过流量", "今日流量已发放", "签到过了", "拒绝访问"]
)
async def test_a_second_sign_in_with_any_message(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, status: int, words: str | None
) -> None:
    """If the message is unknown, the account shows that the csrf token is still valid."""
    hayfrp.state.settings.already_signed_status = status
    hayfrp.state.settings.already_signed_words = words
    await client.sign(csrf)

    with refused(AlreadySignedInError, words or ""):
        await client.sign(csrf)
    await client.csrf(csrf)


@pytest.mark.parametrize("words", [None, "", "CSRF临时授权无效或已过期.", "请先登录."])
@pytest.mark.parametrize("status", [403, 404])
async def test_a_sign_in_with_an_expired_csrf(
    client: HayFrpClient, hayfrp: HayFrpService, status: int, words: str | None
) -> None:
    """It is refused in the same ways, but the account is refused as well."""
    body = {"status": status, "message": words, "flow": None}
    hayfrp.fault("/user", "body", match={"type": "sign"}, body=body)

    with pytest.raises(AuthenticationError):
        await client.sign("of-yesterday")


async def test_a_sign_in_refused_for_another_reason(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str
) -> None:
    """It is neither done, nor does it end the session."""
    body: dict[str, object] = {"status": 403, "message": "CSRF临时授权无效或已过期."}
    hayfrp.fault("/user", "body", match={"type": "sign"}, body=body)
    with refused(RejectedError, "CSRF临时授权无效或已过期."):
        await client.sign(csrf)

    hayfrp.fault("/user", "body", match={"type": "sign"}, body={"status": 403, "message": None})
    hayfrp.account.banned = True
    with refused(RejectedError, "403"):
        await client.sign(csrf)


async def test_a_sign_in_with_an_unknown_result(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str
) -> None:
    hayfrp.state.settings.already_signed_words = None
    await client.sign(csrf)
    hayfrp.fault("/user", "html", match={"type": "info"}, times=None)

    with pytest.raises(UnavailableError) as caught:
        await client.sign(csrf)

    assert caught.value.reason is Reason.FIREWALL


FOREIGN: list[dict[str, object]] = [
    {"status": 403, "message": "Forbidden"},
    {"status": 401, "message": "invalid token"},
    {"status": 403, "message": None},
    {"status": 404, "message": "Not Found"},
    {"status": 403, "message": "请求存在威胁,已被拦截"},
    {"status": 403, "message": "访问未授权"},
    {"status": False, "message": "Forbidden"},
    {"status": True},
    {"status": 200, "message": "blocked"},
    {"error": "denied"},
    {},
]
"""HTTP errors of servers in front of the service."""

ASKED: dict[str, Callable[[HayFrpClient], Awaitable[object]]] = {
    "csrf": lambda c: c.csrf("good-csrf"),
    "info": lambda c: c.get_info("good-csrf"),
    "login": lambda c: c.login("demo", "demo-password"),
    "sign": lambda c: c.sign("good-csrf"),
    "list": lambda c: c.list_tunnel("good-csrf"),
    "check": lambda c: c.get_tunnel_status("good-csrf", "1"),
    "forcedown": lambda c: c.force_down_tunnel("good-csrf", "1"),
    "config": lambda c: c.tunnel_config("good-csrf", "toml", node="1"),
    "node": lambda c: c.get_node_info(),
    "nodes": lambda c: c.get_node_list(),
    "version": lambda c: c.version(),
    "notice": lambda c: c.get_notice(),
}


@pytest.mark.parametrize("http", [401, 403, 404])
@pytest.mark.parametrize("name", ASKED)
async def test_a_refusal_by_a_server_in_front(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, http: int, name: str
) -> None:
    """Also in JSON: neither refused credentials, nor a ban, nor an empty list."""
    for body in FOREIGN:
        hayfrp.fault("*", "body", body=body, status=http)
        with pytest.raises(UnavailableError):
            await ASKED[name](client)


async def test_a_refusal_by_the_service_with_an_http_status(
    client: HayFrpClient, hayfrp: HayFrpService
) -> None:
    body: dict[str, object] = {"status": 403, "message": "登录无效或已过期."}
    hayfrp.fault("/user", "body", body=body, status=403)

    with refused(AuthenticationError, "登录无效或已过期."):
        await client.csrf("of-yesterday")


async def test_re_token(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    before = hayfrp.account.link_token

    token = await client.re_token(csrf)

    assert token == hayfrp.account.link_token != before
    with refused(AuthenticationError, "登录无效或已过期."):
        await client.csrf(csrf)


@pytest.mark.parametrize("user", ["demo", "demo@example.com"])
async def test_reset_passwd(client: HayFrpClient, hayfrp: HayFrpService, user: str) -> None:
    await client.reset_passwd_send_code(user)
    (mail,) = hayfrp.state.mailbox
    assert (mail.to, mail.kind) == ("demo@example.com", "password")

    await client.reset_passwd(mail.code, "another-password")

    assert hayfrp.account.password == "another-password"


# Tunnels


async def test_add_tunnel(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    tunnel_id = await client.add_tunnel(csrf, FIELDS)

    assert tunnel_id == "6"
    assert _fields(hayfrp, "6") == FIELDS


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"proxy_name": "ab"}, "隧道名称长度应在3-15内."),
        ({"proxy_name": "a" * 16}, "隧道名称长度应在3-15内."),
        ({"proxy_name": ""}, "proxy_name不能为空."),
        ({"proxy_type": "icmp"}, "隧道类型有误."),
        ({"proxy_type": "http"}, "domain不能为空."),
        ({"local_port": 0}, "端口范围应在1-65500内."),
        ({"remote_port": 70000}, "端口范围应在1-65500内."),
        ({"remote_port": ""}, "remote_port不能为空."),
        ({"node": "99"}, "节点不存在."),
    ],
)
async def test_a_tunnel_is_refused(
    client: HayFrpClient,
    hayfrp: HayFrpService,
    csrf: str,
    changes: Mapping[str, object],
    words: str,
) -> None:
    with refused(RejectedError, words):
        await client.add_tunnel(csrf, {**FIELDS, **changes})
    with refused(RejectedError, words):
        await client.edit_tunnel(csrf, "1", {**FIELDS, **changes})
    assert len(hayfrp.state.tunnels) == 5
    assert hayfrp.state.tunnels["1"].proxy_name == "homeassistant"


async def test_a_new_tunnel_without_an_id(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str
) -> None:
    hayfrp.fault("/proxy", "patch", remove=["id"])

    assert await client.add_tunnel(csrf, FIELDS) is None


async def test_edit_tunnel(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    await client.edit_tunnel(csrf, "3", FIELDS)

    assert _fields(hayfrp, "3") == FIELDS


async def test_delete_tunnel(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    await client.delete_tunnel(csrf, "2")

    assert list(hayfrp.state.tunnels) == ["1", "3", "4", "5"]


async def test_list_tunnel(client: HayFrpClient, csrf: str) -> None:
    everything = await client.list_tunnel(csrf)

    assert [row["id"] for row in everything] == ["1", "2", "3", "4", "5"]
    assert await client.list_tunnel(csrf, "3") == [everything[2]]


@pytest.mark.parametrize("status", [404, 200])
async def test_a_list_without_tunnels_is_empty(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, status: int
) -> None:
    hayfrp.state.settings.empty_list_status = status
    assert await client.list_tunnel(csrf, "99") == []

    hayfrp.state.tunnels.clear()
    assert await client.list_tunnel(csrf) == []


@pytest.mark.parametrize(
    "answer, error, words",
    [
        ({"status": 404, "message": "csrf不能为空."}, RejectedError, "csrf不能为空."),
        ({"status": 404, "message": "无用户类型."}, RejectedError, "无用户类型."),
        ({"status": 403, "message": "您的账号已被封禁."}, RejectedError, "您的账号已被封禁."),
        ({"status": 500, "message": "数据库错误."}, RejectedError, "数据库错误."),
        ({"status": False, "message": "维护中."}, RejectedError, "维护中."),
        ({"status": 404, "message": "请先登录."}, AuthenticationError, "请先登录."),
        ({"status": 200, "proxies": {}}, UnavailableError, "malformed: no list of proxies"),
        ({"proxies": None}, UnavailableError, "malformed: no status"),
    ],
)
async def test_a_refused_list_is_not_empty(
    client: HayFrpClient,
    hayfrp: HayFrpService,
    answer: Mapping[str, object],
    error: type[TunnelHubError],
    words: str,
) -> None:
    """Otherwise all tunnels would count as deleted."""
    hayfrp.fault("/proxy", "body", body=answer)

    with refused(error, words):
        await client.list_tunnel("a-csrf")


async def test_tunnel_config(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    ini = await client.tunnel_config(csrf, "ini", proxy="1")
    toml = await client.tunnel_config(csrf, "toml", node="1")

    for config in (ini, toml):
        assert hayfrp.account.link_token in config
        assert "homeassistant" in config
    assert "[common]" in ini
    assert "[[proxies]]" in toml


async def _notice(client: HayFrpClient, _: str) -> str:
    return await client.get_notice()


async def _config(client: HayFrpClient, csrf: str) -> str:
    return await client.tunnel_config(csrf, "ini", proxy="1")


@pytest.mark.parametrize(
    "fetch, answer, reason",
    [
        (_config, {"body": "", "status": 200}, Reason.MALFORMED),
        (_config, {"body": " \n", "status": 200}, Reason.MALFORMED),
        (_config, {"body": {"status": 200}, "status": 200}, Reason.MALFORMED),
        (_config, {"body": '{"status": 2', "status": 200}, Reason.MALFORMED),
        (_config, {"body": "404 Not Found", "status": 404}, Reason.MALFORMED),
        (_config, {"body": [1, 2], "status": 200}, Reason.MALFORMED),
        (_config, {"body": "null", "status": 200}, Reason.MALFORMED),
        (_config, {"body": "<html>Forbidden</html>", "status": 200}, Reason.FIREWALL),
        (_notice, {"body": {"status": 200}, "status": 200}, Reason.MALFORMED),
        (_notice, {"body": '{"status": 2', "status": 200}, Reason.MALFORMED),
        (_notice, {"body": "404 Not Found", "status": 404}, Reason.MALFORMED),
        (_notice, {"body": "<html>Not Found</html>", "status": 404}, Reason.MALFORMED),
        (_notice, {"body": "<html>Forbidden</html>", "status": 403}, Reason.FIREWALL),
        (_notice, {"body": "\n<!DOCTYPE html><p>Forbidden", "status": 200}, Reason.FIREWALL),
    ],
)
async def test_other_answers_are_not_texts(
    client: HayFrpClient,
    hayfrp: HayFrpService,
    fetch: Callable[[HayFrpClient, str], Awaitable[str]],
    answer: Mapping[str, Any],
    reason: Reason,
) -> None:
    hayfrp.fault("*", "body", times=None, **answer)

    with pytest.raises(UnavailableError) as caught:
        await fetch(client, "a-csrf")
    assert caught.value.reason is reason


async def test_toggle_tunnel(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    await client.toggle_tunnel(csrf, "1", toggle=False)
    await client.toggle_tunnel(csrf, "5", toggle=True)

    assert not hayfrp.state.tunnels["1"].enabled
    assert hayfrp.state.tunnels["5"].enabled


async def test_a_command_answered_with_false_is_refused(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str
) -> None:
    hayfrp.fault("/proxy", "body", body={"status": "false", "message": "操作失败."})
    with refused(RejectedError, "操作失败."):
        await client.toggle_tunnel(csrf, "1", toggle=False)

    hayfrp.fault("/proxy", "body", body={"status": True})
    await client.toggle_tunnel(csrf, "1", toggle=False)


async def test_get_tunnel_status(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    hayfrp.state.nodes["2"].online = False

    readings = [await client.get_tunnel_status(csrf, id_) for id_ in ("1", "2", "4")]

    assert readings == [TunnelState.ONLINE, TunnelState.NODE_OFFLINE, TunnelState.OFFLINE]


@pytest.mark.parametrize("status", [200, 500])
async def test_ostatus_overrides_status_and_message(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, status: int
) -> None:
    settings = hayfrp.state.settings
    settings.check_status, settings.check_words = status, False

    readings = [await client.get_tunnel_status(csrf, id_) for id_ in ("1", "4")]
    hayfrp.fault("/proxy", "patch", patch={"status": 500, "ostatus": "Online"})
    readings.append(await client.get_tunnel_status(csrf, "1"))

    assert readings == [TunnelState.ONLINE, TunnelState.OFFLINE, TunnelState.ONLINE]


@pytest.mark.parametrize("ostatus", ["", None, "unknown", 1, {}])
async def test_unknown_ostatus_is_ignored(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, ostatus: object
) -> None:
    hayfrp.fault("/proxy", "patch", times=2, patch={"ostatus": ostatus})

    readings = [await client.get_tunnel_status(csrf, id_) for id_ in ("1", "4")]

    assert readings == [TunnelState.ONLINE, TunnelState.OFFLINE]


async def test_ostatus_with_a_refused_session(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str
) -> None:
    body = {"status": 403, "message": "登录无效或已过期.", "ostatus": "offline"}
    hayfrp.fault("/proxy", "body", body=body)

    with refused(AuthenticationError, "登录无效或已过期."):
        await client.get_tunnel_status(csrf, "1")


async def test_a_refused_check_has_no_result(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str
) -> None:
    hayfrp.fault("/proxy", "body", body={"status": 500, "message": "线路繁忙."})

    with refused(RejectedError, "线路繁忙."):
        await client.get_tunnel_status(csrf, "1")


async def test_force_down_tunnel(client: HayFrpClient, hayfrp: HayFrpService, csrf: str) -> None:
    await client.force_down_tunnel(csrf, "1")

    assert not hayfrp.online(hayfrp.state.tunnels["1"])
    assert len(hayfrp.calls) == 1


@pytest.mark.parametrize("words", ["csrf不能为空.", "无用户类型.", "参数错误."])
async def test_force_down_by_form_if_json_is_not_read(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, words: str
) -> None:
    hayfrp.state.settings.forcedown_form_only = True
    hayfrp.fault("/proxy", "body", body={"status": 404, "message": words})

    await client.force_down_tunnel(csrf, "1")
    await client.force_down_tunnel(csrf, "2")

    assert not hayfrp.online(hayfrp.state.tunnels["1"])
    assert not hayfrp.online(hayfrp.state.tunnels["2"])
    kinds = [call.headers["Content-Type"] for call in hayfrp.calls]
    form = "application/x-www-form-urlencoded"
    assert kinds == ["application/json", form, form], "JSON is tried once"

    hayfrp.fault("/proxy", "status", status=500, times=None)
    with pytest.raises(UnavailableError):
        await client.force_down_tunnel(csrf, "3")
    assert len(hayfrp.calls) == 4, "a write is never repeated"


async def test_force_down_is_refused(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str
) -> None:
    hayfrp.state.nodes["2"].online = False

    with refused(RejectedError, "隧道对应节点已离线,无法强制下线."):
        await client.force_down_tunnel(csrf, "2")
    with refused(NotFoundError, "隧道不存在."):
        await client.force_down_tunnel(csrf, "99")
    assert len(hayfrp.calls) == 2

    hayfrp.state.settings.forcedown_form_only = True
    with refused(AuthenticationError, "登录无效或已过期."):
        await client.force_down_tunnel("of-yesterday", "1")


@pytest.mark.parametrize("status", [404, 500])
@pytest.mark.parametrize(
    "ask",
    [
        lambda client, csrf: client.edit_tunnel(csrf, "99", FIELDS),
        lambda client, csrf: client.delete_tunnel(csrf, "99"),
        lambda client, csrf: client.toggle_tunnel(csrf, "99", toggle=True),
        lambda client, csrf: client.get_tunnel_status(csrf, "99"),
        lambda client, csrf: client.force_down_tunnel(csrf, "99"),
    ],
)
async def test_a_deleted_tunnel(
    client: HayFrpClient,
    hayfrp: HayFrpService,
    csrf: str,
    ask: Callable[[HayFrpClient, str], Awaitable[object]],
    status: int,
) -> None:
    hayfrp.state.settings.missing_tunnel_status = status

    with pytest.raises(RejectedError, match="隧道不存在"):
        await ask(client, csrf)


# Public endpoints


async def test_get_node_info(client: HayFrpClient) -> None:
    rows = await client.get_node_info()

    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5", "7"]
    assert rows[0]["version"] == "0.59.0"


async def test_get_node_list(client: HayFrpClient) -> None:
    rows = await client.get_node_list()

    assert {"1", "2", "6"} <= {row["id"] for row in rows}
    assert rows[0].keys() == {"id", "name", "description"}


@pytest.mark.parametrize("path", ["/node", "/nodes"])
async def test_refused_nodes_are_not_empty(
    client: HayFrpClient, hayfrp: HayFrpService, path: str
) -> None:
    """Otherwise all nodes would count as offline."""
    fetch = {"/node": client.get_node_info, "/nodes": client.get_node_list}[path]
    hayfrp.fault(path, "body", body={"status": 404, "message": "无节点数据."})
    hayfrp.fault(path, "body", body={"status": 500, "message": "数据库错误."})
    hayfrp.fault(path, "body", body={"status": 403, "message": "访问受限."})
    hayfrp.fault(path, "body", body={"status": 200, "servers": {}})

    assert await fetch() == []
    with refused(RejectedError, "数据库错误."):
        await fetch()
    with refused(RejectedError, "访问受限."):
        await fetch()
    with refused(UnavailableError, "malformed: no list of servers"):
        await fetch()


@pytest.mark.parametrize("style", ["list", "null", "missing"])
async def test_an_empty_list_in_a_successful_answer(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, style: str
) -> None:
    hayfrp.state.settings.empty_list_status, hayfrp.state.settings.empty_list = 200, style
    hayfrp.state.tunnels.clear()
    hayfrp.state.nodes.clear()

    assert await client.list_tunnel(csrf) == []
    assert await client.get_node_info() == []
    assert await client.get_node_list() == []


async def test_get_notice(client: HayFrpClient, hayfrp: HayFrpService) -> None:
    assert await client.get_notice() == hayfrp.state.notice

    hayfrp.state.notice = ""
    assert await client.get_notice() == ""


async def test_hayfrp_info(client: HayFrpClient, hayfrp: HayFrpService) -> None:
    info = await client.hayfrp_info()

    assert coerce.count(info["totalrun"]) == hayfrp.state.total_runs


@pytest.mark.parametrize("style", ["source", "sources"])
async def test_download_list(client: HayFrpClient, hayfrp: HayFrpService, style: str) -> None:
    hayfrp.state.settings.downlist_style = style

    mirrors, files = await client.download_list()

    assert [coerce.text(mirror["name"]) for mirror in mirrors] == ["和谐下载站"]
    assert [coerce.text(file["url"]) for file in files] == [
        "hayfrps_linux_amd64",
        "frpc_linux_amd64",
        "app-arm64-v8a.apk",
    ]


@pytest.mark.parametrize("lists", [None, "none", 7, [None], {"frpc": None}])
async def test_a_download_list_without_files(
    client: HayFrpClient, hayfrp: HayFrpService, lists: object
) -> None:
    hayfrp.fault("/downlist", "patch", patch={"lists": lists, "source": lists})

    assert await client.download_list() == ([], [])


async def test_version(client: HayFrpClient, hayfrp: HayFrpService) -> None:
    hayfrp.state.frpc_version = "0.60.0"

    assert (await client.version())["ver_frpc"] == "0.60.0"


# All endpoints

WITH_SESSION: Mapping[str, Callable[[HayFrpClient, str], Awaitable[object]]] = {
    "csrf": HayFrpClient.csrf,
    "info": HayFrpClient.get_info,
    "sign": HayFrpClient.sign,
    "retoken": HayFrpClient.re_token,
    "add": lambda client, csrf: client.add_tunnel(csrf, FIELDS),
    "edit": lambda client, csrf: client.edit_tunnel(csrf, "1", FIELDS),
    "remove": lambda client, csrf: client.delete_tunnel(csrf, "1"),
    "list": HayFrpClient.list_tunnel,
    "config": lambda client, csrf: client.tunnel_config(csrf, "toml", proxy="1"),
    "toggle": lambda client, csrf: client.toggle_tunnel(csrf, "1", toggle=False),
    "check": lambda client, csrf: client.get_tunnel_status(csrf, "1"),
    "forcedown": lambda client, csrf: client.force_down_tunnel(csrf, "1"),
}
WITHOUT_SESSION: Mapping[str, Callable[[HayFrpClient, str], Awaitable[object]]] = {
    "login": lambda client, _: client.login("demo", "demo-password"),
    "sendregcode": lambda client, _: client.register_send_email("new", "device", "n@example.com"),
    "register": lambda client, _: client.register("new", "device", "n@example.com", "word", "1"),
    "findpassem": lambda client, _: client.reset_passwd_send_code("demo"),
    "findpassct": lambda client, _: client.reset_passwd("token", "new-password"),
    "/node": lambda client, _: client.get_node_info(),
    "/nodes": lambda client, _: client.get_node_list(),
    "/notice": lambda client, _: client.get_notice(),
    "/info": lambda client, _: client.hayfrp_info(),
    "/downlist": lambda client, _: client.download_list(),
    "/version": lambda client, _: client.version(),
}
ALL = {**WITH_SESSION, **WITHOUT_SESSION}
WRITES = (
    *("login", "sendregcode", "register", "sign", "retoken", "findpassem", "findpassct"),
    *("add", "edit", "remove", "toggle", "forcedown"),
)


@pytest.mark.parametrize("kind", ALL)
async def test_a_refused_session_is_distinguished_from_other_refusals(
    client: HayFrpClient, hayfrp: HayFrpService, kind: str
) -> None:
    """Only endpoints with a session can refuse it."""
    hayfrp.fault("*", "body", body={"status": 403, "message": "登录无效或已过期."})

    error = AuthenticationError if kind in (*WITH_SESSION, "login") else RejectedError
    with refused(error, "登录无效或已过期."):
        await ALL[kind](client, "a-csrf")


@pytest.mark.parametrize("kind", ["sendregcode", "register", "findpassem", "findpassct", "/info"])
async def test_another_kind_of_token_is_not_a_session(
    client: HayFrpClient, hayfrp: HayFrpService, kind: str
) -> None:
    hayfrp.fault("*", "body", body={"status": 404, "message": "您的Token有误."})

    with refused(NotFoundError, "您的Token有误."):
        await ALL[kind](client, "a-csrf")


@pytest.mark.parametrize("kind", WITH_SESSION)
async def test_endpoints_with_a_session_send_it(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, kind: str
) -> None:
    with pytest.raises(AuthenticationError):
        await ALL[kind](client, "of-yesterday")
    with refused(RejectedError, "csrf不能为空."):
        await ALL[kind](client, "")
    assert hayfrp.state.tunnels["1"].enabled

    await ALL[kind](client, csrf)
    assert {call.get("type") for call in hayfrp.calls} == {kind}
    assert hayfrp.calls[-1].get("csrf") == csrf


@pytest.mark.parametrize("kind", ALL)
async def test_an_internal_error(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, kind: str
) -> None:
    hayfrp.fault("*", "error")

    with refused(UnavailableError, "server_error: 服务器异常,请稍后重试."):
        await ALL[kind](client, csrf)


@pytest.mark.parametrize("kind", ALL)
async def test_only_reads_are_retried(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, kind: str
) -> None:
    hayfrp.fault("*", "status", status=500, times=None)

    with pytest.raises(UnavailableError):
        await ALL[kind](client, csrf)

    assert len(hayfrp.calls) == (1 if kind in WRITES else 2)


NO_ANSWERS: list[tuple[str, Mapping[str, Any], Reason, str]] = [
    ("html", {"status": 200}, Reason.FIREWALL, "HTTP 200"),
    ("empty", {}, Reason.MALFORMED, "no JSON"),
    ("wrong_type", {}, Reason.MALFORMED, "no JSON object"),
    ("body", {"body": {"message": "?"}}, Reason.MALFORMED, "no status"),
]


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in ("/notice", "config")])
async def test_invalid_answers(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, kind: str
) -> None:
    """Of these, only /version accepts the last one."""
    for fault, options, reason, detail in NO_ANSWERS[: -1 if kind == "/version" else None]:
        hayfrp.fault("*", fault, **options)
        with pytest.raises(UnavailableError) as caught:
            await ALL[kind](client, csrf)
        assert (caught.value.reason, caught.value.detail) == (reason, detail)


@pytest.mark.parametrize("kind", ["login", "retoken"])
async def test_a_missing_token(
    client: HayFrpClient, hayfrp: HayFrpService, csrf: str, kind: str
) -> None:
    hayfrp.fault("*", "patch", patch={"token": None})

    with refused(UnavailableError, "malformed: no token"):
        await ALL[kind](client, csrf)


@pytest.mark.parametrize("status", [200, "200", " 200 ", 200.0])
async def test_formats_of_a_status(
    client: HayFrpClient, hayfrp: HayFrpService, status: object
) -> None:
    hayfrp.fault("/info", "patch", patch={"status": status})

    assert "aflow" in await client.hayfrp_info()


@pytest.mark.parametrize(
    "answer, words",
    [
        ({"status": 418}, "418"),
        ({"status": "500", "message": ""}, "500"),
        ({"status": False, "message": None}, "False"),
        ({"status": 404}, "404"),
        ({"status": 500, "message": " 维护中\n"}, "维护中"),
    ],
)
async def test_a_refusal_always_has_a_message(
    client: HayFrpClient, hayfrp: HayFrpService, answer: Mapping[str, object], words: str
) -> None:
    hayfrp.fault("/info", "body", body=answer)

    with pytest.raises(RejectedError) as caught:
        await client.hayfrp_info()
    assert caught.value.message == words


async def test_a_refusal_contains_no_secret(client: HayFrpClient, hayfrp: HayFrpService) -> None:
    """Neither from the request nor from earlier answers."""
    csrf = await client.login("demo", "demo-password")
    link_token = await client.re_token(csrf)
    words = f"demo-password {csrf} {link_token} demo@example.com: no"

    for status in (403, 404, 418):
        hayfrp.fault("/user", "body", body={"status": status, "message": words})
        with pytest.raises(TunnelHubError) as caught:
            await client.get_info(csrf)
        assert str(caught.value) == "** ** ** **: no"


def _fields(service: HayFrpService, tunnel_id: str) -> Mapping[str, object]:
    """Return the fields of a tunnel as the service stores them."""
    tunnel = service.state.tunnels[tunnel_id]
    return {
        "proxy_name": tunnel.proxy_name,
        "proxy_type": tunnel.proxy_type,
        "local_ip": tunnel.local_ip,
        "local_port": tunnel.local_port,
        "remote_port": tunnel.remote_port,
        "use_encryption": "true" if tunnel.use_encryption else "false",
        "use_compression": "true" if tunnel.use_compression else "false",
        "sk": tunnel.sk,
        "node": tunnel.node,
        "domain": tunnel.domain,
        "locations": tunnel.locations,
        "header_X_From_Where": tunnel.header_x_from_where,
        "host_header_rewrite": tunnel.host_header_rewrite,
    }
