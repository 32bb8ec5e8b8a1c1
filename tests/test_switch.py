"""Tests switches. Force down is tested in test_force_down.py."""

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from .automations import armed, of
from .common import MINUTE, World, connect_browsers


async def test_turn_off_and_on(world: World) -> None:
    await world.set_up()

    await world.act("switch", "turn_off", "tunnel:1", "enabled")
    assert world.value("switch", "tunnel:1", "enabled") == "off"
    assert world.value("sensor", "tunnel:1", "state") == "disabled"
    assert world.value("binary_sensor", "tunnel:1", "online") == "off"

    await world.act("switch", "turn_on", "tunnel:1", "enabled")
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    await world.elapse(1)
    assert world.value("sensor", "tunnel:1", "state") == "online"
    assert world.value("binary_sensor", "tunnel:1", "online") == "on"
    toggles = world.service.calls_to("/proxy", type="toggle", id="1")
    assert [call.get("toggle") for call in toggles] == ["false", "true"]


async def test_the_new_state_is_shown_before_the_next_poll(world: World) -> None:
    await world.set_up()
    world.service.fault("/proxy", "html", match={"type": "list"}, times=None)

    await world.act("switch", "turn_off", "tunnel:1", "enabled")

    assert world.value("switch", "tunnel:1", "enabled") == "off"


async def test_several_commands_share_a_request(world: World) -> None:
    await world.set_up()
    world.service.calls.clear()

    for number in "123":
        await world.act("switch", "turn_off", f"tunnel:{number}", "enabled")
    await world.elapse(1)

    assert len(world.service.calls_to("/proxy", type="toggle")) == 3
    assert len(world.service.calls_to("/proxy", type="list")) == 2
    assert not world.service.calls_to("/proxy", type="check"), "no tunnel of these is enabled"


@pytest.mark.parametrize("status", [404, 500])
async def test_deleted_elsewhere(world: World, status: int) -> None:
    world.service.state.settings.missing_tunnel_status = status
    await world.set_up()
    del world.service.state.tunnels["1"]

    with pytest.raises(ServiceValidationError) as refused:
        await world.act("switch", "turn_off", "tunnel:1", "enabled")

    assert refused.value.translation_key == "tunnel_gone"
    assert world.value("switch", "tunnel:1", "enabled") == "unavailable"
    await world.elapse(MINUTE)
    assert world.device("tunnel:1") is None


async def test_a_refused_command_changes_nothing(world: World) -> None:
    await world.set_up()
    changes = async_capture_events(world.hass, "state_changed")
    world.service.fault(
        "/proxy", "body", match={"type": "toggle"}, body={"status": 500, "message": "不行"}
    )

    with pytest.raises(HomeAssistantError, match="不行") as refused:
        await world.act("switch", "turn_off", "tunnel:1", "enabled")

    assert refused.value.translation_key == "rejected"
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    assert not [change for change in changes if change.data["entity_id"].startswith("switch.")]


async def test_changed_elsewhere(world: World) -> None:
    await world.set_up()

    world.service.state.tunnels["1"].enabled = False
    world.service.state.tunnels["5"].enabled = True
    await world.elapse(MINUTE)

    assert world.value("switch", "tunnel:1", "enabled") == "off"
    assert world.value("binary_sensor", "tunnel:1", "online") == "off"
    assert world.value("switch", "tunnel:5", "enabled") == "on"
    assert world.value("binary_sensor", "tunnel:5", "online") == "on"


@pytest.mark.parametrize("by", ["switch", "another user"])
@pytest.mark.parametrize("pause", [5, MINUTE])
async def test_an_enabled_tunnel_is_offline_until_its_client_connects(
    world: World, pause: int, by: str
) -> None:
    """Values from before it was disabled must not be shown, nor fire a trigger."""
    world.service.state.settings.reconnects_after = 2.5 * MINUTE
    await world.set_up()
    online = world.entity_id("binary_sensor", "tunnel:1", "online")
    gone = await armed(world.hass, "tunnel_went_offline", of(world, "tunnel:1"))
    back = await armed(world.hass, "tunnel_came_online", of(world, "tunnel:1"))
    tunnels = world.entry.runtime_data.coordinators["tunnels"]

    async def _set(enabled: bool) -> None:
        if by == "switch":
            await world.act("switch", f"turn_{'on' if enabled else 'off'}", "tunnel:1", "enabled")
        else:
            tunnel = world.service.state.tunnels["1"]
            tunnel.enabled, tunnel.kicked_at = enabled, world.service.now()
            await tunnels.async_refresh()

    await _set(False)
    await world.elapse(pause)
    assert (world.value("binary_sensor", "tunnel:1", "online"), gone, back) == ("off", [online], [])

    changes = async_capture_events(world.hass, "state_changed")
    await _set(True)
    await world.elapse(MINUTE)
    shown = [c.data["new_state"].state for c in changes if c.data["entity_id"] == online]
    assert "on" not in shown
    assert world.value("binary_sensor", "tunnel:1", "online") == "off"
    assert (gone, back) == ([online], [])

    await world.live(3 * MINUTE)
    assert world.value("binary_sensor", "tunnel:1", "online") == "on"
    assert (gone, back) == ([online], [online])


async def test_a_tunnel_that_another_user_enables_is_probed_immediately(world: World) -> None:
    """Even if no browser is connected, and its node reports no clients."""
    tunnel = world.service.state.tunnels["1"]
    world.service.state.nodes[tunnel.node].probed = False
    await world.set_up()
    connect_browsers(world.hass, browsers=0)
    online = world.entity_id("binary_sensor", "tunnel:1", "online")
    back = await armed(world.hass, "tunnel_came_online", of(world, "tunnel:1"))
    for tunnel.enabled in (False, True):
        await world.elapse(2 * MINUTE)

    assert world.value("binary_sensor", "tunnel:1", "online") == "on"
    assert back == [online]
