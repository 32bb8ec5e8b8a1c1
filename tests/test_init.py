"""Tests setup, unloading and removal of config entries."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.entity_component import async_update_entity
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.tunnel_hub import async_remove_config_entry_device
from custom_components.tunnel_hub.const import DOMAIN
from simulator.gates import Moment
from simulator.hayfrp.state import Tunnel

from .common import DAY, HOUR, MINUTE, World, account_entry, on_account, refused
from .test_config_flow import choose

pytestmark = pytest.mark.platforms("switch")


async def test_set_up_and_unload(world: World) -> None:
    world.service.fault("/nodes", "html", times=None)
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.LOADED
    assert world.value("switch", "tunnel:1", "enabled") == "on"

    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    calls = len(world.service.calls)
    await world.live(2 * HOUR, HOUR)

    assert world.value("switch", "tunnel:1", "enabled") == "unavailable"
    assert len(world.service.calls) == calls, "an unloaded account sends no request"


@pytest.mark.platforms("sensor")
async def test_a_session_is_used_after_a_restart(world: World) -> None:
    """A login ends all other sessions of the account, so there is only one."""
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


async def test_a_running_login_does_not_replace_new_credentials(world: World) -> None:
    """The password is not stored again after the user has replaced it by a session token."""
    await world.set_up()
    account = world.service.account
    account.csrf = "of-another-program"
    gate = world.service.gate("/user", "after", match={"type": "login"})
    signing_in = asyncio.create_task(on_account(world, "sign_in"))
    await gate.reached()
    account.csrf, account.csrf_since = "pasted", world.service.now()
    menu = await world.entry.start_reconfigure_flow(world.hass)
    form = await choose(world.hass, menu, "hayfrp_token")
    result = await world.hass.config_entries.flow.async_configure(
        form["flow_id"], {"token": "pasted", "advanced": {"base_url": world.service.url}}
    )
    assert result["reason"] == "reconfigure_successful"

    gate.open()
    with suppress(HomeAssistantError):
        await signing_in
    await world.settle()

    assert world.entry.data == {
        "provider": "hayfrp",
        "id_prefix": f"hayfrp.{world.service.account.uuid}",
        "base_url": world.service.url,
        "token": "pasted",
    }
    assert world.entry_state() is ConfigEntryState.LOADED


async def test_setup_is_retried(world: World) -> None:
    await world.service.stop()
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_RETRY
    assert world.entry.reason
    assert "Cannot connect" in world.entry.reason

    await world.service.start()
    await world.elapse(MINUTE)

    assert world.entry_state() is ConfigEntryState.LOADED


async def test_a_refused_password_starts_reauthentication(world: World) -> None:
    world.service.account.password = "changed"

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.SETUP_ERROR
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    assert flow["context"]["entry_id"] == world.entry.entry_id


@pytest.mark.parametrize("path", ["/node", "/nodes"])
@pytest.mark.platforms("binary_sensor", "switch")
async def test_setup_does_not_wait_for_other_feeds(world: World, path: str) -> None:
    """Only the account must be readable."""
    world.service.fault(path, "html", times=None)
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.LOADED
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    assert world.device("node:1") is None

    world.service.clear_faults()
    await world.live(5 * MINUTE)

    assert world.value("binary_sensor", "node:1", "online") == "on"


@pytest.mark.platforms("binary_sensor", "event", "sensor")
async def test_a_feed_without_subscribers_is_not_read(world: World) -> None:
    await world.set_up()
    world.disable("service:", "notice:")
    world.service.calls.clear()

    await world.restart()
    await world.live(3 * HOUR, HOUR)

    assert not world.service.calls_to("/info")
    assert not world.service.calls_to("/notice")
    assert world.service.calls_to("/version")
    assert world.service.calls_to("/nodes")

    entity_id = world.entity_id("sensor", "service:service", "traffic")
    er.async_get(world.hass).async_update_entity(entity_id, disabled_by=None)
    await world.restart()

    assert len(world.service.calls_to("/info")) == 1
    assert world.value("sensor", "service:service", "traffic") != "unknown"


@pytest.mark.platforms("sensor")
async def test_two_accounts(world: World) -> None:
    """They share neither a session nor devices."""
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


async def test_only_absent_devices_can_be_removed(world: World) -> None:
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
    assert await removable("tunnel:1"), "it is absent, but not removed yet"


async def test_an_unknown_device_can_be_removed(world: World) -> None:
    """An older version may have created it."""
    await world.set_up()
    device = dr.async_get(world.hass).async_get_or_create(
        config_entry_id=world.entry.entry_id, identifiers={(DOMAIN, "of-old"), ("other", "x:y:z")}
    )

    assert await async_remove_config_entry_device(world.hass, world.entry, device)
    with pytest.raises(ServiceValidationError) as refused:
        await world.call("force_offline", device_id=device.id)
    assert refused.value.translation_key == "wrong_device"


# An entry that is not loaded


async def fail(world: World) -> None:
    """Let setup succeed once and then fail."""
    await world.set_up()
    await world.service.stop()
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_RETRY


async def disable(world: World) -> None:
    """Disable the entry as the user."""
    await world.set_up()
    await world.hass.config_entries.async_set_disabled_by(
        world.entry.entry_id, ConfigEntryDisabler.USER
    )
    assert world.entry_state() is ConfigEntryState.NOT_LOADED


async def refuse(world: World) -> None:
    """Let the service refuse the password."""
    await world.set_up()
    world.service.account.password = "changed"
    world.service.account.csrf = "of-another-program"
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_ERROR


# Home Assistant itself causes this warning.
AIOHTTP_WARNS = pytest.mark.filterwarnings("ignore::aiohttp.web.NotAppKeyWarning")
NOT_LOADED = pytest.mark.parametrize("stop", [fail, disable, refuse])


@AIOHTTP_WARNS
@NOT_LOADED
async def test_a_device_of_an_account_that_is_not_loaded(
    world: World, stop: Callable[[World], Awaitable[None]], hass_ws_client: WebSocketGenerator
) -> None:
    """Whether it exists is unknown, so it can be removed, and returns if it does."""
    assert await async_setup_component(world.hass, "config", {})
    await stop(world)
    client = await hass_ws_client(world.hass)

    for thing in ("tunnel:1", "account:account"):
        await client.send_json_auto_id(
            {"type": "config/device_registry/remove", "device_id": world.device_id(thing)}
        )
        answer = await client.receive_json()
        assert answer["success"], answer
        assert world.device(thing) is None


@AIOHTTP_WARNS
@NOT_LOADED
async def test_diagnostics_of_an_account_that_is_not_loaded(
    world: World, stop: Callable[[World], Awaitable[None]], hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(world.hass, "diagnostics", {})
    await stop(world)
    client = await hass_client()
    url = f"/api/diagnostics/config_entry/{world.entry.entry_id}"

    answer = await client.get(url)
    of_device = await client.get(f"{url}/device/{world.device_id('tunnel:1')}")

    assert answer.status == of_device.status == HTTPStatus.OK
    diagnostics = (await answer.json())["data"]
    assert diagnostics["provider"] == "hayfrp"
    assert diagnostics["state"] == world.entry.state.value
    assert diagnostics["error"] == world.entry.error_reason_translation_key
    assert (await of_device.json())["data"] == {"state": world.entry.state.value}


@NOT_LOADED
async def test_actions_of_an_account_that_is_not_loaded(
    world: World, stop: Callable[[World], Awaitable[None]]
) -> None:
    await stop(world)

    for thing, action in ((None, "sign_in"), ("tunnel:1", "force_offline"), ("node:1", "get_node")):
        error = await refused(world, thing, action)
        assert isinstance(error, ServiceValidationError)
        assert error.translation_key == "service_config_entry_not_loaded"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("overtakes", ["async_reload", "async_unload", "async_remove"])
async def test_a_command_during_an_unload(
    world: World, moment: Moment, overtakes: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is executed, and no error is logged."""
    await world.set_up()
    caplog.clear()
    gate = world.service.gate("/proxy", moment, match={"type": "toggle"})
    entity_id = world.entity_id("switch", "tunnel:1", "enabled")
    command = world.hass.async_create_task(
        world.hass.services.async_call(
            "switch", "turn_off", {"entity_id": entity_id}, blocking=True
        )
    )
    await gate.reached()

    await getattr(world.hass.config_entries, overtakes)(world.entry.entry_id)
    gate.open()
    await command
    await world.settle()
    await world.elapse(MINUTE)

    assert not world.service.state.tunnels["1"].enabled
    state = world.hass.states.get(entity_id)
    assert (state and state.state) == {
        "async_reload": "off",
        "async_unload": "unavailable",
        "async_remove": None,
    }[overtakes]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_an_action_during_a_reload(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Its next request is not sent, and its caller gets an error."""
    await world.set_up()
    caplog.clear()
    gate = world.service.gate("/proxy", match={"type": "list"}, times=1)
    action = world.hass.async_create_task(
        refused(world, "tunnel:1", "update_tunnel", local_port=8125)
    )
    await gate.reached()

    await world.hass.config_entries.async_reload(world.entry.entry_id)
    gate.open()
    error = await action
    await world.settle()

    assert error.translation_key == "unavailable_closed"
    assert world.service.state.tunnels["1"].local_port == 8123
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("overtakes", ["async_unload", "async_remove"])
@pytest.mark.parametrize("fault", [None, "html", "reset"])
@pytest.mark.platforms("sensor", "switch")
async def test_an_answer_after_the_unload(
    world: World, overtakes: str, fault: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """It creates no device, entity or repair issue, and logs nothing."""
    await world.set_up()
    entities = {entity.entity_id for entity in world.registered()}
    caplog.clear()
    if fault:
        world.service.fault("/proxy", fault, match={"type": "list"}, times=None)
    gate = world.service.gate("/proxy", match={"type": "list"})
    coordinators = world.entry.runtime_data.coordinators
    poll = world.hass.async_create_task(
        async_update_entity(world.hass, world.entity_id("switch", "tunnel:1", "enabled"))
    )
    await gate.reached()

    await getattr(world.hass.config_entries, overtakes)(world.entry.entry_id)
    del world.service.state.tunnels["2"]
    world.service.state.tunnels["77"] = Tunnel(
        id="77", username="demo", proxy_name="late", proxy_type="tcp", node="1", remote_port=77
    )
    gate.open()
    await poll
    await world.settle()
    calls = len(world.service.calls)
    await world.live(HOUR, 5 * MINUTE)

    assert len(world.service.calls) == calls
    assert world.device("tunnel:77") is None
    left = {entity.entity_id for entity in world.registered()}
    assert left == (entities if overtakes == "async_unload" else set())
    assert not ir.async_get(world.hass).issues
    assert not world.hass.config_entries.flow.async_progress()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert all(coordinator.subscriptions.interests == 0 for coordinator in coordinators.values())
