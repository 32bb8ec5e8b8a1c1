"""Tests the integration's conditions."""

from homeassistant.helpers.condition import async_get_all_descriptions
import pytest

from custom_components.tunnel_hub.condition import CONDITIONS
from custom_components.tunnel_hub.const import DOMAIN

from .automations import asked, of
from .common import MINUTE, World


async def test_home_assistant_offers_them(world: World) -> None:
    await world.set_up()

    descriptions = await async_get_all_descriptions(world.hass)

    ours = {key for key in descriptions if key.startswith(f"{DOMAIN}.")}
    assert ours == {f"{DOMAIN}.{key}" for key in CONDITIONS}
    assert all(descriptions[key] for key in ours)


@pytest.mark.parametrize("things", [("tunnel:1",), ("tunnel:1", "node:1")])
async def test_tunnel_is_online(world: World, things: tuple[str, ...]) -> None:
    await world.set_up()
    is_online = await asked(world.hass, "tunnel_is_online", of(world, *things))
    assert is_online.async_check() is True

    world.service.state.tunnels["1"].client_running = False
    await world.elapse(MINUTE)

    assert is_online.async_check() is False
    is_online.async_unload()


async def test_all_targets(world: World) -> None:
    await world.set_up()
    world.service.state.tunnels["1"].client_running = False
    await world.elapse(MINUTE)
    tunnels = of(world, "tunnel:1", "tunnel:2")

    some = await asked(world.hass, "tunnel_is_online", tunnels)
    every = await asked(world.hass, "tunnel_is_online", tunnels, behavior="all")

    assert (some.async_check(), every.async_check()) == (True, False)
    some.async_unload()
    every.async_unload()


async def test_duration(world: World) -> None:
    await world.set_up()
    lasting = await asked(
        world.hass, "tunnel_is_online", of(world, "tunnel:1"), **{"for": {"minutes": 5}}
    )
    assert lasting.async_check() is False

    await world.live(5 * MINUTE)

    assert lasting.async_check() is True
    lasting.async_unload()


async def test_tunnel_is_enabled(world: World) -> None:
    await world.set_up()
    is_enabled = await asked(world.hass, "tunnel_is_enabled", of(world, "tunnel:1"))
    assert is_enabled.async_check() is True

    await world.act("switch", "turn_off", "tunnel:1", "enabled")
    assert is_enabled.async_check() is False

    await world.act("switch", "turn_on", "tunnel:1", "force_down")
    assert is_enabled.async_check() is False, "the other switch does not count"
    is_enabled.async_unload()


async def test_signed_in_today(world: World) -> None:
    await world.set_up()
    signed_in = await asked(world.hass, "signed_in_today", of(world, "account:account"))
    assert signed_in.async_check() is False

    await world.act("button", "press", "account:account", "sign_in")

    assert signed_in.async_check() is True
    signed_in.async_unload()
