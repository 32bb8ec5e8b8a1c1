"""ChmlFrp's tunnels: five conditions, created, edited, forced offline, deleted; their files."""

from configparser import ConfigParser
from typing import Any

import pytest

from simulator.chmlfrp import ChmlFrpService

from .conftest import HOUR, Panel

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
EDIT = {**NEW_TUNNEL, "tunnelid": 1}
NEWER = {"server_port", "node_ip", "node_ipv6", "node_token"}


async def rows(panel: Panel) -> dict[int, Any]:
    return {row["id"]: row for row in (await panel.get("/tunnel"))["data"]}


async def test_a_row_as_documented(chmlfrp: ChmlFrpService, panel: Panel) -> None:
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


async def test_a_newer_row_has_the_secret_of_its_node(
    chmlfrp: ChmlFrpService, panel: Panel
) -> None:
    row = (await rows(panel))[1]

    node = chmlfrp.state.nodes["1"]
    assert {name: row[name] for name in NEWER} == {
        "server_port": 7000,
        "node_ip": node.real_ip,
        "node_ipv6": None,
        "node_token": node.node_token,
    }


async def test_five_conditions(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    listed = await rows(panel)

    seen = {
        chmlfrp.condition(tunnel): (row["state"], row["nodestate"], row["ip"] is None)
        for tunnel, row in zip(chmlfrp.state.tunnels.values(), listed.values(), strict=True)
    }
    assert seen == {
        "online": ("true", "online", False),
        "offline": ("false", "online", False),
        "node_offline": ("false", "offline", False),
        "node_maintenance": ("false", "maintenance", False),
        "node_removed": ("false", None, True),
    }
    assert [row["cur_conns"] for row in listed.values()][1:] == [0, 0, 0, None]


async def test_a_tunnel_that_never_ran_at_a_node_that_is_gone(
    chmlfrp: ChmlFrpService, panel: Panel
) -> None:
    unknown = NEWER | {"today_traffic_in", "today_traffic_out", "cur_conns", "nodestate", "ip"}

    row = (await rows(panel))[5]
    assert (row["uptime"], row["client_version"]) == (None, "尚未启动")
    assert {name for name in unknown if row[name] is None} == unknown

    chmlfrp.state.settings.nulls = False
    row = (await rows(panel))[5]
    assert row["uptime"] is None
    numbers = {"today_traffic_in", "today_traffic_out", "cur_conns", "server_port"}
    assert all(row[name] == 0 for name in numbers)
    assert all(row[name] == "" for name in unknown - numbers)


async def test_a_tunnel_is_created_without_telling_its_id(
    chmlfrp: ChmlFrpService, panel: Panel
) -> None:
    answer = await panel.post("/create_tunnel", **NEW_TUNNEL)

    assert answer == {
        "msg": "隧道创建成功",
        "code": 200,
        "data": {
            "id": None,
            "name": "jellyfin",
            "localip": "192.168.1.9",
            "type": "tcp",
            "nport": 8096,
            "dorp": "36981",
            "node": "成都电信",
            "state": "false",
            "userid": 227,
            "encryption": "false",
            "compression": "true",
            "ap": "",
            "uptime": None,
            "client_version": "尚未启动",
            "today_traffic_in": 0,
            "today_traffic_out": 0,
            "cur_conns": 0,
            "nodestate": None,
            "ip": None,
        },
        "state": "success",
    }
    row = next(row for row in (await rows(panel)).values() if row["name"] == "jellyfin")
    assert row["nodestate"] == "online"
    assert chmlfrp.condition(chmlfrp.state.tunnels[str(row["id"])]) == "offline"


async def test_ids_are_told_where_set_and_never_given_twice(
    chmlfrp: ChmlFrpService, panel: Panel
) -> None:
    chmlfrp.state.settings.create_tells_id = True

    first = (await panel.post("/create_tunnel", **NEW_TUNNEL))["data"]["id"]
    await panel.get("/delete_tunnel", tunnelid=str(first))
    second = (await panel.post("/create_tunnel", **NEW_TUNNEL))["data"]["id"]

    assert second > first > 5
    assert second in await rows(panel)


async def test_a_tunnel_for_the_web(panel: Panel) -> None:
    answer = await panel.post("/create_tunnel", **NEW_TUNNEL | WEB)

    assert (answer["data"]["type"], answer["data"]["dorp"]) == ("https", "j.example.com")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"tunnelname": ""}, "缺少 tunnelname 参数"),
        ({"tunnelname": "志场度"}, "隧道名称只能包含字母、数字和下划线"),
        ({"tunnelname": "a-b"}, "隧道名称只能包含字母、数字和下划线"),
        ({"tunnelname": "ssh"}, "隧道名称已存在"),
        ({"node": ""}, "缺少 node 参数"),
        ({"node": "月球CN2"}, "节点不存在"),
        ({"porttype": ""}, "端口类型缺失"),
        ({"porttype": "stcp"}, "端口类型错误"),
        ({"banddomain": "j.example.com"}, "tcp 类型禁止传递 banddomain 参数"),
        (WEB | {"remoteport": 36981}, "https 类型禁止传递 remoteport 参数"),
        (WEB | {"banddomain": ""}, "缺少 banddomain 参数"),
        (WEB | {"node": "武汉联通"}, "此节点不允许建站"),
        ({"remoteport": None}, "缺少 remoteport 参数"),
        ({"remoteport": 9999}, "remoteport 应在 10000-65535 之间"),
        ({"remoteport": 70000}, "remoteport 应在 10000-65535 之间"),
        ({"node": "宁波移动", "remoteport": 30001}, "remoteport 应在 20000-30000 之间"),
        ({"localport": 0}, "localport 应在 1-65535 之间"),
        ({"localport": "http"}, "localport 应在 1-65535 之间"),
        ({"encryption": "maybe"}, "encryption 参数错误"),
    ],
)
async def test_what_no_tunnel_may_be(
    chmlfrp: ChmlFrpService, panel: Panel, change: dict[str, object], message: str
) -> None:
    before = await rows(panel)
    refusal = {"msg": message, "code": 400, "state": "fail"}

    assert await panel.post("/create_tunnel", **NEW_TUNNEL | change) == refusal
    assert await panel.post("/update_tunnel", **EDIT | change) == refusal
    assert await rows(panel) == before


