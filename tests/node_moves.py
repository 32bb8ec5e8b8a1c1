"""Tests of nodes that tunnels move to and from, for every frp service that has them."""

from collections.abc import Callable
from typing import Any

from homeassistant.helpers import entity_registry as er

from .common import HOUR, MINUTE, World

type Move = Callable[[str], None]
"""Sets the node of all tunnels of the account, by id."""


def disabled(world: World[Any], node: str) -> dict[str, er.RegistryEntryDisabler | None]:
    """Return which entities of a node are disabled, and who disabled them."""
    return {
        entity.unique_id.rpartition(":")[2]: entity.disabled_by
        for entity in world.registered(f"node:{node}:")
    }


async def check_unused_node(
    world: World[Any], move: Move, used: str, unused: str, *, while_unloaded: bool
) -> None:
    """Move to an unused node: entities that the integration had disabled become enabled.

    Entities that the user has disabled stay disabled, and so do those that are disabled at
    every node. The previous node stays enabled.
    """
    await world.set_up()
    integration, user = er.RegistryEntryDisabler.INTEGRATION, er.RegistryEntryDisabler.USER
    assert set(disabled(world, unused).values()) == {integration}
    enabled = {key for key, by in disabled(world, used).items() if by is None}
    assert enabled > {"online", "clients"}
    registry = er.async_get(world.hass)
    registry.async_update_entity(
        world.entity_id("sensor", f"node:{unused}", "clients"), disabled_by=user
    )
    if while_unloaded:
        assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    move(unused)
    if while_unloaded:
        await world.set_up()
    await world.live(7 * MINUTE)

    for _ in range(2):
        assert disabled(world, unused)["clients"] is user
        assert {k for k, by in disabled(world, unused).items() if by is None} == (
            enabled - {"clients"}
        )
        assert world.value("binary_sensor", f"node:{unused}", "online") == "on"
        assert {k for k, by in disabled(world, used).items() if by is None} == enabled
        await world.restart()


async def check_first_tunnel(world: World[Any], move: Move, node: str) -> None:
    """Create the first tunnel of an account whose nodes are all disabled."""
    tunnels = dict(world.service.state.tunnels)
    world.service.state.tunnels.clear()
    await world.set_up()
    assert set(disabled(world, node).values()) == {er.RegistryEntryDisabler.INTEGRATION}

    await world.restart()
    await world.live(HOUR, 5 * MINUTE)
    world.service.state.tunnels.update(tunnels)
    move(node)
    await world.live(10 * MINUTE)

    assert world.value("binary_sensor", f"node:{node}", "online") == "on"


async def check_disabled_by_user(world: World[Any], move: Move, node: str) -> None:
    """Check that a node whose entities the user disabled stays so, and is not read."""
    await world.set_up()
    world.disable("node:", "node_uptime:")
    await world.restart()

    move(node)
    await world.live(10 * MINUTE)

    assert set(disabled(world, node).values()) == {er.RegistryEntryDisabler.USER}
