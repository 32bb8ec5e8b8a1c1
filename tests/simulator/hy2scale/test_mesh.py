"""The node, its peers and its outbound clients."""

import asyncio
import json
from typing import Any

from multidict import CIMultiDict
import pytest

from simulator import Simulator
from simulator.hy2scale import Hy2ScaleService
from simulator.hy2scale.endpoints.mesh import get_topology
from simulator.service import Call

from ..conftest import NOON, Clock
from .conftest import Api

UNDERFLOW = 2**63
CLIENT = {"name": "fr", "addr": "fr.example.com:5565", "password": "let-me-in"}


def seen(rows: Any) -> int:
    """Count the peers in a tree, but the node itself."""
    return sum((not row.get("is_self")) + seen(row.get("children", [])) for row in rows)


@pytest.mark.parametrize(
    "tunnels, nodes, peers, inbound",
    [(5, 8, 8, 1), (5, 3, 5, 0), (0, 4, 4, 4), (0, 0, 0, 0), (12, 60, 60, 16)],
)
def test_the_world_has_the_size_asked_for(
    tunnels: int, nodes: int, peers: int, inbound: int
) -> None:
    hy2scale = Simulator(["hy2scale"], tunnels=tunnels, nodes=nodes, clock=Clock()).hy2scale
    rows: Any = get_topology(hy2scale, Call("GET", "", {}, CIMultiDict(), None, NOON))

    assert len(hy2scale.state.clients) == len(rows) - 1 == tunnels
    assert seen(rows) == peers
    assert seen(rows[0].get("children", [])) == inbound


async def test_the_node_comes_first_and_has_the_inbound_peers(api: Api) -> None:
    this, *others = await api.get("/topology")

    assert (this["name"], this["direction"], this["is_self"]) == ("ea1b2adb", "local", True)
    assert this["latency_ms"] == 0
    assert [row["name"] for row in others] == ["de", "jp", "kr", "sg", "us"]
    assert {row["direction"] for row in others} == {"outbound"}
    (office,) = this["children"]
    assert (office["name"], office["direction"], office["via"]) == ("office", "inbound", "ea1b2adb")
    assert (office["connected"], office["latency_ms"]) == (True, -1)


async def test_an_inbound_peer_that_leaves_is_gone(api: Api, hy2scale: Hy2ScaleService) -> None:
    hy2scale.drop("office")

    assert await api.peer("office") is None
    assert (await api.get("/stats"))["exit_clients"] == 0


async def test_clients_in_their_conditions(api: Api) -> None:
    rows = {row["name"]: row for row in await api.get("/topology")}

    assert {name: row["connected"] for name, row in rows.items()} == {
        "ea1b2adb": True,
        "us": True,
        "jp": True,
        "kr": True,
        "sg": False,
        "de": False,
    }
    assert rows["sg"]["latency_ms"] == rows["de"]["latency_ms"] == -1
    assert (rows["sg"]["disabled"], rows["de"]["disabled"]) == (False, True)
    assert "version" not in rows["sg"]
    assert rows["us"]["max_rate"] == 12_500_000
    assert rows["kr"]["native"] is True
    assert [status["addr"] for status in rows["jp"]["ip_statuses"]] == rows["jp"]["addrs"]


