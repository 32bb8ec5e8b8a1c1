"""Tests the simulated ChmlFrp: answers as documented, and changes over time."""

from configparser import ConfigParser
from typing import Any

import aiohttp
import pytest

from simulator import Simulator
from simulator.chmlfrp import ChmlFrpService

from .conftest import DAY, HOUR, Clock, Panel

# Refusals and errors

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
async def test_refusals_are_json_with_http_200(
    panel: Panel, method: str, path: str, fields: dict[str, str], message: str
) -> None:
    request: dict[str, Any] = {"params" if method == "GET" else "json": fields}

    answer = await panel.ask(method, path, **request)

    assert answer == {"msg": message, "code": 400, "state": "fail"}


async def test_unknown_routes_are_plain_404(visitor: Panel) -> None:
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


async def test_internal_errors(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    chmlfrp.fault("*", "error", times=None)

    for path in ("/node", "/node_stats", "/node_uptime", "/node_status_info", "/panelinfo"):
        answer = await visitor.get(path)
        assert answer == {"msg": "无法连接至服务器", "code": 404, "state": "fail"}
    missing = await visitor.ask("GET", "/list_available_domains", 404)
    assert (missing["status"], missing["error"]) == (404, "Not Found")
    broken = await visitor.ask("GET", "/userinfo", 500)
    assert (broken["status"], broken["error"]) == (500, "Internal Server Error")


async def test_firewall_blocks_scripts(chmlfrp: ChmlFrpService) -> None:
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"User-Agent": ""}):
            async with session.get(f"{chmlfrp.url}/node", headers=headers) as response:
                assert (response.status, response.content_type) == (403, "text/html")
        chmlfrp.state.settings.blocks_scripts = False
        async with session.get(f"{chmlfrp.url}/node") as response:
            assert response.status == 200


# Accounts


