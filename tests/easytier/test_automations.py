"""Tests triggers and blueprints with the nodes of an EasyTier node manager."""

from simulator.easytier import EasyTierService
from simulator.easytier.state import REPORT_INTERVAL, Node

from ..automations import Automate, armed, of
from ..common import DAY, World
from .common import FIVE_MINUTES

type Manager = World[EasyTierService]


def silent_node(world: Manager) -> Node:
    """Return the first node, which changes only in tests."""
    node = world.service.state.nodes["1"]
    node.reporting = False
    return node


async def test_traffic_of_a_node_runs_low(world: Manager) -> None:
    """The trigger uses the percentage. It can fire again after the monthly reset."""
    node = silent_node(world)
    node.max_traffic, node.used_traffic = 100, 0
    await world.set_up()
    target = of(world, "relay_node:1")
    low = await armed(world.hass, "traffic_low", target, below=10, unit_of_measurement="%")

    for used in (89, 91, 95, 0):
        node.used_traffic = used
        await world.elapse(FIVE_MINUTES)
    assert low == [world.entity_id("sensor", "relay_node:1", "traffic_usage")]

    node.used_traffic = 92
    await world.elapse(FIVE_MINUTES)
    assert len(low) == 2


async def test_a_node_is_overloaded(world: Manager) -> None:
    """High bandwidth is enough, regardless of other loads."""
    node = world.service.state.nodes["1"]
    node.max_connections, node.max_traffic = 100, 0
    node.typical_bandwidth = node.typical_connections = 0
    await world.set_up()
    target = of(world, "relay_node:1")
    overloaded = await armed(world.hass, "node_overloaded", target)

    await world.live(2 * REPORT_INTERVAL, FIVE_MINUTES)
    assert overloaded == []
    node.typical_bandwidth = 1000
    await world.live(4 * REPORT_INTERVAL, FIVE_MINUTES)

    assert overloaded == [world.entity_id("sensor", "relay_node:1", "load")]


async def test_a_node_is_about_to_end(world: Manager) -> None:
    """The fifth node ends in five days, the second one never, and the eighth ended long ago."""
    await world.set_up()
    target = of(world, *(f"relay_node:{number}" for number in "258"))
    ending = await armed(world.hass, "validity_ending", target, before={"days": 3})

    await world.elapse(DAY)
    assert ending == []
    await world.elapse(2 * DAY)

    assert ending == [world.entity_id("sensor", "relay_node:5", "valid_until")]


async def test_relaying_only_while_nobody_is_home(world: Manager, automate: Automate) -> None:
    """The blueprint also accepts a switch that does not belong to a tunnel."""
    node = silent_node(world)
    await world.set_up()
    world.hass.states.async_set("zone.home", "1")
    switch = world.entity_id("switch", "relay_node:1", "allow_relay")
    await automate("tunnel_only_while", tunnels=[switch])

    for people, relays in (("0", 1), ("1", 0), ("0", 1)):
        world.hass.states.async_set("zone.home", people)
        await world.settle()
        assert node.allow_relay == relays


async def test_force_down_without_tunnels(world: Manager, automate: Automate) -> None:
    """The other switches of the account stay as they are."""
    await world.set_up()
    await automate("force_down_everything", helper="input_boolean.panic")
    before = [node.allow_relay for node in world.service.state.nodes.values()]

    world.hass.states.async_set("input_boolean.panic", "off")
    world.hass.states.async_set("input_boolean.panic", "on")
    await world.settle()

    assert [node.allow_relay for node in world.service.state.nodes.values()] == before