async def test_nested_peers_are_shown_below_and_named_by_one_encoded_segment(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    assert (await api.peer("us/us-r1"))["nested"] is True
    assert (await api.peer("us/us-r1/us-r1-r1"))["via"] == "us-r1"

    await api.put("/peers/us%2Fus-r1/nested", {"enabled": False})

    assert (await api.peer("us/us-r1"))["nested"] is False
    assert await api.peer("us/us-r1/us-r1-r1") is None
    await api.put("/peers/us/us-r1/nested", {"enabled": True}, status=404)
    assert hy2scale.calls_to("/api/peers/{name}/nested")[-1].params == {"name": "us/us-r1"}


async def test_the_peers_of_a_peer_are_listed_shown_or_not(api: Api) -> None:
    await api.put("/peers/us/nested", {"enabled": False})

    assert await api.peer("us/us-r1") is None
    assert [row["name"] for row in await api.get("/peers/us/peers")] == ["us-r1"]
    assert [row["name"] for row in await api.get("/peers/us%2Fus-r1/peers")] == ["us-r1-r1"]
    assert "not connected" in await api.get("/peers/sg/peers", status=400)


async def test_a_nested_peer_that_leaves_stays_in_sight(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    hy2scale.drop("us/us-r1")

    row = await api.peer("us/us-r1")
    assert (row["connected"], row["latency_ms"], row["tx_rate"]) == (False, -1, 0)
    assert "children" not in row


async def test_a_disabled_nested_peer_is_marked(api: Api) -> None:
    await api.put("/peers/us%2Fus-r1/disable", {"disabled": True})

    assert (await api.peer("us/us-r1"))["disabled"] is True


@pytest.mark.parametrize("flag", ["incompatible", "conflict", "unsupported"])
async def test_a_peer_in_trouble_hides_what_is_behind_it(
    api: Api, hy2scale: Hy2ScaleService, flag: str
) -> None:
    setattr(hy2scale.state.peers["us"], flag, True)

    row = await api.peer("us")
    assert row[flag] is True
    assert "children" not in row


async def test_an_unreachable_address_is_told(api: Api, hy2scale: Hy2ScaleService) -> None:
    hy2scale.state.peers["jp"].address_status["jp2.example.com:5565"] = "mismatch"

    statuses = (await api.peer("jp"))["ip_statuses"]
    assert [status["status"] for status in statuses] == ["online", "mismatch"]
    assert statuses[1]["latency_ms"] == -1


async def test_direct_peers(api: Api) -> None:
    rows = await api.get("/peers")

    assert [row["name"] for row in rows] == ["us", "jp", "kr", "office"]
    assert {row["direction"] for row in rows} == {"inbound", "outbound"}
    assert rows[0]["nested"] is True


async def test_disabling_a_client_drops_the_link_and_enabling_wraps_its_rates_for_a_tick(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    await api.put("/clients/us/disable", {"disabled": True})

    row = await api.peer("us")
    assert (row["connected"], row["disabled"], row["latency_ms"]) == (False, True, -1)
    assert (row["tx_rate"], row["rx_rate"]) == (0, 0)
    assert "children" not in row

    await api.put("/clients/us/disable", {"disabled": False})

    row = await api.peer("us")
    assert row["connected"]
    assert 1.8e19 < row["tx_rate"] < 2**64
    assert 1.8e19 < row["rx_rate"] < 2**64
    hy2scale.advance(1)
    row = await api.peer("us")
    assert 0 < row["tx_rate"] < UNDERFLOW
    assert 0 < row["rx_rate"] < UNDERFLOW


async def test_a_peer_that_comes_back(api: Api, hy2scale: Hy2ScaleService) -> None:
    hy2scale.reconnect("sg")

    row = await api.peer("sg")
    assert row["connected"]
    assert row["tx_rate"] > UNDERFLOW
    assert (await api.get("/diag/peer-rebinds"))["sg"] == 1


async def test_traffic_grows_and_begins_anew_with_a_restart(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    before = await api.get("/stats")
    hy2scale.advance(100)
    after = await api.get("/stats")

    assert after["tx_bytes"] - before["tx_bytes"] == 100 * before["tx_rate"] > 0
    assert after["rx_bytes"] - before["rx_bytes"] == 100 * before["rx_rate"] > 0
    assert (after["conns"], after["exit_clients"]) == (4, 1)

    await hy2scale.restart()
    hy2scale.advance(1)
    await api.sign_in()
    assert (await api.get("/stats"))["tx_bytes"] == before["tx_rate"]


async def test_the_node_itself(api: Api, hy2scale: Hy2ScaleService) -> None:
    node = await api.get("/node")
    assert (node["name"], node["version"], node["limited"]) == ("sg-home", "1.3.4", False)
    assert node["active_paths"] == {"us": "us"}

    await api.put("/node", {"node_id": "feedbeef", "exit_node": False})
    node = await api.get("/node")
    assert (node["node_id"], node["name"], node["exit_node"]) == ("feedbeef", "feedbeef", False)
    assert node["server"]["listen"] == "0.0.0.0:5565"

    await api.put("/node", {"name": "cellar", "server": {"listen": "", "password": ""}})
    node = await api.get("/node")
    assert (node["node_id"], node["name"], node["server"]) == ("feedbeef", "cellar", None)

    hy2scale.state.settings.kernel_right = False
    assert (await api.get("/node"))["limited"] is True


async def test_a_node_s_password_is_checked(api: Api, hy2scale: Hy2ScaleService) -> None:
    alice = next(iter(hy2scale.state.users.values()))
    for password, reason in (
        ("short", "too short"),
        (alice.password, 'user "alice" has the same'),
    ):
        server = {"listen": "0.0.0.0:5565", "password": password}
        assert reason in await api.put("/node", {"server": server}, status=400)


async def test_a_new_client_is_connected(api: Api) -> None:
    await api.post("/clients", CLIENT)

    row = await api.get("/clients/fr")
    assert (row["addr"], row["addrs"]) == ("fr.example.com:5565", ["fr.example.com:5565"])
    assert (row["disabled"], row["max_tx"]) == (False, 0)
    assert (await api.peer("fr"))["connected"]


async def test_a_second_client_to_an_address_is_ignored_without_a_word(api: Api) -> None:
    assert await api.post("/clients", {**CLIENT, "addr": "us.example.com:5565"}) == {"status": "ok"}

    assert await api.peer("fr") is None


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"name": ""}, "name, addr, password required"),
        ({"password": ""}, "name, addr, password required"),
        ({"addr": ""}, "name, addr, password required"),
        ({"addr": "fr.example.com"}, "invalid address format"),
        ({"addrs": ["fr.example.com:1,2-3", "fr.example.com:x"]}, "invalid address format"),
        ({"max_tx": "fast"}, "field max_tx of type int"),
        ({"max_tx": True}, "field max_tx of type int"),
        ({"insecure": 1}, "field insecure of type bool"),
        ({"addrs": [5]}, "field addrs of type str"),
    ],
)
async def test_a_client_is_checked(api: Api, change: dict[str, object], reason: str) -> None:
    assert reason in await api.post("/clients", {**CLIENT, **change}, status=400)


