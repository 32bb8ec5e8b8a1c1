"""Tests force down: tunnels stay down although their clients reconnect."""

import asyncio
from itertools import pairwise
import random
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.tunnel_hub.const import DOMAIN

from .common import DAY, HOUR, MINUTE, World, on

STORE = f"{DOMAIN}.entry-demo"


@pytest.fixture
def simulated() -> dict[str, Any]:
    """Simulate few nodes, because no test uses them."""
    return {"nodes": 2}


async def hold(world: World, number: str = "1") -> None:
    """Hold a tunnel down."""
    await world.act("switch", "turn_on", f"tunnel:{number}", "force_down")


async def release(world: World, number: str = "1") -> None:
    """Release a tunnel."""
    await world.act("switch", "turn_off", f"tunnel:{number}", "force_down")


def held(world: World, number: str = "1") -> str:
    """Return the state of the force down switch."""
    return world.value("switch", f"tunnel:{number}", "force_down")


def enabled(world: World, number: str = "1") -> bool:
    """Return whether the tunnel is enabled at the service."""
    return world.service.state.tunnels[number].enabled


def revive(world: World, number: str = "1") -> None:
    """Enable a tunnel and start its client, as another user of the account."""
    tunnel = world.service.state.tunnels[number]
    tunnel.enabled, tunnel.kicked_at = True, None


def begin(
    world: World, action: str, number: str = "1", key: str = "force_down"
) -> asyncio.Task[Any]:
    """Start a switch's action, without waiting for its end."""
    return asyncio.create_task(
        world.hass.services.async_call(
            "switch",
            action,
            {ATTR_ENTITY_ID: world.entity_id("switch", f"tunnel:{number}", key)},
            blocking=True,
        )
    )


def stored(hass_storage: dict[str, Any], holds: dict[str, Any]) -> None:
    """Store held tunnels before the start."""
    hass_storage[STORE] = {"version": 1, "minor_version": 1, "key": STORE, "data": holds}


def kicks(world: World) -> list[float]:
    """Return the times of the requests to disconnect a client."""
    return [call.at for call in world.service.calls_to("/proxy", type="forcedown")]


def pauses(moments: list[float]) -> list[int]:
    """Return the minutes between times."""
    return [round((later - earlier) / MINUTE) for earlier, later in pairwise(moments)]


async def test_hold_and_release(world: World, hass_storage: dict[str, Any]) -> None:
    await world.set_up()
    assert held(world) == "off"

    await hold(world)
    assert held(world) == "on"
    assert not enabled(world)
    assert len(kicks(world)) == 1
    assert world.value("switch", "tunnel:1", "enabled") == "off"
    assert world.value("binary_sensor", "tunnel:1", "online") == "off"
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": True}}

    await release(world)
    assert held(world) == "off"
    assert enabled(world)
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    assert hass_storage[STORE]["data"] == {}


async def test_a_disabled_tunnel_stays_disabled(world: World) -> None:
    await world.set_up()
    await hold(world, "5")
    assert held(world, "5") == "on"

    await release(world, "5")

    assert not enabled(world, "5")
    assert held(world, "5") == "off"


async def test_a_disabled_tunnel_is_checked_while_it_is_held(world: World) -> None:
    def checked() -> bool:
        return any(world.service.calls_to("/proxy", type="check", id="5"))

    await world.set_up()
    assert not checked()
    await hold(world, "5")
    await world.elapse(MINUTE)
    assert checked()
    await release(world, "5")
    world.service.calls.clear()

    await world.elapse(MINUTE)

    assert not checked()


async def test_hold_twice(world: World, hass_storage: dict[str, Any]) -> None:
    """The tunnel does not count as disabled before."""
    await world.set_up()
    await hold(world)
    await hold(world)
    assert len(kicks(world)) == 1

    await release(world)
    await release(world)
    assert enabled(world)
    assert len(world.service.calls_to("/proxy", type="toggle", toggle="true")) == 1


async def test_a_client_is_disconnected_again(world: World) -> None:
    await world.set_up()
    await hold(world)

    await world.elapse(2 * MINUTE)
    revive(world)
    await world.elapse(MINUTE)

    assert len(kicks(world)) == 2
    assert not enabled(world)
    assert held(world) == "on"
    assert world.value("binary_sensor", "tunnel:1", "online") == "off"


