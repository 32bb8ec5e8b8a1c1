"""ChmlFrp's endpoints, how it refuses, and how it fails."""

from typing import Any

import aiohttp
import pytest

from simulator import Route
from simulator.chmlfrp import ChmlFrpService

from .conftest import Panel

DOCUMENTED = """
GET /login, POST /sendmailcode, GET /register, GET /userinfo, GET /retoken, POST /qiandao,
GET /reset_password, GET /update_username, GET /update_qq, GET /update_userimg,
GET /tunnel, POST /create_tunnel, POST /deletetunnel, POST /update_tunnel, GET /tunnel_config,
GET /node, GET /nodeinfo, GET /node_stats, GET /node_uptime, GET /node_status_info,
GET /panelinfo, GET /app_version,
GET /list_available_domains, POST /create_free_subdomain, POST /delete_free_subdomain,
POST /update_free_subdomain, GET /get_user_free_subdomains
"""
UNDOCUMENTED = """
GET /delete_tunnel, POST /offline_tunnel, POST /refresh_tunnel, GET /tunnel/last7days,
GET /qiandao_info, GET /flow_last_7_days, GET /messages, GET /message/list, GET /ssl/list,
GET /offline_user_nodes, GET /message/detail, GET /download_info
"""
ACCOUNT_CENTER = """
POST /oauth2/device_authorization, POST /oauth2/token,
GET /oauth-device-verify, POST /oauth-device-verify
"""
OPEN_TO_ALL = {
    *("/login", "/sendmailcode", "/register", "/node", "/node_stats", "/node_uptime"),
    *("/node_status_info", "/panelinfo", "/app_version", "/list_available_domains"),
    *("/message/list", "/message/detail", "/download_info", "/deletetunnel"),
}


def routes(text: str) -> list[Route]:
    return [Route(*route.split()) for route in text.split(",")]


def test_every_endpoint_is_served() -> None:
    documented = routes(DOCUMENTED)

    assert len(documented) == 27
    assert {*documented, *routes(UNDOCUMENTED), *routes(ACCOUNT_CENTER)} == set(
        ChmlFrpService.ROUTES
    )


@pytest.mark.parametrize(
    "route",
    [route for route in routes(DOCUMENTED) + routes(UNDOCUMENTED) if route.path not in OPEN_TO_ALL],
    ids=lambda route: route.path,
)
async def test_nothing_of_an_account_without_a_token(visitor: Panel, route: Route) -> None:
    words = "错误的token" if route.path == "/nodeinfo" else "无效的Token"
    refusal = {"msg": words, "code": 401, "state": "fail"}

    assert await visitor.ask(route.method, route.path) == refusal
    visitor.token = "bad"
    assert await visitor.ask(route.method, route.path) == refusal


CAPTCHA = {"lot_number": "1", "captcha_output": "2", "pass_token": "3", "gen_time": "4"}
NEW_ACCOUNT = {
    "username": "new",
    "password": "new-password",
    "mail": "new@example.com",
    "qq": "10003",
    "code": "666666",
}
BAD_PASSWORD = "密码不符合要求，长度在6到48个字符之间，并且至少包含字母、数字和符号中的两种。"
RECORD = {"domain": "frp.example", "record": "new", "type": "A", "target": "192.0.2.1"}
REFUSALS: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("GET", "/login", {"username": "demo", "password": "x"}, "缺少 access_token 参数"),
    ("POST", "/sendmailcode", {"type": "retoken"}, "缺少 mail 参数"),
    ("POST", "/sendmailcode", {"type": "retoken", "mail": "John"}, "邮箱格式错误"),
    ("POST", "/sendmailcode", {"type": "party", "mail": "j@example.com"}, "验证码类型错误"),
    ("GET", "/register", NEW_ACCOUNT | {"code": ""}, "缺少 code 参数"),
    ("GET", "/register", NEW_ACCOUNT, "验证码错误"),
    ("GET", "/register", NEW_ACCOUNT | {"username": "demo"}, "用户名已存在"),
    ("GET", "/register", NEW_ACCOUNT | {"password": "123456"}, BAD_PASSWORD),
    ("GET", "/register", NEW_ACCOUNT | {"password": "a1!"}, BAD_PASSWORD),
    ("GET", "/retoken", {}, "缺少 code 参数"),
    ("GET", "/retoken", {"code": "666666"}, "验证码错误"),
    ("POST", "/qiandao", {}, "人机验证失败"),
    ("POST", "/qiandao", CAPTCHA | {"pass_token": ""}, "人机验证失败"),
    (
        "GET",
        "/reset_password",
        {"original_password": "wrong-1", "new_password": "new-password"},
        "原密码错误",
    ),
    (
        "GET",
        "/reset_password",
        {"original_password": "demo-password", "new_password": "secret"},
        BAD_PASSWORD,
    ),
    ("GET", "/update_username", {"new_username": "other"}, "用户名已存在"),
    ("GET", "/update_qq", {"new_qq": "many"}, "QQ号格式错误"),
    (
        "GET",
        "/update_userimg",
        {"new_userimg": "https://q.qlogo.cn/g?b=qq&nk=10001&s=100"},
        "新头像不能与当前头像相同",
    ),
    ("GET", "/nodeinfo", {}, "缺少 node 参数"),
    ("GET", "/nodeinfo", {"node": "月球CN2"}, "节点不存在"),
    ("GET", "/node_uptime", {}, "缺少 time 参数"),
    ("GET", "/node_uptime", {"time": "91"}, "time 应在 1-90 之间"),
    ("GET", "/node_uptime", {"time": "30", "node": "月球多线"}, "节点不存在"),
    ("GET", "/node_status_info", {"nodename": "月球CN2"}, "节点不存在"),
    ("GET", "/tunnel_config", {"node": "月球CN2"}, "节点不存在"),
    ("GET", "/tunnel_config", {"node": "成都电信", "tunnel_names": "ssh"}, "隧道不存在"),
    (
        "GET",
        "/tunnel_config",
        {"node": "成都电信", "tunnel_names": "homeassistant,ssh"},
        "隧道不存在",
    ),
    ("GET", "/delete_tunnel", {}, "缺少 tunnelid 参数"),
    ("GET", "/delete_tunnel", {"tunnelid": "17"}, "隧道不存在"),
    ("GET", "/tunnel/last7days", {"tunnel_id": "17"}, "隧道不存在"),
    ("POST", "/offline_tunnel", {"tunnel_name": "homeassistant"}, "缺少 tunnel_name 参数"),
    ("POST", "/refresh_tunnel", {"tunnel_name": "homeassistant"}, "缺少 tunnel_name 参数"),
    ("POST", "/create_free_subdomain", RECORD, "TTL错误"),
    ("POST", "/create_free_subdomain", RECORD | {"ttl": "3分钟"}, "TTL错误"),
    ("POST", "/create_free_subdomain", RECORD | {"domain": "frp.wrong"}, "域名不存在"),
    ("POST", "/create_free_subdomain", RECORD | {"record": "a b"}, "记录格式错误"),
    ("POST", "/create_free_subdomain", RECORD | {"type": "TXT"}, "记录类型错误"),
    ("POST", "/create_free_subdomain", RECORD | {"record": "home"}, "该记录已存在"),
    ("POST", "/update_free_subdomain", RECORD, "域名记录不存在"),
    ("POST", "/update_free_subdomain", RECORD | {"record": "home"}, "TTL错误"),
    ("POST", "/delete_free_subdomain", RECORD, "域名记录不存在"),
)


