"""Tests the suggestion of nodes at ChmlFrp. The nodes listen on local ports."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from homeassistant.core import ServiceCall
import pytest

from simulator.chmlfrp import ChmlFrpService, Node

from ..automations import Automate, messages
from ..checks.servers import listening, refusing, silent
from ..common import MINUTE, World, on_account, refused

pytestmark = pytest.mark.platforms()

type Frp = World[ChmlFrpService]

QUIET = {"cpu_usage": 10.0, "bandwidth_usage_percent": 10}
"""The values of a node that is as suitable as any other."""


@pytest.fixture
def simulated() -> dict[str, Any]:
    return {"nodes": 5}


@pytest.fixture
async def nodes(world: Frp) -> AsyncIterator[dict[str, Node]]:
    """Let everyone use all nodes, which have equal values and listen. Tunnel 1 uses node 1."""
    nodes = world.service.state.nodes
    async with AsyncExitStack() as stack:
        for node in nodes.values():
            server = await stack.enter_async_context(listening(silent))
            node.ip, node.port = "127.0.0.1", server.port
            node.state, node.nodegroup, node.udp, node.web = "online", "user", True, True
            node.ports, node.uptimes = "10000-65535", [100.0] * 30
            for name, value in QUIET.items():
                setattr(node, name, value)
        tunnel = world.service.state.tunnels["1"]
        tunnel.node, tunnel.kind, tunnel.public = nodes["1"].name, "tcp", "20001"
        yield nodes


async def suggested(world: Frp, **data: Any) -> tuple[set[str], dict[str, list[str]]]:
    """Return the suitable nodes, and why the others are not suitable."""
    found = await on_account(world, "suggest_node", **data)
    return (
        {row["node_id"] for row in found["nodes"]},
        {row["node_id"]: row["reasons"] for row in found["unsuitable"]},
    )


async def later(world: Frp) -> None:
    """Let the cached values of the nodes expire."""
    await world.elapse(11 * MINUTE)


def without_addresses(world: Frp) -> None:
    """Remove the ports of all nodes from the service's answers."""
    world.service.fault("/nodeinfo", "patch", times=None, remove=("data.port", "data.rport"))


async def test_values_of_a_node(world: Frp, nodes: dict[str, Node]) -> None:
    nodes["1"].uptimes = [50.0] * 30
    for number in "245":
        nodes[number].state = "offline"
    await world.set_up()

    found = await on_account(world, "suggest_node")

    best, other = found["nodes"]
    assert (best["node_id"], best["name"], best["reasons"]) == ("3", nodes["3"].name, [])
    assert (best["load"], best["uptime_30_days"], best["online"]) == (10.0, 100.0, True)
    assert best["protocols"] == ["tcp", "udp", "http", "https"]
    assert (best["group"], best["place"]) == ("user", nodes["3"].area)
    assert 0 <= best["connect_time"] < 1000
    assert best["costs"] == {"connect_time": best["connect_time"], "load": 20.0, "uptime": 0.0}
    assert best["cost"] == pytest.approx(best["connect_time"] + 20)
    assert (other["node_id"], other["reasons"]) == ("1", ["low_uptime"])
    assert other["costs"]["uptime"] == 1000.0


async def test_ranking(world: Frp, nodes: dict[str, Node]) -> None:
    """Without a connect time, load and uptime decide, then the id."""
    without_addresses(world)
    nodes["1"].cpu_usage = 95.0
    nodes["2"].uptimes = [80.0] * 30
    nodes["4"].bandwidth_usage_percent = 300
    await world.set_up()
    found = (await on_account(world, "suggest_node"))["nodes"]
    assert [row["node_id"] for row in found] == ["3", "5", "1", "4", "2"]
    assert [row["cost"] for row in found] == [220.0, 220.0, 390.0, 400.0, 620.0]
    assert all(row["connect_time"] is None for row in found)
    assert [row["reasons"] for row in found] == [
        ["address_unknown"],
        ["address_unknown"],
        ["high_load", "address_unknown"],
        ["high_load", "address_unknown"],
        ["low_uptime", "address_unknown"],
    ]