async def test_pauses_grow(world: World) -> None:
    """Otherwise two programs could disable and enable it all the time."""
    await world.set_up()
    await hold(world)

    for _ in range(65):
        revive(world)
        await world.elapse(MINUTE)

    assert pauses(kicks(world)) == [1, 2, 4, 8, 16, 30]


async def test_pauses_start_again_after_an_hour(world: World) -> None:
    await world.set_up()
    await hold(world)
    for _ in range(20):
        revive(world)
        await world.elapse(MINUTE)
    await world.live(90 * MINUTE, 5 * MINUTE)
    before = len(kicks(world))

    for _ in range(8):
        revive(world)
        await world.elapse(MINUTE)

    assert pauses(kicks(world)[before:]) == [1, 2, 4]


async def test_survives_a_restart(world: World, hass_storage: dict[str, Any]) -> None:
    await world.set_up()
    await hold(world)

    await world.restart()
    assert held(world) == "on"
    revive(world)
    await world.elapse(MINUTE)
    assert not enabled(world)

    await release(world)
    assert enabled(world), "as before the restart"


async def test_held_while_no_browser_is_connected(world: World) -> None:
    """The online state is read, even if its entities are disabled."""
    await world.set_up()
    await hold(world)
    for platform, key in (("binary_sensor", "online"), ("sensor", "state")):
        er.async_get(world.hass).async_update_entity(
            world.entity_id(platform, "tunnel:1", key), disabled_by=er.RegistryEntryDisabler.USER
        )
    await world.restart()

    revive(world)
    await world.elapse(MINUTE)

    assert not enabled(world)


async def test_a_held_tunnel_is_probed_although_it_is_disabled(world: World) -> None:
    """The service may not disconnect the client of a disabled tunnel."""
    await world.set_up()
    await hold(world)
    await world.elapse(MINUTE)
    world.service.calls.clear()

    await world.live(3 * MINUTE)

    assert len(world.service.calls_to("/proxy", type="check", id="1")) == 3
    assert not world.service.calls_to("/proxy", type="check", id="5"), "disabled, but not held"


async def test_a_held_tunnel_cannot_be_enabled(world: World) -> None:
    await world.set_up()
    await hold(world)

    with pytest.raises(ServiceValidationError) as refused:
        await world.act("switch", "turn_on", "tunnel:1", "enabled")

    assert refused.value.translation_key == "held_down"
    assert not enabled(world)
    await world.act("switch", "turn_off", "tunnel:1", "enabled")
    await world.act("switch", "turn_on", "tunnel:2", "enabled")


@pytest.mark.parametrize("fault", ["error", "html", "reset"])
async def test_a_failed_hold(world: World, hass_storage: dict[str, Any], fault: str) -> None:
    await world.set_up()
    world.service.fault("/proxy", fault, match={"type": "toggle"})

    with pytest.raises(HomeAssistantError):
        await hold(world)

    assert held(world) == "off"
    assert enabled(world)
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    assert hass_storage[STORE]["data"] == {}
    await hold(world)
    assert held(world) == "on"


async def test_hold_a_tunnel_that_was_deleted(world: World) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]

    with pytest.raises(ServiceValidationError) as refused:
        await hold(world)

    assert refused.value.translation_key == "tunnel_gone"
    assert held(world) == "unavailable"


async def test_a_client_that_cannot_be_disconnected(world: World) -> None:
    """Its node is offline and the tunnel is disabled, so it cannot connect again."""
    world.service.state.nodes["1"].online = False
    await world.set_up()

    await hold(world)

    assert held(world) == "on"
    assert not enabled(world)


async def test_a_failed_disconnection_is_retried_later(world: World) -> None:
    """The tunnel was disabled, so it is held. Its client is disconnected as soon as possible."""
    await world.set_up()
    world.service.fault("/proxy", "html", match={"type": "forcedown"})

    await hold(world)

    assert held(world) == "on"
    assert not enabled(world)


async def test_a_failed_release_keeps_the_hold(world: World, hass_storage: dict[str, Any]) -> None:
    await world.set_up()
    await hold(world)
    world.service.fault("/proxy", "error", match={"type": "toggle"})

    with pytest.raises(HomeAssistantError):
        await release(world)

    assert held(world) == "on"
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": True}}


