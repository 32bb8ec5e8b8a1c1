"""Tests the examples of EasyTier's page with a simulated node manager."""

from homeassistant.helpers import entity_registry as er

from reference.words import Language
from simulator.easytier import EasyTierService

from ..common import MINUTE, World
from ..documents import EACH_LANGUAGE, automated, example_of


@EACH_LANGUAGE
async def test_report_for_a_router(world: World[EasyTierService], language: Language) -> None:
    node = world.service.state.nodes["4"]
    await world.set_up()
    for entity, state in {
        "binary_sensor.router": "on",
        "sensor.router_connections": "7",
        "sensor.router_throughput": "12.5",
        "sensor.router_traffic_this_month": "40",
    }.items():
        world.hass.states.async_set(entity, state)
    example = example_of("easytier", 1, language, node=world.device_id("relay_node:4"))

    async with automated(world, example):
        await world.live(10 * MINUTE)

    assert (node.status, node.connection_count, node.current_bandwidth) == ("online", 7, 12.5)
    assert node.used_traffic == 40


@EACH_LANGUAGE
async def test_relaying_stops_before_the_traffic_ends(
    world: World[EasyTierService], language: Language
) -> None:
    node = world.service.state.nodes["1"]
    await world.set_up()
    example = example_of("easytier", 2, language, node=world.device_id("relay_node:1"))
    er.async_get(world.hass).async_update_entity(
        world.entity_id("switch", "relay_node:1", "allow_relay"),
        new_entity_id=example["actions"][0]["target"]["entity_id"],
    )
    await world.settle()

    async with automated(world, example):
        await world.live(2 * MINUTE)
        assert node.allow_relay
        node.used_traffic = node.max_traffic * 0.97
        await world.live(4 * MINUTE)

    assert not node.allow_relay
