"""Switches; what holding down means is in test_force_down.py."""

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from .common import MINUTE, World


async def test_off_and_on(world: World) -> None:
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


async def test_the_new_state_shows_before_the_service_is_read_again(world: World) -> None:
    await world.set_up()
    world.service.fault("/proxy", "html", match={"type": "list"}, times=None)

    await world.act("switch", "turn_off", "tunnel:1", "enabled")

    assert world.value("switch", "tunnel:1", "enabled") == "off"


async def test_several_commands_share_a_reading(world: World) -> None:
    await world.set_up()
    world.service.calls.clear()

    for number in "123":
        await world.act("switch", "turn_off", f"tunnel:{number}", "enabled")
    await world.elapse(1)

    assert len(world.service.calls_to("/proxy", type="toggle")) == 3
    assert len(world.service.calls_to("/proxy", type="list")) == 2
    assert not world.service.calls_to("/proxy", type="check"), "none is enabled that was touched"


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


async def test_switched_elsewhere(world: World) -> None:
    await world.set_up()

    world.service.state.tunnels["1"].enabled = False
    world.service.state.tunnels["5"].enabled = True
    await world.elapse(MINUTE)

    assert world.value("switch", "tunnel:1", "enabled") == "off"
    assert world.value("binary_sensor", "tunnel:1", "online") == "off"
    assert world.value("switch", "tunnel:5", "enabled") == "on"
    assert world.value("binary_sensor", "tunnel:5", "online") == "on"