async def test_a_failed_disconnection_is_retried(world: World) -> None:
    await world.set_up()
    await hold(world)
    world.service.fault("/proxy", "html", match={"type": "toggle"})
    revive(world)
    await world.elapse(MINUTE)
    assert enabled(world)

    await world.live(2 * MINUTE)

    assert not enabled(world)


# At startup


@pytest.mark.parametrize("online", [True, False])
async def test_down_again_after_a_restart_without_changes(world: World, *, online: bool) -> None:
    """The first poll already shows it enabled, so no later poll has a change."""
    await world.set_up()
    await hold(world)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    revive(world)
    world.service.state.tunnels["1"].client_running = online

    await world.set_up()

    assert not enabled(world)
    assert world.value("switch", "tunnel:1", "enabled") == "off"
    assert held(world) == "on"


async def test_a_restart_sends_no_request_for_a_tunnel_that_is_down(world: World) -> None:
    await world.set_up()
    await hold(world)
    world.service.calls.clear()

    await world.restart()
    await world.live(HOUR, 5 * MINUTE)

    assert not world.service.calls_to("/proxy", type="toggle")
    assert not kicks(world)


async def test_a_restart_while_the_service_is_down(world: World) -> None:
    """The account can be read, but not the tunnels."""
    await world.set_up()
    await hold(world)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    revive(world)
    world.service.fault("/proxy", "html", match={"type": "list"}, times=None)
    await world.set_up()
    assert enabled(world)

    world.service.clear_faults()
    await world.elapse(MINUTE)

    assert not enabled(world)


@pytest.mark.parametrize("fault", ["html", "reset", "error"])
async def test_a_restart_at_which_disabling_fails(world: World, fault: str) -> None:
    await world.set_up()
    await hold(world)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    revive(world)
    world.service.fault("/proxy", fault, match={"type": "toggle"}, times=2)
    await world.set_up()
    assert enabled(world)
    assert held(world) == "on"

    await world.live(5 * MINUTE)

    assert not enabled(world)


async def test_killed_before_the_tunnel_was_disabled(
    world: World, hass_storage: dict[str, Any]
) -> None:
    stored(hass_storage, {"1": {"was_enabled": True}})

    await world.set_up()

    assert held(world) == "on"
    assert not enabled(world)
    await release(world)
    assert enabled(world)


async def test_turn_on_again_before_the_tunnel_is_disabled(
    world: World, hass_storage: dict[str, Any]
) -> None:
    """Until it could be disabled, the switch is already on."""
    stored(hass_storage, {"1": {"was_enabled": True}})
    world.service.fault("/proxy", "error", match={"type": "toggle"}, times=2)
    await world.set_up()
    assert enabled(world)

    with pytest.raises(HomeAssistantError):
        await hold(world)
    assert held(world) == "on"
    await hold(world)

    assert not enabled(world)
    await release(world)
    assert enabled(world)


async def test_killed_while_releasing(world: World, hass_storage: dict[str, Any]) -> None:
    """The tunnel may be enabled already."""
    stored(
        hass_storage, {"1": {"was_enabled": True, "releasing": True}, "2": {"was_enabled": True}}
    )
    world.service.state.tunnels["1"].enabled = False
    world.service.fault("/proxy", "html", match={"type": "toggle", "id": "1"})

    await world.set_up()
    assert held(world) == "off"
    assert not enabled(world)
    assert hass_storage[STORE]["data"].keys() == {"1", "2"}
    await world.live(2 * MINUTE)

    assert held(world) == "off"
    assert enabled(world)
    assert hass_storage[STORE]["data"] == {"2": {"was_enabled": True}}


async def test_held_again_during_a_release(world: World, hass_storage: dict[str, Any]) -> None:
    stored(hass_storage, {"1": {"was_enabled": True, "releasing": True}})
    world.service.state.tunnels["1"].enabled = False
    world.service.fault("/proxy", "html", match={"type": "toggle"})
    await world.set_up()

    await hold(world)
    await world.live(HOUR, 5 * MINUTE)

    assert held(world) == "on"
    assert not enabled(world)
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": True}}
    await release(world)
    assert enabled(world)


# The previous state


async def test_disabled_although_the_answer_was_lost(
    world: World, hass_storage: dict[str, Any]
) -> None:
    """The tunnel is read again."""
    await world.set_up()
    world.service.fault("/proxy", "lost", match={"type": "toggle"})

    await hold(world)

    assert held(world) == "on"
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": True}}
    await hold(world)
    await release(world)
    assert enabled(world)


