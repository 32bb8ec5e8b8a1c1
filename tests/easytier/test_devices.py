"""Tests the devices of a node manager: nodes and kinds of devices are added and removed."""

import pytest

from simulator.easytier import EasyTierService

from ..common import HOUR, MINUTE, World, on, refused

type Manager = World[EasyTierService]


async def choose(world: Manager, *numbers: str) -> None:
    """Select public nodes in the options."""
    options = world.hass.config_entries.options
    form = await options.async_init(world.entry.entry_id)
    await options.async_configure(
        form["flow_id"], {"shown_public_nodes": {"public_nodes": list(numbers)}}
    )
    await world.settle()
    await world.live(15 * MINUTE)


async def test_selected_public_nodes(world: Manager) -> None:
    """Deselected nodes are removed, the last one too. Devices of other entries stay."""
    await world.set_up()
    kept = {entity.entity_id for entity in world.registered()}

    for chosen in (["1", "2"], ["2"], [], ["1"]):
        await choose(world, *chosen)
        for number in "12":
            assert bool(world.device(f"public_node:{number}")) is (number in chosen)
            assert bool(world.registered(f"public_node:{number}:")) is (number in chosen)

    await choose(world)
    assert {entity.entity_id for entity in world.registered()} == kept
    assert world.device("account:account")


@pytest.mark.parametrize("while_unloaded", [False, True])
async def test_a_deleted_node(world: Manager, while_unloaded: bool) -> None:
    """The results of its checks, which are requested far less often, are removed too."""
    world.service.state.settings.edgeone = True
    await world.set_up()
    (first, second, *_) = [
        number
        for number, node in world.service.state.nodes.items()
        if node.user_email == world.service.account.email
        and world.registered(f"reachability:{number}:")
    ]
    if while_unloaded:
        assert await world.hass.config_entries.async_unload(world.entry.entry_id)

    del world.service.state.nodes[first]
    if while_unloaded:
        await world.set_up()
    await world.live(5 * MINUTE)

    assert not world.device(f"relay_node:{first}")
    assert not world.registered(f"relay_node:{first}:")
    assert not world.registered(f"reachability:{first}:")
    assert world.device(f"relay_node:{second}")
    assert world.registered(f"reachability:{second}:")


async def test_reconfigure_without_and_with_an_account(world: Manager) -> None:
    """Without it there are only the service and public nodes. With it all devices return."""
    world.service.state.settings.edgeone = True
    await world.set_up(public_nodes=["1"])
    before = {entity.entity_id for entity in world.registered()}
    data = dict(world.entry.data)

    async def becomes(data: dict[str, str]) -> None:
        world.hass.config_entries.async_update_entry(world.entry, data=data)
        await world.restart()
        await world.live(HOUR, 5 * MINUTE)

    await becomes({name: data[name] for name in ("provider", "base_url")})
    kinds = {entity.unique_id.split(":")[1] for entity in world.registered()}
    assert kinds == {"public_node", "public_node_forecast", "service"}
    assert not world.device("relay_node:1")
    assert world.device("account:account")

    await becomes(data)
    assert {entity.entity_id for entity in world.registered()} == before


async def test_the_state_of_a_node(world: Manager) -> None:
    """Automations can use it. A deleted node has none."""
    await world.set_up(public_nodes=["2"])
    number = next(n for n in world.service.state.nodes if world.device(f"relay_node:{n}"))

    for thing in (f"relay_node:{number}", "public_node:2"):
        answer = await on(world, thing, "get_node")
        assert (world.value("binary_sensor", thing, "online") == "on") is answer["online"]

    del world.service.state.nodes[number]
    await world.elapse(2 * MINUTE)
    error = await refused(world, f"relay_node:{number}", "get_node")
    assert error.translation_key == "node_gone"
