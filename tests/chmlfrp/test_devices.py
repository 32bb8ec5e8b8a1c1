"""Tests the devices of ChmlFrp nodes: used or not, with details or without."""

import pytest

from simulator.chmlfrp import ChmlFrpService

from ..common import MINUTE, World
from ..node_moves import Move, check_disabled_by_user, check_first_tunnel, check_unused_node
from ..sampling import EXTENDED

type Frp = World[ChmlFrpService]


@pytest.fixture
def move(world: Frp) -> Move:
    """Move tunnels to another node."""
    state = world.service.state

    def _move(node_id: str) -> None:
        for tunnel in state.tunnels.values():
            tunnel.node = state.nodes[node_id].name

    return _move


@pytest.fixture
def used(world: Frp) -> str:
    """Return the node that all tunnels use."""
    return next(id_ for id_, node in world.service.state.nodes.items() if node.state == "online")


@pytest.fixture
def unused(world: Frp, move: Move, used: str) -> str:
    """Return a node that no tunnel uses."""
    move(used)
    return next(
        id_
        for id_, node in world.service.state.nodes.items()
        if node.state == "online" and id_ != used
    )


# The quick form runs the same test for HayFrp.


@EXTENDED
@pytest.mark.parametrize("while_unloaded", [False, True])
async def test_a_tunnel_moves(
    world: Frp, move: Move, used: str, unused: str, while_unloaded: bool
) -> None:
    await check_unused_node(world, move, used, unused, while_unloaded=while_unloaded)


@EXTENDED
async def test_the_first_tunnel(world: Frp, move: Move, unused: str) -> None:
    await check_first_tunnel(world, move, unused)


@EXTENDED
async def test_nodes_that_the_user_disabled(world: Frp, move: Move, unused: str) -> None:
    await check_disabled_by_user(world, move, unused)


# Only at ChmlFrp


async def test_details_that_are_no_longer_read(world: Frp, used: str, unused: str) -> None:
    """Their entities are removed with the option, whether enabled or not."""
    await world.set_up()
    without = {entity.entity_id for entity in world.registered()}

    for detailed in (True, False):
        world.hass.config_entries.async_update_entry(
            world.entry, options={"node_details": detailed}
        )
        await world.restart()
        await world.live(5 * MINUTE)
        assert ({entity.entity_id for entity in world.registered()} > without) is detailed

    assert {entity.entity_id for entity in world.registered()} == without


async def test_unused_nodes_are_removed(world: Frp, used: str, unused: str) -> None:
    """Their hourly values are removed with them."""
    await world.set_up()
    assert world.registered(f"node_uptime:{unused}:")
    world.service.fault("/node_uptime", "html", times=None)

    await world.restart(nodes="used")

    assert not world.device(f"node:{unused}")
    assert not world.registered(f"node:{unused}:") + world.registered(f"node_uptime:{unused}:")
    assert world.registered(f"node_uptime:{used}:")


@pytest.mark.parametrize("while_unloaded", [False, True])
async def test_only_used_nodes(
    world: Frp, move: Move, used: str, unused: str, while_unloaded: bool
) -> None:
    """Nodes are added and removed with the tunnels, with all their entities."""
    await world.set_up(nodes="used")
    assert world.registered(f"node_uptime:{used}:")
    if while_unloaded:
        assert await world.hass.config_entries.async_unload(world.entry.entry_id)

    move(unused)
    if while_unloaded:
        await world.set_up()
    await world.live(15 * MINUTE, 5 * MINUTE)

    assert not world.device(f"node:{used}")
    assert not world.registered(f"node:{used}:") + world.registered(f"node_uptime:{used}:")
    assert world.value("binary_sensor", f"node:{unused}", "online") == "on"