async def test_enabled_although_the_answer_was_lost(
    world: World, hass_storage: dict[str, Any]
) -> None:
    await world.set_up()
    await hold(world)
    world.service.fault("/proxy", "lost", match={"type": "toggle"})

    await release(world)

    assert held(world) == "off"
    assert enabled(world)
    assert hass_storage[STORE]["data"] == {}


@pytest.mark.parametrize("fault", ["lost", "reset"])
async def test_a_hold_with_unknown_result(
    world: World, hass_storage: dict[str, Any], fault: str
) -> None:
    """It is held, and disabled again, until the service responds."""
    await world.set_up()
    gate = world.service.gate("/proxy", match={"type": "toggle"}, times=1)
    holding = begin(world, "turn_on")
    await world.until(lambda: gate.waiting == 1)
    world.service.fault("/proxy", fault, match={"type": "toggle"})
    world.service.fault("/proxy", "html", match={"type": "list"}, times=3)
    gate.open()

    with pytest.raises(HomeAssistantError):
        await holding
    await world.settle()
    assert held(world) == "on"
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": True}}
    assert enabled(world) == (fault == "reset")

    await world.live(3 * MINUTE)
    assert not enabled(world)
    await hold(world)
    await release(world)
    assert enabled(world)


async def test_a_hold_that_times_out(world: World) -> None:
    """The tunnel is still enabled, but the service may still handle the request: it is held."""
    await world.set_up()
    gate = world.service.gate("/proxy", match={"type": "toggle"}, times=1)
    holding = begin(world, "turn_on")
    await gate.reached()

    world.freezer.tick(MINUTE / 2)
    async_fire_time_changed(world.hass)
    with pytest.raises(HomeAssistantError):
        await holding
    await world.settle()
    assert held(world) == "on"
    await world.live(2 * MINUTE)

    assert not enabled(world)
    await release(world)
    assert enabled(world)


async def test_a_release_with_unknown_result(world: World) -> None:
    """The release failed, so the tunnel is held, and disabled as soon as it is enabled."""
    await world.set_up()
    await hold(world)
    world.service.fault("/proxy", "lost", match={"type": "toggle"})
    world.service.fault("/proxy", "html", match={"type": "list"}, times=2)

    with pytest.raises(HomeAssistantError):
        await release(world)
    assert held(world) == "on"
    assert enabled(world)
    await world.live(3 * MINUTE)

    assert not enabled(world)
    await release(world)
    assert enabled(world)


async def test_a_hold_needs_the_state_of_the_tunnel(
    world: World, hass_storage: dict[str, Any]
) -> None:
    await world.set_up()
    world.service.fault("/proxy", "html", match={"type": "list"}, times=2)

    with pytest.raises(HomeAssistantError) as failed:
        await hold(world)

    assert failed.value.translation_key == "unavailable_firewall"
    assert held(world) == "off"
    assert not world.service.calls_to("/proxy", type="toggle")
    assert STORE not in hass_storage


@pytest.mark.parametrize("before", [True, False])
async def test_the_previous_state_is_current(world: World, *, before: bool) -> None:
    """The state is read again, because the last poll may be outdated."""
    await world.set_up()
    world.service.state.tunnels["1"].enabled = not before
    await world.elapse(MINUTE)
    world.service.state.tunnels["1"].enabled = before

    await hold(world)
    assert not enabled(world)
    await release(world)

    assert enabled(world) == before


@pytest.mark.parametrize("number, before", [("1", True), ("5", False)])
async def test_a_row_without_a_status(world: World, number: str, *, before: bool) -> None:
    await world.set_up()
    world.service.fault(
        "/proxy", "patch", match={"type": "list"}, times=None, remove=["proxies.*.status"]
    )

    await hold(world, number)
    assert not enabled(world, number)
    world.service.clear_faults()
    await release(world, number)

    assert enabled(world, number) == before


async def test_a_service_that_does_not_return_whether_a_tunnel_is_enabled(
    world: World, hass_storage: dict[str, Any]
) -> None:
    """A tunnel with an unknown state is enabled when it is released."""
    world.service.fault(
        "/proxy", "patch", match={"type": "list"}, times=None, remove=["proxies.*.status"]
    )
    await world.set_up()

    await hold(world)
    assert not enabled(world)
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": None}}
    await world.live(HOUR, 5 * MINUTE)
    assert len(world.service.calls_to("/proxy", type="toggle")) == 1
    await world.restart()
    assert held(world) == "on"
    await release(world)

    assert enabled(world)