async def test_account_as_documented(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    answer = await panel.get("/userinfo")

    tunnels = chmlfrp.state.tunnels
    assert answer == {
        "msg": "请求成功",
        "code": 200,
        "data": {
            "id": 227,
            "username": "demo",
            "password": None,
            "userimg": "https://q.qlogo.cn/g?b=qq&nk=10001&s=100",
            "qq": "10001",
            "email": "demo@example.com",
            "usertoken": chmlfrp.account.usertoken,
            "usergroup": "超级会员",
            "bandwidth": 50,
            "tunnel": 15,
            "realname": "已实名",
            "login_attempts": 0,
            "integral": 15168,
            "term": "9999-09-09",
            "scgm": None,
            "regtime": "2025-08-27",
            "t_token": None,
            "realname_count": None,
            "total_download": round(chmlfrp.account.total_in or 0),
            "total_upload": round(chmlfrp.account.total_out or 0),
            "tunnelCount": 5,
            "totalCurConns": tunnels["1"].connections,
        },
        "state": "success",
    }
    assert answer["data"]["totalCurConns"] > 0
    assert answer["data"]["total_download"] > 0


async def test_login_with_access_token(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    answer = await visitor.get("/login", access_token=chmlfrp.account.usertoken)
    assert (answer["msg"], answer["data"]["id"]) == ("登录成功", 227)

    refused = await visitor.get("/login", access_token="bad")
    assert refused == {"msg": "无效的登录状态", "code": 401, "state": "fail"}


async def test_daily_sign_in(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    before = (await panel.get("/qiandao_info"))["data"]
    assert before == {
        "is_signed_in_today": False,
        "last_sign_in_time": "2026-11-19 00:00:00",
        "total_points": 1204,
        "total_sign_ins": 112,
        "count_of_matching_records": 1204,
    }

    answer = await panel.post("/qiandao", **CAPTCHA)
    gained = chmlfrp.account.total_points - 1204
    assert gained > 0
    assert answer == {"msg": f"签到成功, 获得{gained}积分", "code": 200, "state": "success"}
    assert chmlfrp.account.integral == 15168 + gained
    after = (await panel.get("/qiandao_info"))["data"]
    assert after == {
        "is_signed_in_today": True,
        "last_sign_in_time": "2026-11-20 12:00:00",
        "total_points": 1204 + gained,
        "total_sign_ins": 113,
        "count_of_matching_records": 1205,
    }


# Nodes

SAMPLE_FIELDS = {
    *("proxy_https", "download_bandwidth_usage_percent", "cur_conns", "sent_packets"),
    *("memory_used", "active_conn", "recv_packets", "proxy_tcp", "proxy_udp", "proxy_http"),
    *("upload_bandwidth_usage_percent", "cpu_usage", "page_tables", "passive_conn"),
    *("timestamp", "client_counts"),
}


async def test_node_list(visitor: Panel) -> None:
    rows = (await visitor.get("/node"))["data"]

    assert len(rows) == 8
    assert rows[0] == {
        "id": 1,
        "name": "成都电信",
        "area": "中国四川成都",
        "nodegroup": "user",
        "china": "yes",
        "web": "yes",
        "udp": "true",
        "fangyu": "true",
        "notes": "大带宽,适合建站",
        "ipv6": False,
    }
    assert {row["nodegroup"] for row in rows} == {"user", "vip"}


async def test_node_details(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    node = chmlfrp.state.nodes["5"]

    data = (await panel.get("/nodeinfo", node="宁波移动"))["data"]

    expected = {
        "udp": "true",
        "total_traffic_in": round(node.traffic_in),
        "notes": node.notes,
        "cpu_info": node.cpu_info,
        "fangyu": "true",
        "rport": "20000-30000",
        "storage_total": 160_801_107_968,
        "nodegroup": "user",
        "apitoken": node.api_token,
        "web": "no",
        "ipv6": None,
        "toowhite": False,
        "uptime_seconds": int(chmlfrp.now() - node.booted_at),
        "id": 5,
        "state": "online",
        "bandwidth_usage_percent": node.bandwidth_usage_percent,
        "memory_total": 16_779_546_624,
        "nodetoken": node.node_token,
        "load15": node.load15,
        "area": "中国浙江宁波",
        "realIp": node.real_ip,
        "ip": "nb.frp.example.com",
        "num_cores": 8,
        "coordinates": "121.550357,29.874556",
        "load5": node.load5,
        "version": node.version,
        "load1": node.load1,
        "china": "yes",
        "port": 7000,
        "total_traffic_out": round(node.traffic_out),
        "name": "宁波移动",
        "adminPort": 8233,
        "storage_used": node.storage_used,
    }
    assert data == expected


async def test_node_load(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    rows = (await visitor.get("/node_stats"))["data"]

    node = chmlfrp.state.nodes["1"]
    assert rows[0] == {
        "total_traffic_in": round(node.traffic_in),
        "total_traffic_out": round(node.traffic_out),
        "cur_counts": node.connections,
        "node_name": "成都电信",
        "id": 1,
        "state": "online",
        "bandwidth_usage_percent": node.bandwidth_usage_percent,
        "cpu_usage": node.cpu_usage,
        "nodegroup": "user",
        "client_counts": node.clients,
        "tunnel_counts": node.tunnels,
    }
    assert [row["state"] for row in rows][-2:] == ["maintenance", "offline"]


async def test_node_uptimes(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    answer = await visitor.get("/node_uptime", time="3")
    assert len(answer["data"]) == 8
    row = answer["data"][0]
    assert (row["node_name"], row["state"], row["id"], row["group"]) == (
        *("成都电信", "online", 1),
        "user",
    )
    assert row["history_uptime"] == [
        {"recorded_at": f"2026-11-{day}", "uptime": percent}
        for day, percent in zip((18, 19, 20), chmlfrp.state.nodes["1"].uptimes[-3:], strict=True)
    ]
    assert 90 < row["history_uptime"][-1]["uptime"] <= 100

    (one,) = (await visitor.get("/node_uptime", time="90", node="东京直连"))["data"]
    days = [entry["recorded_at"] for entry in one["history_uptime"]]
    assert (len(days), "2026-10-11" in days) == (89, False)


async def test_node_history_of_a_day_is_about_two_megabytes(visitor: Panel) -> None:
    url = f"{visitor.url}/node_status_info"
    async with visitor.session.get(url, params={"nodename": "成都电信"}) as response:
        body = await response.read()
        data: Any = (await response.json())["data"]

    assert 1.8e6 < len(body) < 2.2e6
    assert data["node_details"]["cpu_info"]
    first, second, *_ = data["status_list"]
    assert set(first) == SAMPLE_FIELDS
    assert first["timestamp"] == "2026-11-20T04:00:00.000+00:00"
    assert second["timestamp"] == "2026-11-20T03:59:40.000+00:00"


# Tunnels

NEW_TUNNEL: dict[str, object] = {
    "tunnelname": "jellyfin",
    "node": "成都电信",
    "localip": "192.168.1.9",
    "porttype": "tcp",
    "localport": 8096,
    "remoteport": 36981,
    "encryption": False,
    "compression": "true",
    "extraparams": "",
}
WEB: dict[str, object] = {"porttype": "HTTPS", "remoteport": None, "banddomain": "j.example.com"}
NEWER = {"server_port", "node_ip", "node_ipv6", "node_token"}


async def rows(panel: Panel) -> dict[int, Any]:
    return {row["id"]: row for row in (await panel.get("/tunnel"))["data"]}


async def test_row_as_documented(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    chmlfrp.state.settings.newer_rows = False
    tunnel = chmlfrp.state.tunnels["1"]

    answer = await panel.get("/tunnel")

    assert (answer["msg"], answer["code"], answer["state"]) == ("获取隧道数据成功", 200, "success")
    assert answer["data"][0] == {
        "id": 1,
        "name": "homeassistant",
        "localip": "127.0.0.1",
        "type": "tcp",
        "nport": 8123,
        "dorp": "20001",
        "node": "成都电信",
        "state": "true",
        "userid": 227,
        "encryption": "true",
        "compression": "false",
        "ap": "",
        "uptime": "2026-11-20T03:00:00.000+00:00",
        "client_version": "ChmlFrp-0.51.2_251023",
        "today_traffic_in": round(tunnel.rate_in * 12 * HOUR),
        "today_traffic_out": round(tunnel.rate_out * 12 * HOUR),
        "cur_conns": tunnel.connections,
        "nodestate": "online",
        "ip": "cd.frp.example.com",
    }


async def test_newer_row_has_secret_of_node(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    row = (await rows(panel))[1]

    node = chmlfrp.state.nodes["1"]
    assert {name: row[name] for name in NEWER} == {
        "server_port": 7000,
        "node_ip": node.real_ip,
        "node_ipv6": None,
        "node_token": node.node_token,
    }


async def test_frpc_configuration(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    await panel.post("/create_tunnel", **NEW_TUNNEL | WEB | {"extraparams": "locations = /"})

    async def sections(**query: str) -> ConfigParser:
        answer = await panel.get("/tunnel_config", node="成都电信", **query)
        assert answer["msg"] == "配置文件获取成功"
        parser = ConfigParser()
        parser.read_string(answer["data"])
        return parser

    everything = await sections()
    assert everything.sections() == ["common", "homeassistant", "jellyfin"]
    assert dict(everything["common"]) == {
        "server_addr": "cd.frp.example.com",
        "server_port": "7000",
        "tls_enable": "false",
        "user": chmlfrp.account.usertoken,
        "token": "ChmlFrpToken",
    }
    assert dict(everything["homeassistant"]) == {
        "type": "tcp",
        "local_ip": "127.0.0.1",
        "local_port": "8123",
        "remote_port": "20001",
        "use_encryption": "true",
    }
    assert dict(everything["jellyfin"]) == {
        "type": "https",
        "local_ip": "192.168.1.9",
        "local_port": "8096",
        "custom_domains": "j.example.com",
        "use_compression": "true",
        "locations": "/",
    }
    assert (await sections(tunnel_names="jellyfin")).sections() == ["common", "jellyfin"]
    both = await sections(tunnel_names="jellyfin,homeassistant")
    assert both.sections() == everything.sections()


# Time


async def test_traffic_of_online_tunnels_grows(chmlfrp: ChmlFrpService) -> None:
    tunnel, node, account = chmlfrp.state.tunnels["1"], chmlfrp.state.nodes["1"], chmlfrp.account
    total = account.total_in or 0
    before = tunnel.days[-1].traffic_in, node.traffic_out, account.days[-1].traffic_in, total

    chmlfrp.advance(100)

    after = (
        *(tunnel.days[-1].traffic_in, node.traffic_out),
        *(account.days[-1].traffic_in, account.total_in or 0),
    )
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx(
        [tunnel.rate_in * 100, node.rate_out * 100, tunnel.rate_in * 100, tunnel.rate_in * 100]
    )


async def test_traffic_of_offline_tunnels_stays(chmlfrp: ChmlFrpService) -> None:
    def counters() -> list[float]:
        still = [tunnel for tunnel in chmlfrp.state.tunnels.values() if not chmlfrp.online(tunnel)]
        nodes = [node for node in chmlfrp.state.nodes.values() if node.state != "online"]
        return [
            *(tunnel.days[-1].traffic_in for tunnel in still),
            *(node.traffic_in for node in nodes),
        ]

    before = counters()
    assert len(before) == 6
    chmlfrp.advance(HOUR)
    assert counters() == before


async def test_days_end_at_midnight_in_shanghai(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    tunnel, node = chmlfrp.state.tunnels["1"], chmlfrp.state.nodes["1"]
    whole_day = tunnel.rate_in * DAY

    chmlfrp.advance(13 * HOUR)

    assert tunnel.days[-1].traffic_in == pytest.approx(tunnel.rate_in * HOUR)
    assert tunnel.days[-2].traffic_in == pytest.approx(whole_day)
    assert node.traffic_in == pytest.approx(node.rate_in * HOUR)
    assert len(tunnel.days) == 7
    flow = (await panel.get("/flow_last_7_days"))["data"]
    assert [row["time"] for row in flow][-2:] == ["11-20", "11-21"]
    assert flow[-1]["traffic_in"] == round(tunnel.rate_in * HOUR)
    assert (await panel.get("/qiandao_info"))["data"]["count_of_matching_records"] == 0


@pytest.mark.parametrize("nodes", [0, 1, 2, 3, 20])
async def test_worlds_of_any_size(clock: Clock, nodes: int) -> None:
    async with Simulator(["chmlfrp"], tunnels=12, nodes=nodes, clock=clock) as simulator:
        chmlfrp = simulator.get(ChmlFrpService)

        states = [node.state for node in chmlfrp.state.nodes.values()]
        assert len(states) == nodes
        assert len({node.name for node in chmlfrp.state.nodes.values()}) == nodes
        tunnels = chmlfrp.state.tunnels.values()
        assert len({tunnel.name for tunnel in tunnels}) == 12
        conditions = {chmlfrp.condition(tunnel) for tunnel in tunnels}
        assert "node_removed" in conditions
        assert ("online" in conditions) == (nodes > 0)
        assert (states[-2:] == ["maintenance", "offline"]) == (nodes >= 3)
        assert ({"node_offline", "node_maintenance"} <= conditions) == (nodes >= 3)
