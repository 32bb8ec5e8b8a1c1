"""Tests the simulated HayFrp: answers as documented, and changes over time."""

import asyncio
from configparser import ConfigParser
import tomllib
from typing import Any

import aiohttp
import pytest

from simulator import Simulator
from simulator.hayfrp import HayFrpService
from simulator.hayfrp.varying_types import representations, vary_types

from .conftest import BROKEN, DAY, HOUR, NOON, Client

# Refusals


def refusal(status: int, message: str, **extra: None) -> dict[str, object]:
    return {"status": status, "message": message, **extra}


PROFILE = {"user": "new", "device": "ha", "email": "new@example.com"}
REGISTRATION = {**PROFILE, "passwd": "new-password", "regcode": "1"}
TUNNEL_KINDS = ("add", "edit", "remove", "list", "config", "toggle", "check", "forcedown")
REFUSALS: dict[str, tuple[tuple[str, dict[str, str], dict[str, object]], ...]] = {
    "/user": (
        ("", {}, refusal(404, "无用户类型.")),
        ("fly", {}, refusal(404, "无用户类型.")),
        ("login", {"passwd": "x"}, refusal(404, "user不能为空.")),
        ("login", {"user": "demo", "passwd": ""}, refusal(404, "passwd不能为空.")),
        (
            "login",
            {"user": "demo", "passwd": "wrong"},
            refusal(403, "登录失败,您的密码有误.", token=None),
        ),
        ("login", {"user": "unknown", "passwd": "x"}, refusal(404, "用户还没有注册.", token=None)),
        *(
            (kind, {"csrf": ""}, refusal(404, "csrf不能为空."))
            for kind in ("csrf", "info", "sign", "retoken")
        ),
        *(
            (kind, {"csrf": "bad"}, refusal(403, "登录无效或已过期.", token=None))
            for kind in ("csrf", "info", "retoken")
        ),
        ("sign", {"csrf": "bad"}, refusal(404, "CSRF临时授权无效或已过期.", flow=None)),
        ("sendregcode", {**PROFILE, "email": ""}, refusal(404, "email不能为空.")),
        ("sendregcode", {**PROFILE, "email": "not-a-mail"}, refusal(500, BROKEN)),
        ("register", {**REGISTRATION, "regcode": ""}, refusal(404, "regcode不能为空.")),
        ("register", {**REGISTRATION, "user": "demo"}, refusal(403, "用户名已存在.")),
        (
            "register",
            REGISTRATION,
            refusal(404, "验证码有误或者原用户名/邮箱在发送验证码后已更改,请重新发送."),
        ),
        ("findpassem", {}, refusal(404, "电子邮件或用户名不能为空.")),
        ("findpassem", {"user": "unknown"}, refusal(404, "未找到账户,请检查您的用户名或邮箱.")),
        ("findpassct", {"token": "x"}, refusal(404, "newpass不能为空.")),
        (
            "findpassct",
            {"token": "x", "newpass": "y"},
            refusal(500, "密码重置失败,请检查您的Token后重试."),
        ),
    ),
    "/proxy": (
        *((kind, {"csrf": "bad"}, refusal(403, "登录无效或已过期.")) for kind in TUNNEL_KINDS),
        *((kind, {"csrf": ""}, refusal(404, "csrf不能为空.")) for kind in TUNNEL_KINDS),
        *(
            (kind, {}, refusal(404, "id不能为空."))
            for kind in ("edit", "remove", "toggle", "check", "forcedown")
        ),
        ("add", {}, refusal(404, "proxy_name不能为空.")),
        ("config", {}, refusal(404, "format不能为空.")),
        ("config", {"format": "ini", "node": "", "proxy": ""}, refusal(404, "proxy不能为空.")),
    ),
}


@pytest.mark.parametrize(
    "path, kind, fields, answer",
    [(path, *refusal) for path, refusals in REFUSALS.items() for refusal in refusals],
)
async def test_refusals(
    demo: Client, path: str, kind: str, fields: dict[str, Any], answer: dict[str, Any]
) -> None:
    assert await demo.ask(path, kind, **fields) == answer


async def test_firewall_requires_its_header(hayfrp: HayFrpService) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{hayfrp.url}/version") as response,
    ):
        assert (response.status, response.content_type) == (403, "text/html")
    assert hayfrp.calls[0].status == 403


# As documented


