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
    simulator = Simulator(["hy2scale"], tunnels=tunnels, nodes=nodes, clock=Clock())
    hy2scale = simulator.get(Hy2ScaleService)
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
    rows = await api.get("/peers/us/peers")
    assert [(row["name"], row["node_id"]) for row in rows] == [
        ("us-r1", "us-r1"),
        ("sg-home", "ea1b2adb"),
    ]
    assert [row["name"] for row in await api.get("/peers/us%2Fus-r1/peers")] == ["us-r1-r1"]
    assert "not connected" in await api.get("/peers/sg/peers", status=400)


async def test_a_nested_peer_that_leaves_stays_in_sight(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    hy2scale.drop("us/us-r1")

    row = await api.peer("us/us-r1")
    assert (row["connected"], row["latency_ms"], row["tx_rate"]) == (False, 0, 0)
    assert "children" not in row
    assert "version" not in row


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
    rebinds = (await api.get("/diag/peer-rebinds"))["peers"]
    assert {row["name"]: row["rebind_checks"] for row in rebinds}["sg"] == 1


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
    again = await api.get("/stats")
    assert again["tx_bytes"] == again["tx_rate"], "what dials this node is not yet back"
    hy2scale.advance(20)
    assert (await api.get("/stats"))["tx_rate"] == before["tx_rate"] > again["tx_rate"]


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


async def test_a_new_client_is_connected(api: Api, hy2scale: Hy2ScaleService) -> None:
    await api.post("/clients", CLIENT)
    assert not (await api.peer("fr"))["connected"]
    hy2scale.advance(2)

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
    """All but its primary address, by which the node knows it."""
    await api.put("/clients/us", {"addr": "us9.example.com:5565", "password": "other"})

    row = await api.get("/clients/us")
    assert (row["addr"], row["sni"], row["max_tx"]) == ("us.example.com:5565", "", 0)
    assert row["addrs"] == ["us9.example.com:5565"]
    assert "required" in await api.put("/clients/us", {"addr": "us:1"}, status=400)


async def test_a_client_is_renamed_until_it_connects(api: Api, hy2scale: Hy2ScaleService) -> None:
    """It keeps its place, and takes the name of the node that it reaches."""
    row = await api.get("/clients/us")
    await api.put("/clients/us", {**row, "name": "usa"})

    assert [row["name"] for row in await api.get("/clients")] == ["usa", "jp", "kr", "sg", "de"]
    assert await api.peer("us") is None
    assert not (await api.peer("usa"))["connected"]
    hy2scale.advance(2)
    assert [row["name"] for row in await api.get("/clients")] == ["us", "jp", "kr", "sg", "de"]
    assert (await api.peer("us"))["connected"]


async def test_two_clients_for_one_node(api: Api, hy2scale: Hy2ScaleService) -> None:
    """The second one is not let in, and both are blocked."""
    hy2scale.state.remotes["fr.example.com:5565"] = "us"
    await api.post("/clients", CLIENT)
    hy2scale.advance(2)

    assert not (await api.peer("fr"))["connected"]
    assert (await api.peer("us"))["conflict"] is True


async def test_two_clients_of_one_name(api: Api) -> None:
    """The topology has one row for both; the list has two."""
    await api.post("/clients", {**CLIENT, "name": "us"})

    clients = [row for row in await api.get("/clients") if row["name"] == "us"]
    assert [row["addr"] for row in clients] == ["us.example.com:5565", "fr.example.com:5565"]
    assert len([row for row in await api.get("/topology") if row["name"] == "us"]) == 1
    await api.delete("/clients/fr.example.com%3A5565")
    (left,) = [row for row in await api.get("/clients") if row["name"] == "us"]
    assert left["addr"] == "us.example.com:5565"


async def test_a_peer_that_falls_silent(api: Api, hy2scale: Hy2ScaleService) -> None:
    """Its own peers are lost a second later, its latency after some, itself last."""
    hy2scale.kill("us")
    assert await api.peer("us/us-r1")
    hy2scale.advance(1)
    assert await api.peer("us/us-r1") is None
    assert (await api.peer("us"))["latency_ms"] > 0
    hy2scale.advance(6)
    us = await api.peer("us")
    assert (us["connected"], us["latency_ms"]) == (True, -1)
    hy2scale.advance(7)
    assert (await api.peer("us"))["connected"] is False

    hy2scale.revive("us")
    hy2scale.advance(1)
    assert (await api.peer("us"))["connected"] is True
    assert await api.peer("us/us-r1") is None
    hy2scale.advance(7)
    assert await api.peer("us/us-r1")


async def test_a_node_renamed_on_its_own_console(api: Api, hy2scale: Hy2ScaleService) -> None:
    hy2scale.rename("us", "usa")
    hy2scale.advance(14)
    assert not (await api.peer("us"))["connected"]
    hy2scale.advance(1)

    assert await api.peer("us") is None
    assert (await api.peer("usa"))["connected"]
    hy2scale.advance(7)
    assert (await api.peer("usa/us-r1"))["via"] == "usa"
    alice = next(iter(hy2scale.state.users.values()))
    assert (alice.exit_via, alice.exit_paths) == ("usa", ["usa"])
    assert hy2scale.state.rules["video"].exit_via == "us", "rules keep the old name"


async def test_this_node_renamed(api: Api, hy2scale: Hy2ScaleService) -> None:
    """All links are made anew; those that dial this node take longest."""
    await api.put("/node", {"node_id": "house"})

    this, *others = await api.get("/topology")
    assert this["name"] == "house"
    assert "children" not in this
    assert not any(row["connected"] for row in others)
    hy2scale.advance(3)
    assert (await api.peer("us"))["connected"]
    hy2scale.advance(17)
    assert (await api.peer("office"))["via"] == "house"


async def test_turning_nested_off_forgets_what_is_set_below(
    api: Api, hy2scale: Hy2ScaleService
) -> None:
    await api.put("/peers/us/nested", {"enabled": False})

    assert "us/us-r1" not in hy2scale.state.peer_flags
    await api.put("/peers/us/nested", {"enabled": True})
    assert await api.peer("us/us-r1") is None
    hy2scale.advance(2)
    assert (await api.peer("us/us-r1"))["nested"] is False


async def test_the_console_s_path_of_an_inbound_peer(api: Api) -> None:
    await api.put("/peers/ea1b2adb%2Foffice/nested", {"enabled": True})

    assert (await api.peer("office"))["nested"] is True


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
