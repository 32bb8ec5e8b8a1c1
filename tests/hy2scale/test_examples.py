"""Tests the examples of HY2 SCALE's page with a simulated node."""

from reference.words import Language

from ..common import MINUTE
from ..documents import EACH_LANGUAGE, automated, example_of, phone
from .common import Hub


@EACH_LANGUAGE
async def test_a_temporary_guest(world: Hub, language: Language) -> None:
    await world.set_up()
    world.hass.states.async_set("input_text.guest_password", "evening-12")
    example = example_of("hy2scale", 1, language, node=world.entry.entry_id)

    async with automated(world, example):
        guest = world.user("guest")

    assert guest.password == "evening-12"
    assert guest.traffic_limit == 20 * 1024**3
    assert guest.expiry_date == "2026-10-21"


@EACH_LANGUAGE
async def test_traffic_runs_low(world: Hub, language: Language) -> None:
    await world.set_up()
    notifications = phone(world)
    alice = world.user("alice")
    user = world.device_id(world.user_thing("alice"))
    example = example_of("hy2scale", 2, language, user=user)

    async with automated(world, example):
        await world.live(MINUTE)
        assert notifications == []
        alice.traffic_used = round(alice.traffic_limit * 0.95)
        await world.live(MINUTE)

    assert len(notifications) == 1
