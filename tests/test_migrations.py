"""Tests accounts that an older version stored, whose identifiers begin with the entry's id."""

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.tunnel_hub.const import DOMAIN

from .common import MINUTE, SMALL, World, as_older, user_settings

pytestmark = SMALL

WRITTEN_LATER = [
    ("entry", "entities", "devices"),
    ("entities", "devices"),
    ("entry", "devices"),
    ("entry", "entities"),
    ("entities",),
    ("devices",),
    ("entry",),
]
"""The parts that Home Assistant had not written when it was killed."""


@pytest.mark.parametrize("stores", WRITTEN_LATER, ids=" and ".join)
async def test_killed_during_the_upgrade(world: World, stores: tuple[str, ...]) -> None:
    """The migration continues at the next start, and creates no duplicates."""
    await world.set_up()
    before = user_settings(world.hass, world.entry)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    as_older(world, *stores)

    await world.set_up()

    assert world.entry.data["id_prefix"] == f"hayfrp.{world.service.account.uuid}"
    assert user_settings(world.hass, world.entry) == before
    assert world.value("binary_sensor", "tunnel:1", "online") == "on"


async def test_upgraded_while_disabled(world: World) -> None:
    await world.set_up()
    before = user_settings(world.hass, world.entry)
    switch = world.hass.config_entries.async_set_disabled_by
    await switch(world.entry.entry_id, ConfigEntryDisabler.USER)
    as_older(world)

    await switch(world.entry.entry_id, None)
    await world.settle()

    assert user_settings(world.hass, world.entry) == before


async def test_upgraded_while_the_service_does_not_answer(world: World) -> None:
    await world.set_up()
    before = user_settings(world.hass, world.entry)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    as_older(world)
    world.service.fault("*", "status", status=500, times=None)

    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_RETRY
    assert user_settings(world.hass, world.entry) == before
    world.service.clear_faults()
    await world.elapse(MINUTE)

    assert world.entry_state() is ConfigEntryState.LOADED
    assert user_settings(world.hass, world.entry) == before


async def test_a_tunnel_that_was_missing_during_the_upgrade(world: World) -> None:
    """When it returns, its entities have the same ids."""
    await world.set_up()
    entities = er.async_get(world.hass)
    entities.async_update_entity(
        world.entity_id("switch", "tunnel:1", "enabled"), new_entity_id="switch.mine", name="Mine"
    )
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    as_older(world)
    for entity in world.registered("tunnel:1:"):
        entities.async_remove(entity.entity_id)
    dr.async_get(world.hass).async_remove_device(world.device_id("tunnel:1"))

    await world.set_up()

    assert world.entity_id("switch", "tunnel:1", "enabled") == "switch.mine"
    mine = entities.async_get("switch.mine")
    assert mine
    assert mine.name == "Mine"
    assert mine.device_id == world.device_id("tunnel:1")


async def test_duplicate_entities(world: World) -> None:
    """An older version has created all entities again, as it can after a restored backup."""
    await world.set_up()
    before = user_settings(world.hass, world.entry)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    old = f"{world.entry.entry_id}:tunnel:1"
    twin = er.async_get(world.hass).async_get_or_create(
        "switch", DOMAIN, f"{old}:enabled", config_entry=world.entry
    )
    device = dr.async_get(world.hass).async_get_or_create(
        config_entry_id=world.entry.entry_id, identifiers={(DOMAIN, old)}
    )

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.LOADED
    left = user_settings(world.hass, world.entry)
    del left[device.id], left[twin.id]
    assert left == before, "the user can delete the others"
