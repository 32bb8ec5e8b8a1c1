"""ChmlFrp's nodes, the panel's numbers and notices, and free subdomains."""

from typing import Any

import pytest

from simulator.chmlfrp import ChmlFrpService
from simulator.chmlfrp.domains import TTLS

from .conftest import DAY, Panel

SAMPLE_FIELDS = {
    *("proxy_https", "download_bandwidth_usage_percent", "cur_conns", "sent_packets"),
    *("memory_used", "active_conn", "recv_packets", "proxy_tcp", "proxy_udp", "proxy_http"),
    *("upload_bandwidth_usage_percent", "cpu_usage", "page_tables", "passive_conn"),
    *("timestamp", "client_counts"),
}


async def test_the_nodes(visitor: Panel) -> None:
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


async def test_a_node_in_detail(chmlfrp: ChmlFrpService, panel: Panel) -> None:
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


async def test_how_busy_the_nodes_are(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
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


async def test_for_how_long_the_nodes_were_up(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
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


async def test_a_day_of_a_node_is_about_two_megabytes(visitor: Panel) -> None:
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


async def test_the_past_of_a_node_does_not_change(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    chmlfrp.state.settings.history_samples = 10

    async def samples() -> list[Any]:
        answer = await visitor.get("/node_status_info", nodename="成都电信")
        return list(answer["data"]["status_list"])

    before = await samples()
    chmlfrp.advance(40)
    after = await samples()
    assert (len(before), len(after)) == (10, 10)
    assert after[2:] == before[:-2]


async def test_the_panel_counts(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    data = (await visitor.get("/panelinfo"))["data"]
    assert (data["user_amount"], data["tunnel_amount"], data["node_amount"]) == (22203, 22905, 8)
    assert {"name", "description", "url"} == set(data["friend_links"][0])

    del chmlfrp.state.tunnels["1"]
    assert (await visitor.get("/panelinfo"))["data"]["tunnel_amount"] == 22904


async def test_notices_by_the_page(visitor: Panel) -> None:
    data = (await visitor.get("/message/list"))["data"]
    assert [row["id"] for row in data["messages"]] == [1, 2]
    assert data["messages"][0] == {
        "id": 1,
        "title": "节点维护公告",
        "priority": 2,
        "publishTime": "2026-11-19T04:00:00.000+00:00",
        "createdAt": "2026-11-19T04:00:00.000+00:00",
    }
    detail = (await visitor.get("/message/detail", id="1"))["data"]
    assert detail["contentMd"] == "**新加坡** 节点将于今晚 02:00 维护。"
    assert (await visitor.get("/message/detail", id="99"))["code"] == 400

    data = (await visitor.get("/message/list", page="2", size="1"))["data"]
    assert [row["id"] for row in data.pop("messages")] == [2]
    assert data == {"total": 2, "page": 2, "size": 1, "totalPages": 2}
    data = (await visitor.get("/message/list", priority="2"))["data"]
    assert [row["id"] for row in data["messages"]] == [1]


async def test_domains_to_choose_from(visitor: Panel) -> None:
    answer = await visitor.get("/list_available_domains")

    assert answer["msg"] == "获取可用域名列表成功"
    assert answer["data"][2:] == [
        {"id": 3, "domain": "owo.example", "remarks": "支持CNAME", "icpFiling": False},
        {"id": 4, "domain": "baozi.example", "remarks": None, "icpFiling": True},
    ]


RECORD = {"domain": "owo.example", "record": "new"}
DETAILS = {"type": "A", "target": "192.0.2.1", "ttl": "10分钟", "remarks": "解析隧道：ssh"}


async def test_the_life_of_a_subdomain(panel: Panel) -> None:
    async def records() -> Any:
        return (await panel.get("/get_user_free_subdomains"))["data"]

    before = await records()
    answer = await panel.post("/create_free_subdomain", **RECORD, **DETAILS)
    assert answer == {"msg": "免费二级域名创建成功", "code": 200, "state": "success"}
    (new,) = [row for row in await records() if row not in before]
    assert new == {"id": new["id"], "userid": 227, **RECORD, **DETAILS}

    change = {"target": "192.0.2.2", "ttl": "1天", "remarks": "not this"}
    answer = await panel.post("/update_free_subdomain", **RECORD, **change)
    assert answer == {"msg": "免费二级域名修改成功", "code": 200, "state": "success"}
    assert {**new, "target": "192.0.2.2", "ttl": "1天"} in await records()

    answer = await panel.post("/delete_free_subdomain", **RECORD)
    assert answer == {"msg": "免费二级域名删除成功", "code": 200, "state": "success"}
    assert await records() == before


async def test_a_subdomain_without_remarks(panel: Panel) -> None:
    details = {name: value for name, value in DETAILS.items() if name != "remarks"}
    await panel.post("/create_free_subdomain", **RECORD, **details)

    rows = (await panel.get("/get_user_free_subdomains"))["data"]
    assert rows[0]["remarks"] is None
    assert rows[-1]["remarks"] is None


@pytest.mark.parametrize("ttl", TTLS)
async def test_the_documented_ttls(panel: Panel, ttl: str) -> None:
    answer = await panel.post("/create_free_subdomain", **RECORD, **DETAILS | {"ttl": ttl})

    assert answer["code"] == 200


async def test_the_subdomains_of_others(chmlfrp: ChmlFrpService, panel: Panel) -> None:
    panel.token = chmlfrp.state.accounts["228"].usertoken
    theirs = {"domain": "frp.example", "record": "home"}

    assert (await panel.get("/get_user_free_subdomains"))["data"] == []
    assert (await panel.post("/delete_free_subdomain", **theirs))["code"] == 400
    assert (await panel.post("/create_free_subdomain", **DETAILS, **theirs))["code"] == 400


async def test_a_new_day(chmlfrp: ChmlFrpService, visitor: Panel) -> None:
    chmlfrp.advance(DAY)

    (row,) = (await visitor.get("/node_uptime", time="2", node="成都电信"))["data"]
    assert [entry["recorded_at"] for entry in row["history_uptime"]] == [
        "2026-11-20",
        "2026-11-21",
    ]
    assert row["history_uptime"][-1]["uptime"] == 100