async def test_a_port_is_taken_once_by_protocol(panel: Panel) -> None:
    taken = {"remoteport": 20001}

    answer = await panel.post("/create_tunnel", **NEW_TUNNEL | taken)
    assert answer["msg"] == "外网端口或域名已被占用"
    answer = await panel.post("/create_tunnel", **NEW_TUNNEL | taken | {"porttype": "udp"})
    assert answer["code"] == 200


async def test_a_node_may_lack_udp(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    chmlfrp.state.nodes["1"].udp = False

    answer = await panel.post("/create_tunnel", **NEW_TUNNEL | {"porttype": "udp"})

    assert answer["msg"] == "此节点不支持UDP"


async def test_a_new_tunnel_must_say_its_flags(panel: Panel) -> None:
    incomplete = {name: value for name, value in NEW_TUNNEL.items() if name != "compression"}

    assert (await panel.post("/create_tunnel", **incomplete))["msg"] == "缺少 compression 参数"
    assert (await panel.post("/update_tunnel", **incomplete, tunnelid=1))["code"] == 200


async def test_vip_nodes_are_not_for_free_accounts(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    vip = NEW_TUNNEL | {"node": "香港CN2"}
    assert (await panel.post("/create_tunnel", **vip))["code"] == 200

    panel.token = chmlfrp.state.accounts["228"].usertoken
    assert (await panel.post("/create_tunnel", **vip))["msg"] == "您没有权限使用VIP节点"


async def test_a_quota(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    chmlfrp.account.quota = 5

    assert (await panel.post("/create_tunnel", **NEW_TUNNEL))["msg"] == "隧道数量已达上限"


async def test_an_edit_replaces_the_row_and_leaves_its_client(
    chmlfrp: ChmlFrpService, panel: Panel
) -> None:
    chmlfrp.state.tunnels["1"].extra = "bandwidth_limit = 1MB"
    chmlfrp.state.tunnels["1"].compression = True
    before = (await rows(panel))[1]
    few = ("tunnelid", "tunnelname", "node", "porttype", "localport", "remoteport")

    answer = await panel.post("/update_tunnel", **{name: EDIT[name] for name in few})

    assert (answer["msg"], answer["data"]["id"]) == ("隧道更新成功", 1)
    assert (answer["data"]["nodestate"], answer["data"]["ip"]) == (None, None)
    assert (await rows(panel))[1] == before | {
        "name": "jellyfin",
        "nport": 8096,
        "dorp": "36981",
        "localip": "127.0.0.1",
        "encryption": "false",
        "compression": "false",
        "ap": "",
    }


async def test_a_tunnel_keeps_its_own_name_and_port(panel: Panel) -> None:
    same = {"tunnelname": "homeassistant", "remoteport": 20001}

    assert (await panel.post("/update_tunnel", **EDIT | same))["code"] == 200


@pytest.mark.parametrize(
    "style, method, path, other",
    [
        ("get", "GET", "/delete_tunnel", ("POST", "/deletetunnel")),
        ("post", "POST", "/deletetunnel", ("GET", "/delete_tunnel")),
    ],
)
async def test_deleting_in_the_way_of_the_version(
    chmlfrp: ChmlFrpService,
    panel: Panel,
    *,
    style: str,
    method: str,
    path: str,
    other: tuple[str, str],
) -> None:
    chmlfrp.state.settings.delete_style = style
    which = {"tunnelid": "1"}

    await panel.ask(*other, 404, params=which)
    assert "1" in chmlfrp.state.tunnels
    answer = await panel.ask(method, path, params=which)
    assert (answer["code"], answer["state"]) == (200, "success")
    assert 1 not in await rows(panel)
    gone = await panel.ask(method, path, params=which)
    assert (gone["code"], gone["msg"]) == (400, "隧道不存在")


async def test_the_tunnels_of_others(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    chmlfrp.state.tunnels["1"].userid = 228

    assert 1 not in await rows(panel)
    for answer in (
        await panel.get("/delete_tunnel", tunnelid="1"),
        await panel.post("/update_tunnel", **EDIT),
        await panel.get("/tunnel/last7days", tunnel_id="1"),
    ):
        assert (answer["code"], answer["msg"]) == (400, "隧道不属于你")
    for path in ("/offline_tunnel", "/refresh_tunnel"):
        answer = await panel.form(path, tunnel_name="homeassistant")
        assert (answer["code"], answer["msg"]) == (400, "隧道不存在")
    assert "1" in chmlfrp.state.tunnels


async def test_a_file_for_the_client(chmlfrp: ChmlFrpService, panel: Panel) -> None:
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


async def test_forced_offline_for_good(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    tunnel = chmlfrp.state.tunnels["1"]

    answer = await panel.form("/offline_tunnel", tunnel_name="homeassistant")

    assert (answer["code"], answer["state"]) == (200, "success")
    chmlfrp.advance(HOUR)
    assert chmlfrp.condition(tunnel) == "offline"
    assert (await rows(panel))[1]["state"] == "false"
    tunnel.kicked_at = None
    assert chmlfrp.online(tunnel)


async def test_a_client_comes_back(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    chmlfrp.state.settings.reconnects_after = 30

    await panel.form("/offline_tunnel", tunnel_name="homeassistant")
    assert (await rows(panel))[1]["state"] == "false"
    chmlfrp.advance(30)
    row = (await rows(panel))[1]
    assert (row["state"], row["uptime"]) == ("true", "2026-11-20T04:00:30.000+00:00")

    await panel.form("/offline_tunnel", tunnel_name="homeassistant")
    row = (await rows(panel))[1]
    assert (row["state"], row["uptime"]) == ("false", "2026-11-20T04:00:30.000+00:00")


async def test_what_is_offline_cannot_be_forced(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    answer = await panel.form("/offline_tunnel", tunnel_name="ssh")
    assert answer["code"] == 200
    assert chmlfrp.state.tunnels["2"].kicked_at is None

    for name in ("minecraft", "nas", "desktop"):
        for path in ("/offline_tunnel", "/refresh_tunnel"):
            assert (await panel.form(path, tunnel_name=name))["code"] == 400


async def test_a_refresh_asks_the_node(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    tunnel = chmlfrp.state.tunnels["1"]

    answer = await panel.form("/refresh_tunnel", tunnel_name="homeassistant")
    assert answer["data"] == {
        "today_traffic_in": round(tunnel.days[-1].traffic_in),
        "today_traffic_out": round(tunnel.days[-1].traffic_out),
        "cur_conns": tunnel.connections,
        "last_start_time": "11-20 11:00:00",
        "last_close_time": "",
        "status": "online",
    }
    chmlfrp.kick(tunnel)
    answer = await panel.form("/refresh_tunnel", tunnel_name="homeassistant")
    assert (answer["data"]["status"], answer["data"]["cur_conns"]) == ("offline", 0)
    assert answer["data"]["last_close_time"] == "11-20 12:00:00"


async def test_the_traffic_of_seven_days(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    tunnel = chmlfrp.state.tunnels["1"]
    tunnel.days[0].traffic_in = 7.4

    data = (await panel.get("/tunnel/last7days", tunnel_id="1"))["data"]

    assert (len(data["traffic_in"]), len(data["traffic_out"])) == (7, 7)
    assert data["traffic_in"][0] == 7
    assert data["traffic_out"][-1] == round(tunnel.rate_out * 12 * HOUR)