async def test_each_at_its_own_port(world: Frp, nodes: dict[str, Node]) -> None:
    """A node that does not listen on its port is not suggested."""
    async with refusing() as closed:
        nodes["3"].port = closed.port
        await world.set_up()
        suitable, unsuitable = await suggested(world)
    assert suitable == {"1", "2", "4", "5"}
    assert unsuitable == {"3": ["not_reached"]}


async def test_nodes_for_other_groups(world: Frp, nodes: dict[str, Node]) -> None:
    """A node of another group is neither suggested nor checked. One for all paying groups is."""
    nodes["2"].nodegroup = "vip"
    world.service.account.usergroup = "免费用户"
    await world.set_up()
    suitable, unsuitable = await suggested(world)
    assert (suitable, unsuitable) == ({"1", "3", "4", "5"}, {"2": ["group"]})
    asked = {call.get("node") for call in world.service.calls_to("/nodeinfo")}
    assert nodes["2"].name not in asked

    world.service.account.usergroup = "超级会员"
    await later(world)
    assert await suggested(world) == ({"1", "2", "3", "4", "5"}, {})


async def test_protocols_of_a_node(world: Frp, nodes: dict[str, Node]) -> None:
    nodes["1"].udp, nodes["2"].web = False, False
    nodes["3"].state = "offline"
    nodes["4"].state = "upgrading"
    await world.set_up()
    offline = {"3": ["offline"], "4": ["offline"]}
    assert await suggested(world) == ({"1", "2", "5"}, offline)
    assert await suggested(world, protocol="UDP") == ({"2", "5"}, {"1": ["protocol"], **offline})
    assert await suggested(world, protocol="http") == ({"1", "5"}, {"2": ["protocol"], **offline})
    err = await refused(world, None, "suggest_node", protocol="gopher")
    assert err.translation_key == "unknown_protocol"


async def test_a_suggestion_for_a_tunnel(world: Frp, nodes: dict[str, Node]) -> None:
    """Its current node is left out. Its protocol and port decide."""
    nodes["2"].ports = "30000-40000"
    nodes["3"].udp = False
    world.service.state.tunnels["1"].kind = "udp"
    await world.set_up()
    device = world.device_id("tunnel:1")
    suitable, unsuitable = await suggested(world, device_id=device)
    assert suitable == {"4", "5"}
    assert unsuitable == {"1": ["current_node"], "2": ["port"], "3": ["protocol"]}
    # With another protocol, which update_tunnel can set, the port is still free.
    assert (await suggested(world, device_id=device, protocol="tcp"))[0] == {"3", "4", "5"}
    assert (await suggested(world, device_id=device, protocol="http"))[0] == {"2", "3", "4", "5"}


async def test_a_device_that_is_not_a_tunnel(world: Frp, nodes: dict[str, Node]) -> None:
    await world.set_up()
    for device in (world.device_id("node:1"), world.device_id("account:account")):
        err = await refused(world, None, "suggest_node", device_id=device)
        assert err.translation_key == "wrong_device"
    err = await refused(world, None, "suggest_node", device_id="nothing")
    assert err.translation_key == "service_device_not_found"


async def test_nodes_without_addresses(world: Frp, nodes: dict[str, Node]) -> None:
    """No connection is attempted, not even to a common port."""
    without_addresses(world)
    world.service.fault("/node_uptime", "html", times=None)
    for node in nodes.values():
        node.cpu_usage = None
    world.service.fault(
        "/node_stats", "patch", times=None, remove=("data.*.bandwidth_usage_percent",)
    )
    await world.set_up()
    found = await on_account(world, "suggest_node")
    assert [row["node_id"] for row in found["nodes"]] == ["1", "2", "3", "4", "5"]
    for row in found["nodes"]:
        assert row["connect_time"] is row["uptime_30_days"] is None
        assert {"uptime_unknown", "address_unknown"} <= set(row["reasons"])


