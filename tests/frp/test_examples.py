"""Tests the examples of frp's page with a simulated server."""

import tomllib

from reference.words import Language
from simulator.frp import FrpService
from simulator.frp.frps import close, go_offline

from ..common import HOUR, MINUTE, World
from ..documents import EACH_LANGUAGE, automated, code, example_of, page, phone
from ..translations import sentences, translations


@EACH_LANGUAGE
async def test_a_client_loses_its_connection(world: World[FrpService], language: Language) -> None:
    await world.set_up()
    notifications = phone(world)
    example = example_of("frp", 1, language)
    client = world.entity_id("binary_sensor", "client:alice.ha", "online")
    assert example["triggers"][0]["entity_id"] == client

    async with automated(world, example):
        go_offline(world.service.state.server, "alice.ha", world.service.now())
        await world.live(2 * MINUTE)
        assert notifications == []
        await world.live(2 * MINUTE)

    assert [call.data for call in notifications] == [example["actions"][0]["data"]]


@EACH_LANGUAGE
async def test_offline_tunnels_are_forgotten_at_night(
    world: World[FrpService], language: Language
) -> None:
    await world.hass.config.async_set_time_zone("UTC")
    await world.set_up()
    example = example_of("frp", 2, language, server=world.entry.entry_id)
    close(world.service.state.server.proxies["alice.nas"], world.service.now())

    async with automated(world, example):
        await world.live(24 * HOUR, 10 * MINUTE)

    assert "alice.nas" not in world.service.state.server.proxies


@EACH_LANGUAGE
def test_the_settings_of_a_server_are_those_that_the_form_names(language: Language) -> None:
    (text,) = code(page("frp", language), "toml")
    settings = tomllib.loads(text)["webServer"]
    form = " ".join(sentences(translations(language)["config"]["step"]).values())

    assert settings.keys() >= {"port", "user", "password"}
    for setting in settings:
        assert f"webServer.{setting}" in form
    assert str(settings["port"]) in form
