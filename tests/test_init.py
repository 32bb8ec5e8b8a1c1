"""The life of an entry."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest

from custom_components.tunnel_hub import async_remove_config_entry_device
from custom_components.tunnel_hub.const import DOMAIN

from .common import DAY, HOUR, MINUTE, World, account_entry


async def test_set_up_and_unload(world: World) -> None:
    world.service.fault("/nodes", "html", times=None)
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.LOADED
    assert world.value("switch", "tunnel:1", "enabled") == "on"

    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    calls = len(world.service.calls)
    await world.live(2 * HOUR, HOUR)

    assert world.value("switch", "tunnel:1", "enabled") == "unavailable"
    assert len(world.service.calls) == calls, "an unloaded account is left alone"


async def test_a_session_outlives_a_restart(world: World) -> None:
    """A login ends all other sessions of the account, so there is one, ever."""
    await world.set_up()
    assert len(world.service.calls_to("/user", type="login")) == 1
    assert world.entry.data["token"] == world.service.account.csrf

    await world.restart()
    await world.live(DAY, HOUR)

    assert world.value("sensor", "account:account", "tunnels_used") == "5"
    assert len(world.service.calls_to("/user", type="login")) == 1


async def test_an_expired_session_is_renewed_and_stored(world: World) -> None:
    await world.set_up()

    await world.elapse(8 * DAY)
    await world.elapse(MINUTE)

    assert len(world.service.calls_to("/user", type="login")) == 2
    assert world.entry.data["token"] == world.service.account.csrf
    assert world.value("switch", "tunnel:1", "enabled") == "on"


async def test_set_up_is_tried_again(world: World) -> None:
    await world.service.stop()
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_RETRY
    assert world.entry.reason
    assert "cannot be reached" in world.entry.reason

    await world.service.start()
    await world.elapse(MINUTE)

    assert world.entry_state() is ConfigEntryState.LOADED


async def test_a_refused_password_asks_the_user(world: World) -> None:
    world.service.account.password = "changed"

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.SETUP_ERROR
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    assert flow["context"]["entry_id"] == world.entry.entry_id


@pytest.mark.parametrize("path", ["/node", "/nodes"])
async def test_other_feeds_may_come_later(world: World, path: str) -> None:
    """Only the account must be readable; the rest comes when it comes."""
    world.service.fault(path, "html", times=None)
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.LOADED
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    assert world.device("node:1") is None

    world.service.clear_faults()
    await world.live(5 * MINUTE)

    assert world.value("binary_sensor", "node:1", "online") == "on"


async def test_a_feed_nobody_listens_to_costs_nothing(world: World) -> None:
    await world.set_up()
    registry = er.async_get(world.hass)
    for entity in world.registered("service:") + world.registered("notice:"):
        registry.async_update_entity(entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    world.service.calls.clear()

    await world.restart()
    await world.live(3 * HOUR, HOUR)

    assert not world.service.calls_to("/info")
    assert not world.service.calls_to("/notice")
    assert world.service.calls_to("/version")
    assert world.service.calls_to("/nodes")

    entity_id = world.entity_id("sensor", "service:service", "traffic")
    registry.async_update_entity(entity_id, disabled_by=None)
    await world.restart()

    assert len(world.service.calls_to("/info")) == 1
    assert world.value("sensor", "service:service", "traffic") != "unknown"


async def test_two_accounts(world: World) -> None:
    """They share nothing: neither a session nor devices."""
    other = account_entry(world.service, world.service.state.accounts["other"])
    other.add_to_hass(world.hass)
    await world.set_up()
    second = World(world.hass, world.freezer, world.service, other)
    assert second.entry_state() is ConfigEntryState.LOADED

    assert world.value("sensor", "account:account", "tunnels_used") == "5"
    assert second.value("sensor", "account:account", "tunnels_used") == "0"
    assert world.device("node:2") != second.device("node:2")

    await world.hass.config_entries.async_remove(world.entry.entry_id)
    await second.live(2 * MINUTE)

    assert second.entry_state() is ConfigEntryState.LOADED
    assert second.value("sensor", "account:account", "tunnels_used") == "0"
    assert world.service.state.accounts["other"].csrf == other.data["token"]


async def test_removal_leaves_nothing(world: World, hass_storage: dict[str, Any]) -> None:
    await world.set_up()
    await world.act("switch", "turn_on", "tunnel:1", "force_down")
    assert f"{DOMAIN}.{world.entry.entry_id}" in hass_storage
    await world.contest()
    assert ir.async_get(world.hass).issues

    await world.hass.config_entries.async_remove(world.entry.entry_id)
    await world.settle()

    assert f"{DOMAIN}.{world.entry.entry_id}" not in hass_storage
    assert not ir.async_get(world.hass).issues
    assert not world.registered()


async def test_only_what_is_gone_can_be_removed_by_hand(world: World) -> None:
    await world.set_up()

    async def removable(thing: str) -> bool:
        device = world.device(thing)
        assert device
        return await async_remove_config_entry_device(world.hass, world.entry, device)

    assert not await removable("account:account")
    assert not await removable("tunnel:1")
    assert not await removable("node:1")
    assert not await removable("service:service")

    del world.service.state.tunnels["1"]
    await world.elapse(MINUTE)
    assert await removable("tunnel:1"), "it is absent, though not yet given up"


async def test_a_device_that_nobody_knows_can_be_removed(world: World) -> None:
    """Such as one that an older version made."""
    await world.set_up()
    device = dr.async_get(world.hass).async_get_or_create(
        config_entry_id=world.entry.entry_id, identifiers={(DOMAIN, "of-old"), ("other", "x:y:z")}
    )

    assert await async_remove_config_entry_device(world.hass, world.entry, device)
    with pytest.raises(ServiceValidationError) as refused:
        await world.call("force_offline", device_id=device.id)
    assert refused.value.translation_key == "wrong_device"