async def test_info_contains_the_account(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.settings.wandering_types = False
    hayfrp.account.today_bytes = 12345

    answer = await demo.ask("/user", "info")

    assert answer == {
        "status": True,
        "message": "CSRF 仍然在有效范围内,成功获取用户数据.",
        "id": "114514",
        "username": "demo",
        "token": hayfrp.account.link_token,
        "email": "demo@example.com",
        "traffic": "51200",
        "realname": "true",
        "proxies": "15",
        "useproxies": "5",
        "regtime": str(int(NOON) - 400 * DAY),
        "signdate": None,
        "totalsign": None,
        "totaltraffic": None,
        "todaytraffic": "12345",
        "qid": None,
        "sprovider": "false",
        "uuid": hayfrp.account.uuid,
    }


async def test_sign_counts_once_a_day(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.settings.wandering_types = False
    first = await demo.ask("/user", "sign")
    second = await demo.ask("/user", "sign")

    gained, left = first["signflow"], first["flow"]
    assert first == {
        "status": 200,
        "message": f"🎉签到成功,您今天获得了{gained}GB的流量,您目前还剩{left}GB流量.",
        "signflow": gained,
        "flow": left,
    }
    assert 1 <= float(gained) < 5
    assert float(left) == pytest.approx(50 + float(gained))
    assert second == {"status": 403, "message": "您今天已经签到过了,请明天再来吧.", "flow": None}
    info = await demo.ask("/user", "info")
    assert info["signdate"] == str(int(NOON))
    assert (info["totalsign"], info["totaltraffic"]) == ("1", gained)


async def test_nodes_without_probe_data(client: Client) -> None:
    probes, nodes = await asyncio.gather(client.get("/node"), client.get("/nodes"))

    assert (probes["status"], probes["message"], probes["number"]) == (200, "获取成功", 6)
    assert [row["id"] for row in probes["servers"]] == ["1", "2", "3", "4", "5", "7"]
    assert {row["status"] for row in probes["servers"]} <= {"无负荷", "低负荷", "中负荷", "高负荷"}
    assert [row["id"] for row in nodes["servers"]] == [str(number) for number in range(1, 9)]
    assert nodes["servers"][0] == {
        "id": "1",
        "name": "中国-苏州-永乐云服务器",
        "description": "[|1000Mbps | 国内穿透推荐]",
    }


async def test_probe_has_every_documented_field(hayfrp: HayFrpService, client: Client) -> None:
    hayfrp.state.settings.wandering_types = False
    node = hayfrp.state.nodes["1"]

    answer = await client.get("/node")

    assert answer["servers"][0] == {
        "id": "1",
        "name": "中国-苏州-永乐云服务器",
        "version": "0.59.0",
        "bind_port": "7000",
        "bind_udp_port": "0",
        "vhost_http_port": "80",
        "vhost_https_port": "443",
        "kcp_bind_port": "7000",
        "subdomain_host": "",
        "max_pool_count": "1000",
        "max_ports_per_client": "0",
        "heart_beat_timeout": "-1",
        "total_traffic_in": str(int(node.traffic_in)),
        "total_traffic_out": str(int(node.traffic_out)),
        "cur_conns": str(node.connections),
        "client_counts": str(hayfrp.clients_at(node)),
        "cpu_usage": f"{node.cpu:.2f}%",
        "ram_usage": f"{node.ram:.2f}%",
        "disk_usage": f"{node.disk:.2f}%",
        "status": node.load,
    }


async def test_totals_of_the_service(hayfrp: HayFrpService, client: Client) -> None:
    answer = await client.get("/info")

    numbers = {name: int(value) for name, value in answer.items()}
    assert numbers["aflow"] == pytest.approx(numbers["aflowin"] + numbers["aflowout"], abs=1)
    assert numbers["eflow"] == pytest.approx(numbers["eflowin"] + numbers["eflowout"], abs=1)
    online = [node for node in hayfrp.state.nodes.values() if node.online]
    assert numbers["oclient"] == sum(hayfrp.clients_at(node) for node in online)
    assert numbers.keys() == {
        *("status", "aflow", "aflowin", "aflowout", "eflow", "eflowin", "eflowout"),
        *("oclient", "totalrun", "todayrun"),
    }


async def test_tunnel_row(demo: Client) -> None:
    answer = await demo.ask("/proxy", "list", id="1")

    assert answer == {
        "status": 200,
        "message": "获取成功.",
        "proxies": [
            {
                "id": "1",
                "uuid": None,
                "username": "demo",
                "proxy_name": "homeassistant",
                "proxy_type": "tcp",
                "local_ip": "127.0.0.1",
                "local_port": "8123",
                "use_encryption": "true",
                "use_compression": "false",
                "domain": "",
                "locations": "",
                "host_header_rewrite": "",
                "remote_port": "10001",
                "sk": "",
                "header_X-From-Where": "",
                "status": "true",
                "lastupdate": str(int(NOON) - HOUR),
                "node": "1",
                "node_name": "中国-苏州-永乐云服务器",
                "node_domain": "suzhou.frp.example.com",
            }
        ],
    }


async def test_config_of_one_tunnel_as_ini(hayfrp: HayFrpService, demo: Client) -> None:
    file = ConfigParser()
    file.read_string(await demo.ask("/proxy", "config", proxy="1", node="", format="ini"))

    assert file.sections() == ["common", "homeassistant"]
    assert file["common"]["user"] == hayfrp.account.link_token
    assert dict(file["homeassistant"]) == {
        "type": "tcp",
        "local_ip": "127.0.0.1",
        "local_port": "8123",
        "remote_port": "10001",
        "use_encryption": "true",
        "use_compression": "false",
    }


async def test_config_of_a_node_as_toml(hayfrp: HayFrpService, demo: Client) -> None:
    hayfrp.state.tunnels["2"].node = "1"
    hayfrp.state.tunnels["3"].node = "1"
    hayfrp.state.tunnels["3"].username = "other"

    file = tomllib.loads(await demo.ask("/proxy", "config", node="1", proxy="", format="toml"))

    assert file["user"] == hayfrp.account.link_token
    assert (file["serverAddr"], file["serverPort"]) == ("suzhou.frp.example.com", 7000)
    assert [proxy["name"] for proxy in file["proxies"]] == ["homeassistant", "nas"]
    assert file["proxies"][1] == {
        "name": "nas",
        "type": "https",
        "localIP": "192.168.1.20",
        "localPort": 5001,
        "customDomains": ["nas.example.com"],
        "transport": {"useEncryption": False, "useCompression": False},
    }


async def test_run_token(demo: Client) -> None:
    first, second = [await demo.ask("/esirun", "create", id="1") for _ in range(2)]

    assert first["status"] == 200
    assert first["token"] != second["token"]
    assert (await demo.ask("/esirun", "create", id="99"))["status"] == 404


# Time


async def test_client_of_enabled_tunnel_reconnects_after_a_while(
    hayfrp: HayFrpService, demo: Client
) -> None:
    """Also if the tunnel was kicked."""
    hayfrp.state.settings.reconnects_after = 30
    await demo.ask("/proxy", "forcedown", id="1")
    for number in "12":
        await demo.ask("/proxy", "toggle", id=number, toggle="false")
    hayfrp.advance(DAY)
    for number in "12":
        await demo.ask("/proxy", "toggle", id=number, toggle="true")
        # A tunnel that is already enabled keeps its client.
        hayfrp.advance(15)
        await demo.ask("/proxy", "toggle", id=number, toggle="true")

    assert (await demo.ask("/proxy", "check", id="1"))["ostatus"] == "online"
    assert (await demo.ask("/proxy", "check", id="2"))["ostatus"] == "offline"
    hayfrp.advance(15)
    assert (await demo.ask("/proxy", "check", id="2"))["ostatus"] == "online"


async def test_traffic_grows_with_time(hayfrp: HayFrpService) -> None:
    node, account = hayfrp.state.nodes["1"], hayfrp.account
    node_before, today, left = node.traffic_in, account.today_bytes, account.traffic
    online = [tunnel for tunnel in hayfrp.state.tunnels.values() if hayfrp.online(tunnel)]
    used = sum(tunnel.rate for tunnel in online) * HOUR

    hayfrp.advance(HOUR)

    assert node.traffic_in == pytest.approx(node_before + node.rate_in * HOUR)
    assert account.today_bytes == pytest.approx(today + used)
    assert account.traffic == pytest.approx(left - used / 1024**2)


async def test_offline_tunnels_do_not_grow(hayfrp: HayFrpService) -> None:
    for tunnel in hayfrp.state.tunnels.values():
        tunnel.enabled = False
    today, node = hayfrp.account.today_bytes, hayfrp.state.nodes["8"].traffic_in

    hayfrp.advance(HOUR)

    assert hayfrp.account.today_bytes == today
    assert hayfrp.state.nodes["8"].traffic_in == node


async def test_day_resets_at_midnight(hayfrp: HayFrpService) -> None:
    node = hayfrp.state.nodes["1"]
    total = hayfrp.state.total_in

    hayfrp.advance(36 * HOUR + 60)

    assert node.traffic_in == pytest.approx(node.rate_in * 60)
    assert hayfrp.account.today_bytes < 60 * 5 * 16_384
    assert hayfrp.state.today_runs == 0
    assert hayfrp.state.total_in > total


# Types


@pytest.mark.parametrize(
    "value, expected",
    [
        (True, ("true", True, 1, "1")),
        (False, ("false", False, 0, "0")),
        (7, ("7", 7)),
        (1.5, ("1.5", 1.5)),
        (None, (None, "")),
        ("95.65%", ("95.65%", "95.65", 95.65)),
        ("name", ("name",)),
    ],
)
def test_representations_of_a_value(value: object, expected: tuple[object, ...]) -> None:
    seen = {repr(vary_types({"field": value}, f"place {number}")["field"]) for number in range(60)}

    assert representations(value) == expected
    assert seen == {repr(form) for form in expected}


async def test_types_vary_between_rows_and_seeds_but_not_over_time(client: Client) -> None:
    first, second = await client.get("/node"), await client.get("/node")
    assert first == second
    for field in ("bind_port", "total_traffic_in", "cpu_usage"):
        assert len({type(row[field]) for row in first["servers"]}) > 1

    seen: dict[str, set[str]] = {}
    for seed in range(1, 13):
        async with Simulator(seed=seed) as simulator:
            asker = Client(client.session, simulator.get(HayFrpService).url)
            login = await asker.ask("/user", "login", user="demo", passwd="demo-password")
            for name, value in (await asker.ask("/user", "info", csrf=login["token"])).items():
                seen.setdefault(name, set()).add(type(value).__name__)
    assert seen["status"] == {"bool", "str"}
    assert seen["realname"] == {"bool", "str", "int"}
    assert seen["traffic"] == {"int", "str"}
    assert seen["signdate"] == {"NoneType", "str"}
    assert seen["id"] == {"str"}
