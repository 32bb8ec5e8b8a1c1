"""Tests devices: their hierarchy, names, and when they are added and removed."""

from dataclasses import replace

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, translation
from homeassistant.helpers.trigger import async_validate_trigger_config
import pytest

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics
from simulator.hayfrp.state import Node, Tunnel

from .common import MINUTE, World, account_entry, on
from .node_moves import Move, check_disabled_by_user, check_first_tunnel, check_unused_node

pytestmark = pytest.mark.platforms("binary_sensor", "switch")


async def test_devices(world: World) -> None:
    await world.set_up()

    devices = dr.async_entries_for_config_entry(dr.async_get(world.hass), world.entry.entry_id)

    account = world.device("account:account")
    assert account
    assert {device.via_device_id for device in devices if device is not account} == {account.id}


async def test_rows_without_a_name_are_named_in_the_system_language(world: World) -> None:
    await world.set_up()
    device = world.device("service:service")
    assert device
    assert device.name == "HayFrp service"

    translation.async_setup(world.hass)
    await world.hass.config.async_update(language="zh-Hans")
    await world.settle()
    await world.hass.config_entries.async_reload(world.entry.entry_id)

    device = world.device("service:service")
    assert device
    assert device.name == "HayFrp 服务"


async def test_a_new_tunnel_appears(world: World) -> None:
    await world.set_up()
    assert world.device("tunnel:77") is None

    world.service.state.tunnels["77"] = Tunnel(
        id="77", username="demo", proxy_name="late", proxy_type="tcp", node="1", remote_port=77
    )
    await world.elapse(MINUTE)

    device = world.device("tunnel:77")
    assert device
    assert device.name == "late"
    assert world.value("switch", "tunnel:77", "enabled") == "on"
    assert world.value("binary_sensor", "tunnel:77", "online") == "on"


async def test_a_new_node_appears(world: World) -> None:
    await world.set_up()

    world.service.state.nodes["99"] = Node(id="99", name="late", description="", domain="x")
    world.service.state.tunnels["1"].node = "99"
    await world.live(6 * MINUTE)

    device = world.device("node:99")
    assert device
    assert device.name == "late"
    assert world.value("binary_sensor", "node:99", "online") == "on", "enabled, because it is used"


async def test_a_renamed_tunnel_keeps_its_entities(world: World) -> None:
    await world.set_up()
    entity_id = world.entity_id("switch", "tunnel:1", "enabled")
    number = len(world.hass.states.async_entity_ids())

    world.service.state.tunnels["1"].proxy_name = "renamed"
    await world.elapse(MINUTE)

    device = world.device("tunnel:1")
    assert device
    assert device.name == "renamed"
    assert world.entity_id("switch", "tunnel:1", "enabled") == entity_id
    assert world.hass.states.get(entity_id)
    assert len(world.hass.states.async_entity_ids()) == number


async def test_a_name_from_the_user_stays(world: World) -> None:
    await world.set_up()
    tunnel = world.device_id("tunnel:1")
    dr.async_get(world.hass).async_update_device(tunnel, name_by_user="My own")

    world.service.state.tunnels["1"].proxy_name = "renamed"
    await world.elapse(MINUTE)

    device = world.device("tunnel:1")
    assert device
    assert (device.name, device.name_by_user) == ("renamed", "My own")


@pytest.mark.platforms("sensor")
async def test_the_latest_version_of_a_node_is_shown(world: World) -> None:
    await world.set_up()
    node = world.device("node:1")
    assert node
    assert node.sw_version == "0.59.0"

    world.service.state.nodes["1"].version = "0.60.0"
    await world.live(5 * MINUTE)

    node = world.device("node:1")
    assert node
    assert node.sw_version == "0.60.0"
    assert world.value("sensor", "node:1", "version") == "0.60.0"


async def test_a_device_is_removed_while_no_browser_is_connected(world: World) -> None:
    """It takes two answers, and the entities of all other devices are disabled."""
    await world.set_up()
    world.disable("tunnel:2", "tunnel:3", "tunnel:4", "tunnel:5")
    await world.hass.config_entries.async_unload(world.entry.entry_id)
    del world.service.state.tunnels["1"]

    await world.set_up()
    await world.live(3 * MINUTE)

    assert world.device("tunnel:1") is None
    assert world.device("tunnel:2")


@pytest.mark.parametrize("with_restart", [False, True])
async def test_a_deleted_tunnel_is_removed_after_two_answers(
    world: World, with_restart: bool
) -> None:
    """The first answer without it can be an error of the service: its entities are unavailable."""
    await world.set_up()
    tunnel = world.service.state.tunnels.pop("1")
    await world.elapse(MINUTE)
    assert world.device("tunnel:1")
    assert world.value("switch", "tunnel:1", "enabled") == "unavailable"

    world.service.state.tunnels["1"] = tunnel
    await world.elapse(MINUTE)
    assert world.value("switch", "tunnel:1", "enabled") == "on"

    del world.service.state.tunnels["1"]
    if with_restart:
        await world.restart()
    else:
        await world.elapse(MINUTE)
    assert world.device("tunnel:1")
    await world.elapse(MINUTE)

    assert world.device("tunnel:1") is None
    assert not world.registered("tunnel:1:")

    world.service.state.tunnels["1"] = tunnel
    await world.elapse(MINUTE)
    assert world.device("tunnel:1")
    assert world.value("switch", "tunnel:1", "enabled") == "on"


