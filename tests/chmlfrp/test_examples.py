"""Tests the examples of ChmlFrp's page with the simulated service."""

from reference.words import Language
from simulator.chmlfrp import ChmlFrpService

from ..common import DAY, World
from ..documents import EACH_LANGUAGE, automated, example_of, phone


@EACH_LANGUAGE
async def test_a_subdomain_follows_the_public_address(
    world: World[ChmlFrpService], language: Language
) -> None:
    await world.set_up()
    example = example_of("chmlfrp", 1, language, account=world.entry.entry_id)
    name = world.service.state.subdomains["6"]
    said = example["actions"][0]["data"]
    name.domain, name.record = said["domain"], said["record"]

    async with automated(world, example):
        world.hass.states.async_set("sensor.my_ip", "203.0.113.8")
        await world.settle()

    assert name.target == "203.0.113.8"


@EACH_LANGUAGE
async def test_a_membership_ends(world: World[ChmlFrpService], language: Language) -> None:
    world.service.account.term = "2026-11-20"
    world.service.state.certificates.clear()
    await world.set_up()
    notifications = phone(world)
    example = example_of("chmlfrp", 2, language, device=world.device_id("account:account"))

    async with automated(world, example):
        await world.live(23 * DAY, DAY)
        assert notifications == []
        await world.live(2 * DAY, DAY)

    (message,) = notifications
    assert "2026-11-20" in message.data["message"]
