"""Tests all endpoints of ChmlFrp: requests, answers and refusals."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.chmlfrp.client import (
    AlreadySignedInError,
    ChmlFrpClient,
    GoneError,
)
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.http import USER_AGENT, Transport
from custom_components.tunnel_hub.api.models.account import Captcha
from custom_components.tunnel_hub.api.tokens import FixedToken
from simulator.chmlfrp import ChmlFrpService, Tunnel

from ...sampling import each_with_each
from ..refusals import refused

FIELDS: Mapping[str, object] = {
    "tunnelname": "printer",
    "node": "成都电信",
    "localip": "192.168.1.7",
    "porttype": "tcp",
    "localport": 631,
    "remoteport": 20631,
    "encryption": True,
    "compression": False,
    "extraparams": "bandwidth_limit = 1MB",
}
CAPTCHA = Captcha(lot_number="1", captcha_output="2", pass_token="3", gen_time="4")
SUBDOMAIN = {
    "domain": "frp.example",
    "record": "new",
    "type": "A",
    "target": "192.0.2.7",
    "ttl": "10分钟",
    "remarks": "a note",
}


@pytest.fixture
def anonymous(session: ClientSession, chmlfrp: ChmlFrpService) -> ChmlFrpClient:
    """A client without an account."""
    return ChmlFrpClient(Transport(session, (chmlfrp.url,)), FixedToken())


# Accounts


@pytest.mark.parametrize("user", ["demo", "demo@example.com", "10001"])
async def test_login(anonymous: ChmlFrpClient, chmlfrp: ChmlFrpService, user: str) -> None:
    chmlfrp.state.settings.password_login = True

    row = await anonymous.login(user, "demo-password")

    assert row["usertoken"] == chmlfrp.account.usertoken


@pytest.mark.parametrize(
    "user, password, error, words",
    [
        ("demo", "wrong-password", AuthenticationError, "密码错误"),
        ("unknown", "wrong-password", AuthenticationError, "用户不存在"),
        (
            "demo",
            "x",
            RejectedError,
            "密码不符合要求，长度在6到48个字符之间，并且至少包含字母、数字和符号中的两种。",
        ),
    ],
)
async def test_login_is_refused(
    *,
    anonymous: ChmlFrpClient,
    chmlfrp: ChmlFrpService,
    user: str,
    password: str,
    error: type[TunnelHubError],
    words: str,
) -> None:
    chmlfrp.state.settings.password_login = True

    with refused(error, words):
        await anonymous.login(user, password)


async def test_login_requires_an_access_token(anonymous: ChmlFrpClient) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await anonymous.login("demo", "demo-password")

    assert caught.value.key == "password_sign_in_off"
    assert caught.value.message == "缺少 access_token 参数"


async def test_register(anonymous: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    await anonymous.sendmailcode("register", "new@example.com")
    (mail,) = chmlfrp.state.mailbox
    assert (mail.to, mail.kind) == ("new@example.com", "register")

    await anonymous.register("newcomer", "new-password", "new@example.com", "10003", mail.code)

    account = next(a for a in chmlfrp.state.accounts.values() if a.username == "newcomer")
    assert (account.password, account.email, account.qq) == (
        "new-password",
        "new@example.com",
        "10003",
    )


async def test_userinfo(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    row = await client.userinfo()

    assert (row["id"], row["username"], row["tunnelCount"]) == (227, "demo", 5)
    (call,) = chmlfrp.calls
    assert call.headers["Authorization"] == f"Bearer {chmlfrp.account.usertoken}"
    assert call.headers["User-Agent"] == USER_AGENT
    assert not call.query, "the token is not in logs"


async def test_retoken(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    before = chmlfrp.account.usertoken
    await client.sendmailcode("retoken", "demo@example.com")
    with refused(RejectedError, "验证码错误"):
        await client.retoken("wrong")

    await client.retoken(chmlfrp.state.mailbox[0].code)

    assert chmlfrp.account.usertoken != before


async def test_qiandao(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    before = chmlfrp.account.integral

    words = await client.qiandao(CAPTCHA)

    assert words == f"签到成功, 获得{chmlfrp.account.integral - before}积分"
    (call,) = chmlfrp.calls
    assert call.body == {
        "lot_number": "1",
        "captcha_output": "2",
        "pass_token": "3",
        "gen_time": "4",
    }


@pytest.mark.parametrize("code", [400, 409])
async def test_qiandao_twice(client: ChmlFrpClient, chmlfrp: ChmlFrpService, code: int) -> None:
    chmlfrp.state.settings.already_signed_code = code
    await client.qiandao(CAPTCHA)

    with refused(AlreadySignedInError, "请勿重复签到"):
        await client.qiandao(CAPTCHA)


async def test_reset_password(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    with refused(RejectedError, "原密码错误"):
        await client.reset_password("wrong", "better-password")

    await client.reset_password("demo-password", "better-password")

    assert chmlfrp.account.password == "better-password"


async def test_update_username(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    with refused(RejectedError, "用户名已存在"):
        await client.update_username("other")

    await client.update_username("new-name")

    assert chmlfrp.account.username == "new-name"


async def test_update_qq(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    with refused(RejectedError, "QQ号格式错误"):
        await client.update_qq("letters")

    await client.update_qq("10009")

    assert chmlfrp.account.qq == "10009"


async def test_update_userimg(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    await client.update_userimg("https://example.com/me.png")
    assert chmlfrp.account.userimg == "https://example.com/me.png"

    with refused(RejectedError, "新头像不能与当前头像相同"):
        await client.update_userimg("https://example.com/me.png")
    with refused(RejectedError, "无效的链接"):
        await client.update_userimg("me.png")


# Tunnels


async def test_tunnel(client: ChmlFrpClient) -> None:
    rows = await client.tunnel()

    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("nulls", [True, False])
async def test_no_tunnels(client: ChmlFrpClient, chmlfrp: ChmlFrpService, nulls: bool) -> None:
    chmlfrp.state.settings.nulls = nulls
    chmlfrp.state.tunnels.clear()

    assert await client.tunnel() == []


@pytest.mark.parametrize("returns_id, expected", [(True, "101"), (False, None)])
async def test_create_tunnel(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService, returns_id: bool, expected: str | None
) -> None:
    chmlfrp.state.settings.create_tells_id = returns_id

    assert await client.create_tunnel(FIELDS) == expected

    created = chmlfrp.state.tunnels["101"]
    assert (created.name, created.kind, created.public, created.local_port) == (
        "printer",
        "tcp",
        "20631",
        631,
    )
    assert (created.encryption, created.compression) == (True, False)
    assert created.extra == "bandwidth_limit = 1MB"


@pytest.mark.parametrize(
    "change, words",
    [
        ({"tunnelname": "a name"}, "隧道名称只能包含字母、数字和下划线"),
        ({"tunnelname": "ssh"}, "隧道名称已存在"),
        ({"node": "nowhere"}, "节点不存在"),
        ({"porttype": "stcp"}, "端口类型错误"),
        ({"banddomain": "www.example.com"}, "tcp 类型禁止传递 banddomain 参数"),
        ({"remoteport": 80}, "remoteport 应在 10000-65535 之间"),
        ({"remoteport": 20001}, "外网端口或域名已被占用"),
        ({"localport": 0}, "localport 应在 1-65535 之间"),
    ],
)
async def test_create_tunnel_is_refused(
    client: ChmlFrpClient, change: Mapping[str, object], words: str
) -> None:
    error = GoneError if "不存在" in words else RejectedError
    with refused(error, words):
        await client.create_tunnel({**FIELDS, **change})


@pytest.mark.parametrize("style, path", [("get", "/delete_tunnel"), ("post", "/deletetunnel")])
async def test_deletetunnel(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService, style: str, path: str
) -> None:
    """With the current endpoint, then with the documented one."""
    chmlfrp.state.settings.delete_style = style

    await client.deletetunnel("1")

    assert "1" not in chmlfrp.state.tunnels
    assert chmlfrp.calls[-1].path == path
    with refused(GoneError, "隧道不存在"):
        await client.deletetunnel("1")


async def test_deletetunnel_as_documented(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.state.settings.delete_style = "post"

    await client.deletetunnel("2")

    assert [call.path for call in chmlfrp.calls] == ["/delete_tunnel", "/deletetunnel"]
    assert "2" not in chmlfrp.state.tunnels


async def test_deletetunnel_of_another_account(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.state.tunnels["9"] = Tunnel(9, 228, name="theirs")

    with refused(GoneError, "隧道不属于你"):
        await client.deletetunnel("9")

    assert "9" in chmlfrp.state.tunnels


async def test_update_tunnel(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    await client.update_tunnel("1", FIELDS)

    tunnel = chmlfrp.state.tunnels["1"]
    assert (tunnel.name, tunnel.local_port, tunnel.public) == ("printer", 631, "20631")
    (call,) = chmlfrp.calls
    assert call.get("tunnelid") == 1
    with refused(GoneError, "隧道不存在"):
        await client.update_tunnel("99", FIELDS)


async def test_tunnel_config(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    config = await client.tunnel_config("成都电信", "homeassistant")

    assert config.startswith("[common]\n")
    assert "remote_port = 20001" in config
    assert await client.tunnel_config("成都电信") == config, "the node has only one tunnel"
    with refused(GoneError, "隧道不存在"):
        await client.tunnel_config("成都电信", "ssh")


async def test_tunnel_config_without_content(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault("/tunnel_config", "patch", patch={"data": None})

    with refused(UnavailableError):
        await client.tunnel_config("成都电信")


# Nodes


async def test_node(anonymous: ChmlFrpClient) -> None:
    rows = await anonymous.node()

    assert len(rows) == 8
    assert rows[0]["name"] == "成都电信"


async def test_nodeinfo(client: ChmlFrpClient) -> None:
    row = await client.nodeinfo("成都电信")

    assert (row["id"], row["rport"]) == (1, "10000-65535")
    with refused(GoneError, "节点不存在"):
        await client.nodeinfo("nowhere")


async def test_nodeinfo_with_a_wrong_token(session: ClientSession, chmlfrp: ChmlFrpService) -> None:
    client = ChmlFrpClient(Transport(session, (chmlfrp.url,)), FixedToken("wrong"))

    with refused(AuthenticationError, "错误的token"):
        await client.nodeinfo("成都电信")


async def test_node_stats(anonymous: ChmlFrpClient) -> None:
    rows = await anonymous.node_stats()

    assert [row["state"] for row in rows[-2:]] == ["maintenance", "offline"]


async def test_node_uptime(anonymous: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    rows = await anonymous.node_uptime(30)
    assert len(rows) == 8
    assert isinstance(history := rows[0]["history_uptime"], list)
    assert len(history) == 30

    (row,) = await anonymous.node_uptime(7, "成都电信")
    assert row["node_name"] == "成都电信"
    with refused(RejectedError, "time 应在 1-90 之间"):
        await anonymous.node_uptime(91)


async def test_node_status_info(anonymous: ChmlFrpClient) -> None:
    info = await anonymous.node_status_info("成都电信")

    assert isinstance(samples := info["status_list"], list)
    assert len(samples) == 4800
    with refused(GoneError, "节点不存在"):
        await anonymous.node_status_info("nowhere")


# The panel and versions


async def test_panelinfo(anonymous: ChmlFrpClient) -> None:
    row = await anonymous.panelinfo()

    assert (row["node_amount"], row["tunnel_amount"], row["user_amount"]) == (8, 22905, 22203)


async def test_app_version(anonymous: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    """It is documented but missing: a plain 404. If it existed, it could be read."""
    with refused(UnsupportedError):
        await anonymous.app_version("Fabric", "1.20.1", "mcmod")
    (call,) = chmlfrp.calls
    assert call.query == {"Loader": "Fabric", "Minecraft": "1.20.1", "type": "mcmod"}

    chmlfrp.fault("/app_version", "body", body={"code": 200, "data": {"version": "1.0"}})
    assert await anonymous.app_version("Fabric", "1.20.1", "mcmod") == {"version": "1.0"}


# Free subdomains


async def test_list_available_domains(anonymous: ChmlFrpClient) -> None:
    rows = await anonymous.list_available_domains()

    assert [row["domain"] for row in rows] == [
        "映射.example",
        "frp.example",
        "owo.example",
        "baozi.example",
    ]


async def test_create_free_subdomain(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    await client.create_free_subdomain(SUBDOMAIN)

    created = chmlfrp.state.subdomains["101"]
    assert (created.domain, created.record, created.kind) == ("frp.example", "new", "A")
    assert (created.target, created.ttl, created.remarks) == ("192.0.2.7", "10分钟", "a note")
    for change, words in {
        "ttl": "TTL错误",
        "type": "记录类型错误",
        "domain": "域名不存在",
    }.items():
        error = GoneError if "不存在" in words else RejectedError
        with refused(error, words):
            await client.create_free_subdomain({**SUBDOMAIN, "record": "x", change: "?"})
    with refused(RejectedError, "该记录已存在"):
        await client.create_free_subdomain(SUBDOMAIN)


async def test_update_free_subdomain(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    fields = {"domain": "frp.example", "record": "home", "target": "192.0.2.9", "ttl": "1小时"}

    await client.update_free_subdomain(fields)

    assert chmlfrp.state.subdomains["6"].target == "192.0.2.9"
    assert chmlfrp.state.subdomains["6"].ttl == "1小时"
    with refused(GoneError, "域名记录不存在"):
        await client.update_free_subdomain({**fields, "record": "nothing"})


async def test_delete_free_subdomain(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    await client.delete_free_subdomain("frp.example", "home")

    assert "6" not in chmlfrp.state.subdomains
    with refused(GoneError, "域名记录不存在"):
        await client.delete_free_subdomain("frp.example", "home")


async def test_get_user_free_subdomains(client: ChmlFrpClient) -> None:
    rows = await client.get_user_free_subdomains()

    assert [row["record"] for row in rows] == ["home", "mc"]


# Undocumented


async def test_offline_tunnel(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    await client.offline_tunnel("homeassistant")

    assert not chmlfrp.online(chmlfrp.state.tunnels["1"])
    (call,) = chmlfrp.calls
    assert call.body == {"tunnel_name": "homeassistant"}
    with refused(GoneError, "隧道不存在"):
        await client.offline_tunnel("nothing")


async def test_refresh_tunnel(client: ChmlFrpClient) -> None:
    row = await client.refresh_tunnel("homeassistant")

    assert row["status"] == "online"
    with refused(RejectedError, "节点不在线，无法刷新隧道"):
        await client.refresh_tunnel("minecraft")


async def test_offline_user_nodes(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    row = await client.offline_user_nodes()

    assert row["successCount"] == 2
    assert not any(map(chmlfrp.online, chmlfrp.state.tunnels.values()))


async def test_qiandao_info(client: ChmlFrpClient) -> None:
    row = await client.qiandao_info()

    assert (row["is_signed_in_today"], row["total_sign_ins"]) == (False, 112)


async def test_flow_last_7_days(client: ChmlFrpClient) -> None:
    assert len(await client.flow_last_7_days()) == 7


async def test_tunnel_last7days(client: ChmlFrpClient) -> None:
    row = await client.tunnel_last7days("1")

    assert isinstance(row["traffic_in"], list)
    assert len(row["traffic_in"]) == 7
    with refused(GoneError, "隧道不存在"):
        await client.tunnel_last7days("99")


async def test_messages(client: ChmlFrpClient) -> None:
    assert [row["id"] for row in await client.messages()] == [1, 2]


async def test_message_list(client: ChmlFrpClient) -> None:
    assert [row["title"] for row in await client.message_list()] == ["节点维护公告", "API 更新"]


async def test_message_detail(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    row = await client.message_detail("1")

    assert row["contentMd"] == chmlfrp.state.notices[0].content


async def test_download_info(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.state.settings.frpc_version = "0.52.0"

    assert (await client.download_info())["version"] == "0.52.0"


async def test_ssl_list(client: ChmlFrpClient) -> None:
    assert [row["status"] for row in await client.ssl_list()] == ["issued", "pending"]


# All endpoints

type Ask = Callable[[ChmlFrpClient], Awaitable[object]]

SIGNED: dict[str, Ask] = {
    "userinfo": lambda c: c.userinfo(),
    "retoken": lambda c: c.retoken("1"),
    "qiandao": lambda c: c.qiandao(CAPTCHA),
    "reset_password": lambda c: c.reset_password("a", "b"),
    "update_username": lambda c: c.update_username("a"),
    "update_qq": lambda c: c.update_qq("1"),
    "update_userimg": lambda c: c.update_userimg("https://example.com/"),
    "tunnel": lambda c: c.tunnel(),
    "create_tunnel": lambda c: c.create_tunnel(FIELDS),
    "deletetunnel": lambda c: c.deletetunnel("1"),
    "update_tunnel": lambda c: c.update_tunnel("1", FIELDS),
    "tunnel_config": lambda c: c.tunnel_config("成都电信"),
    "create_free_subdomain": lambda c: c.create_free_subdomain(SUBDOMAIN),
    "delete_free_subdomain": lambda c: c.delete_free_subdomain("frp.example", "home"),
    "update_free_subdomain": lambda c: c.update_free_subdomain(SUBDOMAIN),
    "get_user_free_subdomains": lambda c: c.get_user_free_subdomains(),
    "offline_tunnel": lambda c: c.offline_tunnel("homeassistant"),
    "refresh_tunnel": lambda c: c.refresh_tunnel("homeassistant"),
    "offline_user_nodes": lambda c: c.offline_user_nodes(),
    "qiandao_info": lambda c: c.qiandao_info(),
    "flow_last_7_days": lambda c: c.flow_last_7_days(),
    "tunnel_last7days": lambda c: c.tunnel_last7days("1"),
    "messages": lambda c: c.messages(),
    "ssl_list": lambda c: c.ssl_list(),
}
PUBLIC: dict[str, Ask] = {
    "login": lambda c: c.login("demo", "demo-password"),
    "sendmailcode": lambda c: c.sendmailcode("register", "new@example.com"),
    "register": lambda c: c.register("a", "b", "c", "d", "e"),
    "node": lambda c: c.node(),
    "node_stats": lambda c: c.node_stats(),
    "node_uptime": lambda c: c.node_uptime(30),
    "node_status_info": lambda c: c.node_status_info("成都电信"),
    "panelinfo": lambda c: c.panelinfo(),
    "list_available_domains": lambda c: c.list_available_domains(),
    "download_info": lambda c: c.download_info(),
}


@pytest.mark.parametrize("name", SIGNED)
async def test_a_wrong_token(session: ClientSession, chmlfrp: ChmlFrpService, name: str) -> None:
    """The documented refusal of every endpoint that requires a token."""
    client = ChmlFrpClient(Transport(session, (chmlfrp.url,)), FixedToken("wrong"))

    with refused(AuthenticationError, "无效的Token"):
        await SIGNED[name](client)


@pytest.mark.parametrize("code", [400, 403])
@pytest.mark.parametrize("words", ["无效的Token", "无效的登录状态", "错误的token"])
async def test_a_refused_token_with_another_code(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService, code: int, words: str
) -> None:
    chmlfrp.fault("*", "body", times=None, body={"code": code, "state": "fail", "msg": words})

    with refused(AuthenticationError, words):
        await client.userinfo()


@pytest.mark.parametrize("code", [200, "200"])
@pytest.mark.parametrize("state", ["fail", "error", "FAIL"])
async def test_a_state_other_than_success_is_a_refusal(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService, code: object, state: str
) -> None:
    chmlfrp.fault("*", "body", body={"code": code, "state": state, "msg": "节点维护中"})

    with refused(RejectedError, "节点维护中"):
        await client.offline_tunnel("homeassistant")


async def test_a_missing_or_null_state_is_success(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.fault("*", "patch", patch={"state": None})
    await client.userinfo()
    chmlfrp.fault("*", "patch", remove=("state",))
    await client.userinfo()


@pytest.mark.parametrize("name", SIGNED)
async def test_a_server_that_reads_the_token_as_documented(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService, name: str
) -> None:
    """In the query or the JSON body, after the header was refused."""
    chmlfrp.state.settings.token_in = ["query", "body"]
    await client.userinfo()
    chmlfrp.calls.clear()

    try:
        await SIGNED[name](client)
    except RejectedError:
        assert name in ("retoken", "reset_password", "update_free_subdomain")

    (call,) = chmlfrp.calls
    assert "Authorization" not in call.headers
    assert call.get("token") == chmlfrp.account.usertoken


async def test_an_accepted_header_is_kept(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    """A token that is refused later is not sent in a query."""
    await client.userinfo()
    chmlfrp.account.usertoken = "reset"
    chmlfrp.calls.clear()

    with pytest.raises(AuthenticationError):
        await client.userinfo()

    (call,) = chmlfrp.calls
    assert "token" not in call.query


@pytest.mark.parametrize("code_too", [True, False])
async def test_http_status_is_irrelevant(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService, code_too: bool
) -> None:
    chmlfrp.state.settings.http_status_follows_code = code_too

    with refused(GoneError, "隧道不存在"):
        await client.offline_tunnel("nothing")


ALL: dict[str, Ask] = {
    **SIGNED,
    **PUBLIC,
    "app_version": lambda c: c.app_version("Fabric", "1.20.1", "mcmod"),
    "message_list": lambda c: c.message_list(),
    "nodeinfo": lambda c: c.nodeinfo("成都电信"),
}


TROUBLES: tuple[tuple[str, dict[str, Any], Reason], ...] = (
    ("html", {"status": 403}, Reason.FIREWALL),
    ("html", {"status": 520}, Reason.SERVER_ERROR),
    ("html", {"status": 200}, Reason.FIREWALL),
    ("empty", {}, Reason.MALFORMED),
    ("wrong_type", {"shape": "list"}, Reason.MALFORMED),
    ("body", {"body": {"msg": "?"}}, Reason.MALFORMED),
    ("body", {"body": {"msg": "系统错误", "code": 500}}, Reason.SERVER_ERROR),
    ("body", {"body": {"msg": "无法连接至服务器", "code": 404}}, Reason.SERVER_ERROR),
    ("redirect", {}, Reason.REDIRECT),
)


@pytest.mark.parametrize("name, kind, options, reason", each_with_each(ALL, TROUBLES))
async def test_failures(
    *,
    client: ChmlFrpClient,
    chmlfrp: ChmlFrpService,
    name: str,
    kind: str,
    options: dict[str, Any],
    reason: Reason,
) -> None:
    """None of them counts as refused credentials."""
    chmlfrp.fault("*", kind, times=None, **options)

    with pytest.raises(UnavailableError) as failed:
        await ALL[name](client)

    assert failed.value.reason is reason


READS = {
    *("app_version", "download_info", "flow_last_7_days", "get_user_free_subdomains"),
    *("list_available_domains", "message_list", "messages", "node", "node_stats"),
    *("node_status_info", "node_uptime"),
    *("nodeinfo", "panelinfo", "qiandao_info", "refresh_tunnel", "ssl_list", "tunnel"),
    *("tunnel_config", "tunnel_last7days", "userinfo"),
}


@pytest.mark.parametrize("name", ALL)
async def test_only_reads_are_retried(
    client: ChmlFrpClient,
    chmlfrp: ChmlFrpService,
    name: str,
) -> None:
    """With GET or POST: a write may already have been done."""
    chmlfrp.fault("*", "status", status=502, times=None)

    with pytest.raises(UnavailableError):
        await ALL[name](client)

    assert len(chmlfrp.calls) == (2 if name in READS else 1)


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("body", ["404 page not found", {"error": "Not Found", "path": "/x"}])
@pytest.mark.parametrize("name", ["qiandao_info", "app_version", "node_status_info"])
async def test_a_missing_route(
    *,
    client: ChmlFrpClient,
    chmlfrp: ChmlFrpService,
    name: str,
    body: str | dict[str, object],
    status: int,
) -> None:
    """The server reports it as text or as JSON."""
    if isinstance(body, dict):
        body = {"status": status, **body}
    chmlfrp.fault("*", "body", status=status, body=body)

    with refused(UnsupportedError):
        await ALL[name](client)


async def test_an_html_404_is_not_a_missing_route(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService
) -> None:
    """A server in front of the service sends it, and it may be temporary."""
    chmlfrp.fault("*", "html", status=404, times=None)

    with pytest.raises(UnavailableError) as failed:
        await client.qiandao_info()

    assert failed.value.reason is Reason.FIREWALL


LISTS = ("tunnel", "node", "node_stats", "node_uptime", "list_available_domains", "messages")
OBJECTS = ("userinfo", "panelinfo", "qiandao_info", "ssl_list", "node_status_info")


@pytest.mark.parametrize("name", LISTS + OBJECTS)
async def test_data_of_a_wrong_type(
    client: ChmlFrpClient, chmlfrp: ChmlFrpService, name: str
) -> None:
    chmlfrp.fault("*", "patch", patch={"data": "?"}, times=None)

    with pytest.raises(UnavailableError) as failed:
        await ALL[name](client)

    assert failed.value.reason is Reason.MALFORMED


async def test_too_many_requests(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.fault("/userinfo", "status", status=429, headers={"Retry-After": "30"})

    with pytest.raises(UnavailableError) as failed:
        await client.userinfo()

    assert (failed.value.reason, failed.value.retry_after) == (Reason.RATE_LIMITED, 30)


async def test_secrets_in_messages_are_redacted(
    session: ClientSession, chmlfrp: ChmlFrpService
) -> None:
    transport = Transport(session, (chmlfrp.url,))
    client = ChmlFrpClient(transport, FixedToken(chmlfrp.account.usertoken))
    await client.userinfo()
    words = f"{chmlfrp.account.usertoken} of demo@example.com"
    chmlfrp.fault("/tunnel", "body", body={"msg": words, "code": 400})

    with refused(RejectedError, "** of **"):
        await client.tunnel()


async def test_a_refusal_without_message(client: ChmlFrpClient, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.fault("/tunnel", "body", body={"code": 418})

    with refused(RejectedError, "418"):
        await client.tunnel()