async def test_replacing_a_client_replaces_all_of_it(api: Api) -> None:
    await api.put("/clients/us", {"addr": "us9.example.com:5565", "password": "other"})

    row = await api.get("/clients/us")
    assert (row["addr"], row["sni"], row["max_tx"]) == ("us9.example.com:5565", "", 0)
    assert "required" in await api.put("/clients/us", {"addr": "us:1"}, status=400)


async def test_a_client_can_be_renamed_and_keeps_its_place(api: Api) -> None:
    row = await api.get("/clients/us")
    await api.put("/clients/us", {**row, "name": "usa"})

    assert [row["name"] for row in await api.get("/clients")] == ["usa", "jp", "kr", "sg", "de"]
    assert await api.peer("us") is None
    assert (await api.peer("usa"))["connected"]


async def test_a_removed_client_is_gone_with_all_behind_it(api: Api) -> None:
    await api.delete("/clients/us")

    assert await api.peer("us") is None
    assert "us" not in {row["name"] for row in await api.get("/peers")}
    assert await api.get("/clients/us", status=404) == "not found\n"


async def test_writes_for_an_unknown_client_say_that_all_is_well(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    before = await api.get("/topology")
    for method, path, body in (
        ("PUT", "/clients/nobody", CLIENT),
        ("PUT", "/clients/nobody/disable", {"disabled": True}),
        ("DELETE", "/clients/nobody", None),
        ("PUT", "/peers/nobody/nested", {"enabled": True}),
    ):
        assert await api.ask(method, path, body) == {"status": "ok"}
        assert await api.get("/topology") == before


async def test_other_nodes_learn_of_the_peers(visitor: Api) -> None:
    rows = {row["name"]: row for row in await visitor.get("/internal/peers")}

    assert set(rows) == {"us", "jp", "kr", "office"}
    assert [child["name"] for child in rows["us"]["children"]] == ["us-r1"]


async def test_everybody_who_watches_the_layout_is_told(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    url = f"{hy2scale.api_url}/graph-layout/stream?token={api.token}"
    async with api.session.get(url) as stream:
        assert stream.content_type == "text/event-stream"
        assert await event(stream) == {"positions": {}}
        layout = {"positions": {"us": {"x": 1.5, "y": 2}}}
        await api.put("/graph-layout", layout)
        assert await event(stream) == layout
    assert await api.get("/graph-layout") == layout
    assert not hy2scale.layout_watchers


async def event(stream: Any) -> Any:
    """Return the next event."""
    async with asyncio.timeout(5):
        line = await stream.content.readline()
        assert await stream.content.readline() == b"\n"
    return json.loads(line.removeprefix(b"data: "))