async def test_a_disabled_tunnel_stays_disabled_after_other_changes(world: World) -> None:
    await world.set_up()
    await hold(world, "5")
    world.service.state.tunnels["5"].enabled = True

    await release(world, "5")

    assert not enabled(world, "5")


# Changes by others


async def test_a_tunnel_that_was_enabled_at_the_service_is_disabled_again(world: World) -> None:
    """Even if no client runs it."""
    await world.set_up()
    await hold(world)
    await world.elapse(2 * MINUTE)
    world.service.state.tunnels["1"].enabled = True

    await world.elapse(MINUTE)

    assert not enabled(world)
    assert world.value("switch", "tunnel:1", "enabled") == "off"


async def test_disabled_by_the_user_while_it_is_held(
    world: World, hass_storage: dict[str, Any]
) -> None:
    """A schedule that disables the tunnel must find it disabled after the hold."""
    await world.set_up()
    await hold(world)

    await world.act("switch", "turn_off", "tunnel:1", "enabled")
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": False}}
    await release(world)

    assert not enabled(world)
    assert held(world) == "off"


async def test_deleted_by_the_user_while_it_is_held(
    world: World, hass_storage: dict[str, Any]
) -> None:
    await world.set_up()
    await hold(world)
    await hold(world, "2")

    await on(world, "tunnel:1", "delete_tunnel")

    assert hass_storage[STORE]["data"] == {"2": {"was_enabled": True}}


# Tunnels that are not listed


async def test_a_service_that_lists_no_tunnels_for_a_while(
    world: World, hass_storage: dict[str, Any]
) -> None:
    await world.set_up()
    await hold(world)
    tunnels = dict(world.service.state.tunnels)
    world.service.state.tunnels.clear()
    world.service.calls.clear()
    await world.live(5 * MINUTE)
    assert not world.registered("tunnel:1")
    assert not world.service.calls_to("/proxy", type="check"), "no address is checked"

    world.service.state.tunnels.update(tunnels)
    revive(world)
    await world.elapse(MINUTE)

    assert held(world) == "on"
    assert not enabled(world)
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": True}}
    await release(world)
    assert enabled(world)


@pytest.mark.parametrize("days, kept", [(29, True), (31, False)])
async def test_how_long_a_missing_tunnel_is_held(
    world: World, hass_storage: dict[str, Any], days: int, *, kept: bool
) -> None:
    await world.set_up()
    await hold(world)
    missing = world.service.state.tunnels.pop("1")
    await world.live(3 * MINUTE)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    world.freezer.tick(days * DAY)
    await world.set_up()
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    missing.enabled = True
    world.service.state.tunnels["1"] = missing

    await world.set_up()
    await world.elapse(MINUTE)

    assert held(world) == ("on" if kept else "off")
    assert enabled(world) != kept
    await hold(world, "2")
    assert hass_storage[STORE]["data"].keys() == ({"1", "2"} if kept else {"2"})


async def test_a_deleted_tunnel_causes_no_requests(world: World) -> None:
    await world.set_up()
    await hold(world)
    await hold(world, "2")

    del world.service.state.tunnels["1"]
    await world.live(3 * MINUTE)
    world.service.calls.clear()
    await world.live(HOUR, 5 * MINUTE)

    assert not world.service.calls_to("/proxy", id="1")
    assert world.entry_state() is ConfigEntryState.LOADED


# Failures


async def test_pauses_between_retries_grow(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are random, so that many tunnels are not retried at the same time."""
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)
    await world.set_up()
    await hold(world)
    world.service.fault("/proxy", "html", match={"type": "toggle"}, times=None)
    world.service.calls.clear()
    revive(world)

    await world.live(25 * MINUTE, MINUTE / 2)

    tries = [call.at for call in world.service.calls_to("/proxy", type="toggle")]
    assert pauses(tries) == [2, 3, 6, 12]
    assert held(world) == "on"


async def test_nothing_runs_after_unloading(world: World) -> None:
    await world.set_up()
    await hold(world)
    revive(world)
    await world.elapse(MINUTE)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    calls = len(world.service.calls)
    revive(world)

    await world.live(2 * HOUR, HOUR)

    assert len(world.service.calls) == calls
