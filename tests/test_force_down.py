"""Holding tunnels down, whatever their clients try."""

from itertools import pairwise
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.tunnel_hub.const import DOMAIN

from .common import HOUR, MINUTE, World

STORE = f"{DOMAIN}.entry-demo"


async def hold(world: World, number: str = "1") -> None:
    """Hold a tunnel down."""
    await world.act("switch", "turn_on", f"tunnel:{number}", "force_down")


async def release(world: World, number: str = "1") -> None:
    """Let a tunnel be."""
    await world.act("switch", "turn_off", f"tunnel:{number}", "force_down")


def held(world: World, number: str = "1") -> str:
    """Return the switch's state."""
    return world.value("switch", f"tunnel:{number}", "force_down")


def enabled(world: World, number: str = "1") -> bool:
    """Return whether the service has the tunnel enabled."""
    return world.service.state.tunnels[number].enabled


def revive(world: World, number: str = "1") -> None:
    """Enable a tunnel and start its client, as another user of the account may."""
    tunnel = world.service.state.tunnels[number]
    tunnel.enabled, tunnel.kicked_at = True, None


def kicks(world: World) -> list[float]:
    """Return when the service was asked to throw a client off."""
    return [call.at for call in world.service.calls_to("/proxy", type="forcedown")]


def pauses(moments: list[float]) -> list[int]:
    """Return the minutes between moments."""
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


async def test_what_was_disabled_stays_disabled(world: World) -> None:
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


async def test_twice_is_once(world: World, hass_storage: dict[str, Any]) -> None:
    """Holding again must not take the tunnel for one that was disabled before."""
    await world.set_up()
    await hold(world)
    await hold(world)
    assert len(kicks(world)) == 1

    await release(world)
    await release(world)
    assert enabled(world)
    assert len(world.service.calls_to("/proxy", type="toggle", toggle="true")) == 1


async def test_thrown_off_again_when_found_online(world: World) -> None:
    await world.set_up()
    await hold(world)

    await world.elapse(2 * MINUTE)
    revive(world)
    await world.elapse(MINUTE)

    assert len(kicks(world)) == 2
    assert not enabled(world)
    assert held(world) == "on"
    assert world.value("binary_sensor", "tunnel:1", "online") == "off"


async def test_less_and_less_often(world: World) -> None:
    """Minutes between: 1, 2, 4, 8, 16, 30, 30; so that two programs do not fight for ever."""
    await world.set_up()
    await hold(world)

    for _ in range(2 * 60):
        revive(world)
        await world.elapse(MINUTE)

    assert pauses(kicks(world)) == [1, 2, 4, 8, 16, 30, 30]


async def test_an_hour_of_quiet_starts_anew(world: World) -> None:
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
    assert enabled(world), "as it was before the restart"


async def test_held_although_nobody_looks(world: World) -> None:
    """The online state is read for it even where its entities are disabled."""
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


async def test_looked_at_although_it_is_disabled(world: World) -> None:
    """A service may leave the running client of a disabled tunnel alone."""
    await world.set_up()
    await hold(world)
    await world.elapse(MINUTE)
    world.service.calls.clear()

    await world.live(3 * MINUTE)

    assert len(world.service.calls_to("/proxy", type="check", id="1")) == 3
    assert not world.service.calls_to("/proxy", type="check", id="5"), "disabled, but not held"


async def test_cannot_be_enabled_meanwhile(world: World) -> None:
    await world.set_up()
    await hold(world)

    with pytest.raises(ServiceValidationError) as refused:
        await world.act("switch", "turn_on", "tunnel:1", "enabled")

    assert refused.value.translation_key == "held_down"
    assert not enabled(world)
    await world.act("switch", "turn_off", "tunnel:1", "enabled")
    await world.act("switch", "turn_on", "tunnel:2", "enabled")


@pytest.mark.parametrize("fault", ["error", "html", "reset"])
async def test_a_hold_that_fails_is_none(
    world: World, hass_storage: dict[str, Any], fault: str
) -> None:
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


async def test_holding_a_tunnel_deleted_elsewhere(world: World) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]

    with pytest.raises(ServiceValidationError) as refused:
        await hold(world)

    assert refused.value.translation_key == "tunnel_gone"
    assert held(world) == "unavailable"


async def test_a_client_that_cannot_be_thrown_off(world: World) -> None:
    """Its node is down, and it is disabled: it cannot come back."""
    world.service.state.nodes["1"].online = False
    await world.set_up()

    await hold(world)

    assert held(world) == "on"
    assert not enabled(world)


async def test_throwing_off_is_made_up_for(world: World) -> None:
    """Disabling worked, so the tunnel is held; its client is thrown off as soon as possible."""
    await world.set_up()
    world.service.fault("/proxy", "html", match={"type": "forcedown"})

    await hold(world)

    assert held(world) == "on"
    assert not enabled(world)


async def test_a_release_that_fails_goes_on_holding(
    world: World, hass_storage: dict[str, Any]
) -> None:
    await world.set_up()
    await hold(world)
    world.service.fault("/proxy", "error", match={"type": "toggle"})

    with pytest.raises(HomeAssistantError):
        await release(world)

    assert held(world) == "on"
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": True}}


async def test_failing_to_throw_off_is_tried_again(world: World) -> None:
    await world.set_up()
    await hold(world)
    world.service.fault("/proxy", "html", match={"type": "toggle"})
    revive(world)
    await world.elapse(MINUTE)
    assert enabled(world)

    await world.live(2 * MINUTE)

    assert not enabled(world)


async def test_a_deleted_tunnel_is_held_no_longer(
    world: World, hass_storage: dict[str, Any]
) -> None:
    await world.set_up()
    await hold(world)
    await hold(world, "2")

    del world.service.state.tunnels["1"]
    await world.live(3 * MINUTE)

    assert hass_storage[STORE]["data"] == {"2": {"was_enabled": True}}
    assert world.entry_state() is ConfigEntryState.LOADED


async def test_nothing_goes_on_after_unloading(world: World) -> None:
    await world.set_up()
    await hold(world)
    revive(world)
    await world.elapse(MINUTE)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    calls = len(world.service.calls)
    revive(world)

    await world.live(2 * HOUR, HOUR)

    assert len(world.service.calls) == calls