@pytest.mark.parametrize("method, path, fields, message", REFUSALS)
async def test_a_refusal_is_json_of_http_200(
    panel: Panel, method: str, path: str, fields: dict[str, str], message: str
) -> None:
    request: dict[str, Any] = {"params" if method == "GET" else "json": fields}

    answer = await panel.ask(method, path, **request)

    assert answer == {"msg": message, "code": 400, "state": "fail"}


async def test_the_one_refusal_whose_state_is_error(panel: Panel) -> None:
    answer = await panel.get("/update_userimg", new_userimg="favicon.ico")

    assert answer == {"msg": "无效的链接", "code": 400, "state": "error"}


async def test_a_refusal_with_its_code_as_http_status(
    chmlfrp: ChmlFrpService, visitor: Panel
) -> None:
    chmlfrp.state.settings.http_status_follows_code = True

    answer = await visitor.ask("GET", "/userinfo", status=401)

    assert answer == {"msg": "无效的Token", "code": 401, "state": "fail"}


async def test_some_answers_come_without_a_state(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    for path in ("/node", "/panelinfo"):
        assert "state" not in await visitor.get(path)
    assert (await visitor.get("/node_stats"))["state"] == "success"

    chmlfrp.state.settings.state_everywhere = True
    for path in ("/node", "/panelinfo"):
        assert (await visitor.get(path))["state"] == "success"


async def test_what_is_not_there_is_a_plain_404(visitor: Panel) -> None:
    for path in ("/app_version", "/nowhere"):
        answer = await visitor.ask(
            "GET", path, 404, params={"Loader": "Fabric", "Minecraft": "1.20.1", "type": "mcmod"}
        )
        assert answer == {
            "timestamp": "2026-11-20T04:00:00.000+00:00",
            "status": 404,
            "error": "Not Found",
            "path": path,
        }


async def test_the_account_center_and_the_api_are_two_addresses(
    chmlfrp: ChmlFrpService, visitor: Panel
) -> None:
    assert chmlfrp.oauth_url != chmlfrp.url

    await visitor.ask("POST", "/oauth2/token", 404)
    visitor.url = chmlfrp.oauth_url
    await visitor.ask("GET", "/node", 404)


async def test_failures_inside(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    chmlfrp.fault("*", "error", times=None)

    for path in ("/node", "/node_stats", "/node_uptime", "/node_status_info", "/panelinfo"):
        answer = await visitor.get(path)
        assert answer == {"msg": "无法连接至服务器", "code": 404, "state": "fail"}
    missing = await visitor.ask("GET", "/list_available_domains", 404)
    assert (missing["status"], missing["error"]) == (404, "Not Found")
    broken = await visitor.ask("GET", "/userinfo", 500)
    assert (broken["status"], broken["error"]) == (500, "Internal Server Error")


async def test_the_firewall_lets_no_script_in(chmlfrp: ChmlFrpService) -> None:
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"User-Agent": ""}):
            async with session.get(f"{chmlfrp.url}/node", headers=headers) as response:
                assert (response.status, response.content_type) == (403, "text/html")
        chmlfrp.state.settings.blocks_scripts = False
        async with session.get(f"{chmlfrp.url}/node") as response:
            assert response.status == 200