async def test_an_outage_removes_nothing(world: World) -> None:
    await world.set_up()
    number = len(dr.async_entries_for_config_entry(dr.async_get(world.hass), world.entry.entry_id))
    world.service.fault("/proxy", "html", times=None)
    world.service.fault("/nodes", "html", times=None)

    await world.live(30 * MINUTE, 5 * MINUTE)

    assert number == len(
        dr.async_entries_for_config_entry(dr.async_get(world.hass), world.entry.entry_id)
    )


async def test_all_tunnels_deleted(world: World) -> None:
    """HayFrp answers 404 to an account without tunnels."""
    await world.set_up()
    world.service.state.tunnels.clear()

    await world.live(2 * MINUTE)

    assert not [number for number in "12345" if world.device(f"tunnel:{number}")]


async def test_a_row_without_a_name_is_called_by_its_id(world: World) -> None:
    world.service.state.tunnels["1"].proxy_name = ""

    await world.set_up()

    device = world.device("tunnel:1")
    assert device
    assert device.name == "HayFrp 1"


async def test_a_device_that_the_user_removed(world: World) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]
    await world.elapse(MINUTE)
    dr.async_get(world.hass).async_remove_device(world.device_id("tunnel:1"))

    await world.elapse(MINUTE)

    assert world.device("tunnel:1") is None
    assert world.value("switch", "tunnel:2", "enabled") == "on"


# Nodes that tunnels move to


@pytest.fixture
def move(world: World) -> Move:
    """Move tunnels to another node."""

    def _move(node_id: str) -> None:
        for tunnel in world.service.state.tunnels.values():
            tunnel.node = node_id

    return _move


@pytest.mark.parametrize("while_unloaded", [False, True])
@pytest.mark.platforms("binary_sensor", "sensor", "switch")
async def test_a_tunnel_moves(world: World, move: Move, while_unloaded: bool) -> None:
    move("1")
    await check_unused_node(world, move, "1", "2", while_unloaded=while_unloaded)


async def test_the_first_tunnel(world: World, move: Move) -> None:
    await check_first_tunnel(world, move, "2")


@pytest.mark.platforms("binary_sensor", "sensor", "switch")
async def test_nodes_that_the_user_disabled(world: World, move: Move) -> None:
    move("1")
    await check_disabled_by_user(world, move, "2")


# Two accounts


@pytest.fixture
async def two_accounts(world: World) -> World:
    """Return two accounts. Each has a tunnel of the same name."""
    await world.set_up()
    await world.elapse(MINUTE)
    other = world.service.state.accounts["other"]
    second = account_entry(world.service, other)
    second.add_to_hass(world.hass)
    await world.hass.config_entries.async_setup(second.entry_id)
    await world.settle()
    return replace(world, entry=second)


def named(world: World, thing: str) -> str | None:
    device = world.device(thing)
    assert device
    return device.name


async def test_the_same_name_at_two_accounts(world: World, two_accounts: World) -> None:
    """The first keeps its name. The second gets its account's name as well."""
    name = world.service.state.nodes["1"].name

    for _ in range(2):
        assert named(world, "node:1") == name
        assert named(two_accounts, "node:1") == f"{name} (HayFrp other)"
        assert named(two_accounts, "account:account") == "HayFrp other"
        await world.restart()
        await two_accounts.restart()

    await world.hass.config_entries.async_remove(world.entry.entry_id)
    await two_accounts.restart()
    assert named(two_accounts, "node:1") == f"{name} (HayFrp other)", "names stay"


async def test_existing_names_and_ids_stay(world: World, two_accounts: World) -> None:
    """Entities keep their ids, and devices the names that users gave them."""
    registry = dr.async_get(world.hass)
    device = two_accounts.device("node:1")
    assert device
    name = world.service.state.nodes["1"].name
    registry.async_update_device(device.id, name=name, name_by_user="Mine")
    before = {entity.entity_id for entity in two_accounts.registered()}

    await two_accounts.restart()

    device = two_accounts.device("node:1")
    assert device
    assert (device.name, device.name_by_user) == (f"{name} (HayFrp other)", "Mine")
    assert {entity.entity_id for entity in two_accounts.registered()} == before


# Child devices, which Home Assistant supports since 2026.9


async def test_child_devices_are_tolerated(world: World) -> None:
    """One belongs to another integration, the other has the identifiers of a later tunnel."""
    hass, entry = world.hass, world.entry
    await world.set_up()
    registry = dr.async_get(hass)
    device = world.device("tunnel:1")
    assert device
    parent = device.id
    ((_, identifier),) = device.identifiers
    prefix = identifier.rpartition(":")[0]
    child = registry.async_get_or_create_child(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, "of another version")},
        parent_device_id=parent,
        name="Door",
    )
    registry.async_get_or_create_child(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, f"{prefix}:77")},
        parent_device_id=parent,
        name="late",
    )
    world.service.state.tunnels["77"] = Tunnel(
        id="77", username="demo", proxy_name="late", proxy_type="tcp", node="1", remote_port=77
    )

    await world.restart(nodes="used")
    await world.live(5 * MINUTE)

    assert world.value("switch", "tunnel:1", "enabled") == "on"
    assert world.value("switch", "tunnel:77", "enabled") == "on"
    assert await async_get_config_entry_diagnostics(hass, entry)
    with pytest.raises(HomeAssistantError):
        await world.call("force_offline", device_id=child.id)
    everything = {"device_id": [child.id, parent]}
    trigger = {"platform": "tunnel_hub.tunnel_went_offline", "target": everything}
    assert await async_validate_trigger_config(hass, [trigger])
    registry.async_remove_device(child.id)
    await on(world, "tunnel:77", "force_offline")
    await hass.config_entries.async_remove(entry.entry_id)
    assert not dr.async_child_entries_for_config_entry(registry, entry.entry_id)
    assert not dr.async_entries_for_config_entry(registry, entry.entry_id)
