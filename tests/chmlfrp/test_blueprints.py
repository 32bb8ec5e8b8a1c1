"""Tests the blueprints that move and disconnect ChmlFrp tunnels."""

from homeassistant.core import ServiceCall

from simulator.chmlfrp import ChmlFrpService

from ..automations import Automate, messages
from ..common import MINUTE, World

type Frp = World[ChmlFrpService]


async def test_a_node_is_down(
    world: Frp, automate: Automate, notifications: list[ServiceCall]
) -> None:
    """The tunnel moves to the next node that is online."""
    await world.set_up()
    tunnel = world.service.state.tunnels["1"]
    nodes = world.service.state.nodes
    (old,) = [node for node in nodes.values() if node.name == tunnel.node]
    others = [node for node in nodes.values() if node.state == "online" and node is not old]
    await automate(
        "node_down_move_tunnel",
        tunnel_state=world.entity_id("sensor", "tunnel:1", "state"),
        tunnel_node=world.entity_id("sensor", "tunnel:1", "node_name"),
        tunnel_address=world.entity_id("sensor", "tunnel:1", "public_address"),
        nodes=[world.device_id(f"node:{node.id}") for node in (old, *others[:2])],
    )

    old.state = "offline"
    await world.live(20 * MINUTE)

    assert tunnel.node == others[0].name
    address = world.value("sensor", "tunnel:1", "public_address")
    assert messages(notifications) == [
        f"{tunnel.name} has moved from {old.name} to {others[0].name}: {address}"
    ]


async def test_everything_is_forced_down(world: Frp, automate: Automate) -> None:
    """The service cannot disable a tunnel, so its client is disconnected."""
    await world.set_up()
    tunnel = world.service.state.tunnels["1"]
    await automate("force_down_everything", helper="input_boolean.panic")

    world.hass.states.async_set("input_boolean.panic", "off")
    world.hass.states.async_set("input_boolean.panic", "on")
    await world.settle()
    assert tunnel.kicked_at is not None
    assert world.value("switch", "tunnel:1", "force_down") == "on"

    world.hass.states.async_set("input_boolean.panic", "off")
    await world.settle()
    assert world.value("switch", "tunnel:1", "force_down") == "off"