async def test_results_are_cached_for_minutes(world: Frp, nodes: dict[str, Node]) -> None:
    """Neither the service nor a node gets another request."""
    await world.set_up()
    await suggested(world)
    assert len(world.service.calls_to("/nodeinfo")) == len(nodes)
    before = len(world.service.calls)
    await suggested(world)
    await suggested(world, protocol="udp")
    assert len(world.service.calls) == before
    await later(world)
    await suggested(world)
    assert len(world.service.calls_to("/nodeinfo")) == 2 * len(nodes)


async def test_a_service_that_does_not_respond(world: Frp, nodes: dict[str, Node]) -> None:
    """The nodes are ranked by cached values. The next call sends requests again."""
    world.service.fault("/nodeinfo", "html", times=None)
    await world.set_up()
    found = await on_account(world, "suggest_node")
    assert [row["reasons"] for row in found["nodes"]] == [["not_measured"]] * len(nodes)
    asked = {call.get("node") for call in world.service.calls_to("/nodeinfo")}
    assert asked == {nodes["1"].name}
    world.service.clear_faults()
    found = await on_account(world, "suggest_node")
    assert all(row["connect_time"] is not None for row in found["nodes"])


@pytest.mark.parametrize("simulated", [{"nodes": 30}])
async def test_at_most_twenty_nodes_are_checked(world: Frp, nodes: dict[str, Node]) -> None:
    """These are the best by the service's values. The others have no connect time."""
    for number, node in nodes.items():
        node.cpu_usage = 10.0 + int(number) / 10
    await world.set_up()
    found = (await on_account(world, "suggest_node"))["nodes"]
    measured = [row["node_id"] for row in found if row["connect_time"] is not None]
    assert sorted(measured, key=int) == [str(number) for number in range(1, 21)]
    others = [row for row in found if row["connect_time"] is None]
    assert [row["node_id"] for row in others] == [str(number) for number in range(21, 31)]
    assert all(row["reasons"] == ["not_measured"] for row in others)


async def move_when_down(world: Frp, automate: Automate, *nodes: str) -> None:
    """Set up the blueprint for tunnel 1, and let its node go offline."""
    await world.set_up()
    await automate(
        "node_down_move_tunnel",
        tunnel_state=world.entity_id("sensor", "tunnel:1", "state"),
        tunnel_node=world.entity_id("sensor", "tunnel:1", "node_name"),
        tunnel_address=world.entity_id("sensor", "tunnel:1", "public_address"),
        target_node="best",
        nodes=[world.device_id(f"node:{number}") for number in nodes],
    )
    world.service.state.nodes["1"].state = "offline"
    await world.live(20 * MINUTE)


@pytest.mark.platforms("sensor")
async def test_the_blueprint_moves_to_the_best_node(
    world: Frp, nodes: dict[str, Node], automate: Automate, notifications: list[ServiceCall]
) -> None:
    nodes["2"].uptimes = nodes["3"].uptimes = nodes["5"].uptimes = [50.0] * 30
    await move_when_down(world, automate)
    assert world.service.state.tunnels["1"].node == nodes["4"].name
    (message,) = messages(notifications)
    assert f"has moved from {nodes['1'].name} to {nodes['4'].name}" in message


@pytest.mark.platforms("sensor")
async def test_the_blueprint_without_a_suggestion(
    world: Frp, nodes: dict[str, Node], automate: Automate, notifications: list[ServiceCall]
) -> None:
    """If no node is suitable, the listed nodes are tried in order."""
    async with refusing() as closed:
        for node in nodes.values():
            node.port = closed.port
        await move_when_down(world, automate, "1", "5")
    assert world.service.state.tunnels["1"].node == nodes["5"].name
    assert len(messages(notifications)) == 1


@pytest.mark.platforms("sensor")
async def test_the_blueprint_without_another_node(
    world: Frp, nodes: dict[str, Node], automate: Automate, notifications: list[ServiceCall]
) -> None:
    async with refusing() as closed:
        for node in nodes.values():
            node.port = closed.port
        await move_when_down(world, automate)
    assert world.service.state.tunnels["1"].node == nodes["1"].name
    assert messages(notifications) == []
