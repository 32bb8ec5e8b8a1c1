"""Nodes of an frp service that tunnels move to and from, for every service that has them."""

from collections.abc import Callable
from typing import Any

from homeassistant.helpers import entity_registry as er

from .common import HOUR, MINUTE, World

type Move = Callable[[str], None]
"""Let all of the account's tunnels run over the node of this id."""


def disabled(world: World[Any], node: str) -> dict[str, er.RegistryEntryDisabler | None]:
    """Return who has disabled which entities of a node."""
    return {
        entity.unique_id.rpartition(":")[2]: entity.disabled_by
        for entity in world.registered(f"node:{node}:")
    }


async def check_a_move(
    world: World[Any], move: Move, used: str, unused: str, *, while_unloaded: bool
) -> None:
    """Move to a node that no tunnel has used: what only we have disabled becomes enabled.

    What the user has disabled stays so, as does what is disabled at every node. The node that was
    used stays enabled.
    """
    await world.set_up()
    ours, user = er.RegistryEntryDisabler.INTEGRATION, er.RegistryEntryDisabler.USER
    assert set(disabled(world, unused).values()) == {ours}
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


async def check_a_first_tunnel(world: World[Any], move: Move, node: str) -> None:
    """Let the first tunnel come to an account of which all nodes are disabled."""
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


async def check_users_choice(world: World[Any], move: Move, node: str) -> None:
    """Leave alone, and do not even read, what the user has disabled as a whole."""
    await world.set_up()
    world.disable("node:", "node_uptime:")
    await world.restart()

    move(node)
    await world.live(10 * MINUTE)

    assert set(disabled(world, node).values()) == {er.RegistryEntryDisabler.USER}
