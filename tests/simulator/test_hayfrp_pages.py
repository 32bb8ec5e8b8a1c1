"""What HayFrp tells everybody: nodes, notice, totals, downloads, versions."""

import asyncio

import pytest

from simulator.hayfrp import HayFrpService

from .conftest import Client


async def test_nodes_have_more_than_the_probes_tell(client: Client) -> None:
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


async def test_a_probe_has_every_documented_field(hayfrp: HayFrpService, client: Client) -> None:
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


@pytest.mark.parametrize("path", ["/node", "/nodes"])
async def test_no_nodes(hayfrp: HayFrpService, client: Client, path: str) -> None:
    hayfrp.state.nodes.clear()

    assert await client.get(path) == {"status": 404, "message": "无节点数据."}


async def test_the_notice_is_html(client: Client) -> None:
    async with client.session.get(f"{client.url}/notice") as response:
        assert response.content_type == "text/html"
        notice = await response.text()

    for part in ("<p>", "<br>", "<style>", "<script>", "&nbsp;", "&quot;"):
        assert part in notice


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


async def test_downloads_in_both_shapes(hayfrp: HayFrpService, client: Client) -> None:
    flat = await client.get("/downlist")
    hayfrp.state.settings.downlist_style = "sources"
    grouped = await client.get("/downlist")

    assert (flat["status"], flat["message"]) == (200, "获取成功!")
    assert flat["source"][0].keys() == {"name", "url"}
    assert flat["lists"][0].keys() == {"name", "url", "arch", "version"}
    assert grouped["sources"] == flat["source"]
    assert grouped["lists"].keys() == {"frps", "frpc", "others"}
    assert grouped["lists"]["frpc"][0]["version"] == "0.59.0\n"


async def test_versions(hayfrp: HayFrpService, client: Client) -> None:
    hayfrp.state.frpc_version = "0.60.0"

    answer = await client.get("/version")

    assert answer.keys() == {
        *("ver_hayfrps", "ver_frpc", "ver_launcher", "ver_console", "ver_dashboard"),
        "url_launcher",
    }
    assert answer["ver_frpc"] == "0.60.0"
