"""Which node is the best one at ChmlFrp: nodes listen here, on ports of their own."""

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
"""A node that is as good as any other."""


@pytest.fixture
def simulated() -> dict[str, Any]:
    return {"nodes": 5}


@pytest.fixture
async def nodes(world: Frp) -> AsyncIterator[dict[str, Node]]:
    """All nodes, for everyone and alike, and each listens; tunnel 1 is at node 1."""
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
    """Return which nodes are suitable, and why the others are not."""
    found = await on_account(world, "suggest_node", **data)
    return (
        {row["node_id"] for row in found["nodes"]},
        {row["node_id"]: row["reasons"] for row in found["unsuitable"]},
    )


async def later(world: Frp) -> None:
    """Let what is known of the nodes grow old."""
    await world.elapse(11 * MINUTE)


def without_addresses(world: Frp) -> None:
    """Let the service tell no port of its nodes."""
    world.service.fault("/nodeinfo", "patch", times=None, remove=("data.port", "data.rport"))


async def test_what_is_told_of_a_node(world: Frp, nodes: dict[str, Node]) -> None:
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


async def test_the_order(world: Frp, nodes: dict[str, Node]) -> None:
    """Load and uptime decide where connections are not known, then the id."""
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
    """A node that does not listen where it says is not suggested, whatever else it is."""
    async with refusing() as closed:
        nodes["3"].port = closed.port
        await world.set_up()
        suitable, unsuitable = await suggested(world)
    assert suitable == {"1", "2", "4", "5"}
    assert unsuitable == {"3": ["not_reached"]}


async def test_who_may_not_use_it(world: Frp, nodes: dict[str, Node]) -> None:
    """A node for others is neither suggested nor asked, and one for all who pay is."""
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


async def test_what_its_tunnels_may_carry(world: Frp, nodes: dict[str, Node]) -> None:
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


async def test_a_tunnel_that_moves(world: Frp, nodes: dict[str, Node]) -> None:
    """Its present node is left out; its protocol and its port decide."""
    nodes["2"].ports = "30000-40000"
    nodes["3"].udp = False
    world.service.state.tunnels["1"].kind = "udp"
    await world.set_up()
    device = world.device_id("tunnel:1")
    suitable, unsuitable = await suggested(world, device_id=device)
    assert suitable == {"4", "5"}
    assert unsuitable == {"1": ["current_node"], "2": ["port"], "3": ["protocol"]}
    # As another protocol, which update_tunnel can make of it, it has the port all the same.
    assert (await suggested(world, device_id=device, protocol="tcp"))[0] == {"3", "4", "5"}
    assert (await suggested(world, device_id=device, protocol="http"))[0] == {"2", "3", "4", "5"}


async def test_what_is_no_tunnel(world: Frp, nodes: dict[str, Node]) -> None:
    await world.set_up()
    for device in (world.device_id("node:1"), world.device_id("account:account")):
        err = await refused(world, None, "suggest_node", device_id=device)
        assert err.translation_key == "wrong_device"
    err = await refused(world, None, "suggest_node", device_id="nothing")
    assert err.translation_key == "service_device_not_found"


async def test_what_the_service_does_not_tell(world: Frp, nodes: dict[str, Node]) -> None:
    """Without an address, no connection is attempted, not even to a usual port."""
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


async def test_it_is_kept_for_minutes(world: Frp, nodes: dict[str, Node]) -> None:
    """Neither the service nor a node is asked again, however often someone asks."""
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


async def test_a_service_that_does_not_answer_is_not_asked_on(
    world: Frp, nodes: dict[str, Node]
) -> None:
    """The nodes are suggested by what is known; the next call asks again."""
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
async def test_twenty_nodes_at_most(world: Frp, nodes: dict[str, Node]) -> None:
    """The best by what the service tells: the others are suggested without a connect time."""
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
    """Set up the blueprint for tunnel 1, and let its node go down."""
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
    world: Frp, nodes: dict[str, Node], automate: Automate, told: list[ServiceCall]
) -> None:
    nodes["2"].uptimes = nodes["3"].uptimes = nodes["5"].uptimes = [50.0] * 30
    await move_when_down(world, automate)
    assert world.service.state.tunnels["1"].node == nodes["4"].name
    (message,) = messages(told)
    assert f"has moved from {nodes['1'].name} to {nodes['4'].name}" in message


@pytest.mark.platforms("sensor")
async def test_the_blueprint_without_a_suggestion(
    world: Frp, nodes: dict[str, Node], automate: Automate, told: list[ServiceCall]
) -> None:
    """Nothing fits as far as is known: the listed nodes are tried as before."""
    async with refusing() as closed:
        for node in nodes.values():
            node.port = closed.port
        await move_when_down(world, automate, "1", "5")
    assert world.service.state.tunnels["1"].node == nodes["5"].name
    assert len(messages(told)) == 1


@pytest.mark.platforms("sensor")
async def test_the_blueprint_with_nothing_to_move_to(
    world: Frp, nodes: dict[str, Node], automate: Automate, told: list[ServiceCall]
) -> None:
    async with refusing() as closed:
        for node in nodes.values():
            node.port = closed.port
        await move_when_down(world, automate)
    assert world.service.state.tunnels["1"].node == nodes["1"].name
    assert messages(told) == []
