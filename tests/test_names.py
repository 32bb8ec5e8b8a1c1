"""Tests unusual names: every entity has an id that Home Assistant accepts."""

from homeassistant.core import valid_entity_id
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
import pytest

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import id_prefix

from .common import MINUTE, World
from .unusual_names import NAMES, check

MANY = {"tunnels": 2 * len(NAMES), "nodes": 2 * len(NAMES)}
EACH = pytest.mark.parametrize("simulator", [MANY], indirect=True)


@EACH
async def test_of_tunnels_and_nodes(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Two tunnels and nodes have the same name. All platforms are tested."""
    state = world.service.state
    for number, name in enumerate((*NAMES.values(), *NAMES.values()), 1):
        state.tunnels[str(number)].proxy_name = state.nodes[str(number)].name = name

    await world.set_up()
    check(world)

    # Test again with all entities enabled, and with existing ids.
    await world.enable_all()
    check(world)
    for number in range(1, 2 * len(NAMES) + 1):
        assert world.value("switch", f"tunnel:{number}", "enabled") in ("on", "off")
    assert not [r for r in caplog.records if "entity" in r.name and r.levelname == "ERROR"]
    assert "entity ID" not in caplog.text


@EACH
async def test_a_new_name(world: World) -> None:
    """Existing ids stay, and those of new entities are short enough."""
    await world.set_up()
    before = {entity.id: entity.entity_id for entity in world.registered()}
    registry = er.async_get(world.hass)

    for number, name in enumerate(NAMES.values(), 1):
        world.service.state.tunnels[str(number)].proxy_name = name
    await world.elapse(MINUTE)
    for number in range(1, len(NAMES) + 1):
        registry.async_remove(world.entity_id("switch", f"tunnel:{number}", "enabled"))
    registry.deleted_entities.clear()
    await world.restart()

    check(world)
    after = {entity.id: entity.entity_id for entity in world.registered()}
    assert len(after.keys() - before.keys()) == len(before.keys() - after.keys()) == len(NAMES)
    assert all(after[id_] == before[id_] for id_ in after.keys() & before.keys())


async def test_of_the_account(world: World) -> None:
    world.hass.config_entries.async_update_entry(world.entry, title=NAMES["80 Chinese"])

    await world.set_up()

    check(world)


async def test_an_area_with_a_long_name(world: World) -> None:
    """Home Assistant prepends it to the device's name for new entities."""
    world.service.state.tunnels["1"].proxy_name = "c d " * 40
    await world.set_up()
    area = ar.async_get(world.hass).async_create("a b " * 40)
    dr.async_get(world.hass).async_update_device(world.device_id("tunnel:1"), area_id=area.id)
    registry = er.async_get(world.hass)
    for entity in world.registered("tunnel:1:"):
        registry.async_remove(entity.entity_id)
    registry.deleted_entities.clear()

    await world.restart()

    assert world.registered("tunnel:1:")
    check(world)


async def test_an_id_that_home_assistant_refuses(world: World) -> None:
    """An older version registered it. Home Assistant refuses it at every start."""
    name = ("d" * 9 + " ") * 40
    world.service.state.tunnels["1"].proxy_name = name
    registry = er.async_get(world.hass)
    broken = registry.async_get_or_create(
        "switch",
        DOMAIN,
        f"{id_prefix(world.entry)}:tunnel:1:enabled",
        suggested_object_id="d" * 247 + " e",
        config_entry=world.entry,
    )
    assert not valid_entity_id(broken.entity_id)

    await world.set_up()

    check(world)
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    renamed = registry.async_get(world.entity_id("switch", "tunnel:1", "enabled"))
    assert renamed
    assert renamed.id == broken.id, "the same entity, with the user's settings"
