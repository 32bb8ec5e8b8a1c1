"""Tests buttons."""

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from .common import HOUR, MINUTE, World


async def test_force_offline(world: World) -> None:
    await world.set_up()

    await world.act("button", "press", "tunnel:1", "force_offline")

    assert world.service.state.tunnels["1"].kicked_at == world.service.now()
    assert world.value("binary_sensor", "tunnel:1", "online") == "off", "shown immediately"
    assert world.value("switch", "tunnel:1", "enabled") == "on", "it can connect again"


async def test_force_offline_where_only_forms_are_accepted(world: World) -> None:
    world.service.state.settings.forcedown_form_only = True
    await world.set_up()

    await world.act("button", "press", "tunnel:1", "force_offline")

    assert world.service.state.tunnels["1"].kicked_at


async def test_force_offline_is_refused(world: World) -> None:
    world.service.state.nodes["1"].online = False
    await world.set_up()

    with pytest.raises(HomeAssistantError, match="无法强制下线") as refused:
        await world.act("button", "press", "tunnel:1", "force_offline")

    assert refused.value.translation_key == "rejected"


async def test_force_offline_of_a_tunnel_deleted_elsewhere(world: World) -> None:
    await world.set_up()
    del world.service.state.tunnels["1"]

    with pytest.raises(ServiceValidationError) as refused:
        await world.act("button", "press", "tunnel:1", "force_offline")

    assert refused.value.translation_key == "tunnel_gone"
    assert world.value("switch", "tunnel:1", "enabled") == "unavailable", "shown immediately"
    await world.elapse(MINUTE)
    assert world.device("tunnel:1") is None


async def test_sign_in(world: World) -> None:
    await world.set_up()

    await world.act("button", "press", "account:account", "sign_in")

    assert world.service.signed_today(world.service.account)
    assert world.value("binary_sensor", "account:account", "signed_in_today") == "on"
    assert world.value("sensor", "account:account", "sign_in_days") == "1"
    assert float(world.value("sensor", "account:account", "traffic_left")) > 50


async def test_a_command_after_the_password_was_changed(world: World) -> None:
    await world.set_up()
    world.freezer.tick(HOUR)
    world.service.account.csrf = "ended"
    world.service.account.password = "changed"

    with pytest.raises(HomeAssistantError) as refused:
        await world.act("button", "press", "account:account", "sign_in")

    assert refused.value.translation_key == "authentication_failed"
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_a_command_while_the_service_fails(world: World) -> None:
    await world.set_up()
    cases: tuple[tuple[str, str], ...] = (
        ("error", "unavailable_server_error"),
        ("html", "unavailable_firewall"),
        ("reset", "unavailable_connection"),
        ("empty", "unavailable_malformed"),
    )

    for fault, key in cases:
        world.service.calls.clear()
        world.service.fault("/user", fault, match={"type": "sign"})

        with pytest.raises(HomeAssistantError) as failed:
            await world.act("button", "press", "account:account", "sign_in")

        assert failed.value.translation_key == key
        assert len(world.service.calls_to("/user", type="sign")) == 1, "writes are not retried"
