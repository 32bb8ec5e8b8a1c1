"""Tests the integration's triggers, with changes at the simulated service."""

from typing import Any

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.helpers.trigger import async_get_all_descriptions
import pytest
import voluptuous as vol

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import id_prefix
from custom_components.tunnel_hub.trigger import TRIGGERS

from .automations import armed, of
from .common import MINUTE, SMALL, World

pytestmark = SMALL

BUSIEST = "高负荷"


def stop(world: World, number: str = "1") -> None:
    """Stop the client of a tunnel."""
    world.service.state.tunnels[number].client_running = False


def start(world: World, number: str = "1") -> None:
    """Start the client of a tunnel."""
    world.service.state.tunnels[number].client_running = True


async def test_home_assistant_offers_them(world: World) -> None:
    await world.set_up()

    descriptions = await async_get_all_descriptions(world.hass)

    ours = {key for key in descriptions if key.startswith(f"{DOMAIN}.")}
    assert ours == {f"{DOMAIN}.{key}" for key in TRIGGERS}
    assert all(descriptions[key] for key in ours)


# Tunnels


async def test_a_tunnel_goes_offline_and_online(world: World) -> None:
    await world.set_up()
    online = world.entity_id("binary_sensor", "tunnel:1", "online")
    gone = await armed(world.hass, "tunnel_went_offline", of(world, "tunnel:1"))
    back = await armed(world.hass, "tunnel_came_online", of(world, "tunnel:1"))

    stop(world)
    await world.elapse(MINUTE)
    assert (gone, back) == ([online], [])

    start(world)
    await world.elapse(MINUTE)
    assert (gone, back) == ([online], [online])


async def test_duration(world: World) -> None:
    await world.set_up()
    gone = await armed(
        world.hass, "tunnel_went_offline", of(world, "tunnel:1"), **{"for": {"minutes": 5}}
    )

    stop(world)
    await world.live(3 * MINUTE)
    start(world)
    await world.live(10 * MINUTE)
    assert gone == [], "it was online again in time"

    stop(world)
    await world.live(5 * MINUTE)
    assert gone == []
    await world.live(2 * MINUTE)
    assert len(gone) == 1


@pytest.mark.parametrize("by", ["entity", "device", "area", "label"])
async def test_targets(world: World, by: str) -> None:
    """Any target only applies to tunnels: a node that goes offline does not fire."""
    await world.set_up()
    tunnel, node = world.device_id("tunnel:1"), world.device_id("node:1")
    area = ar.async_get(world.hass).async_create("Cellar")
    label = lr.async_get(world.hass).async_create("Watched")
    for found in (tunnel, node):
        dr.async_get(world.hass).async_update_device(
            found, area_id=area.id, labels={label.label_id}
        )
    targets: dict[str, dict[str, list[str]]] = {
        "entity": {
            "entity_id": [
                world.entity_id("binary_sensor", "tunnel:1", "online"),
                world.entity_id("binary_sensor", "node:1", "online"),
            ]
        },
        "device": {"device_id": [tunnel, node]},
        "area": {"area_id": [area.id]},
        "label": {"label_id": [label.label_id]},
    }
    gone = await armed(world.hass, "tunnel_went_offline", targets[by])

    stop(world)
    stop(world, "2")
    del world.service.state.nodes["1"]
    await world.live(5 * MINUTE)

    assert world.value("binary_sensor", "node:1", "online") == "off"
    assert gone == [world.entity_id("binary_sensor", "tunnel:1", "online")]


async def test_only_entities_of_the_integration_fire(world: World) -> None:
    await world.set_up()
    other = er.async_get(world.hass).async_get_or_create(
        "binary_sensor", "ping", "a:tunnel:1:online"
    )
    world.hass.states.async_set(other.entity_id, "on")
    gone = await armed(world.hass, "tunnel_went_offline", {"entity_id": [other.entity_id]})

    world.hass.states.async_set(other.entity_id, "off")
    await world.settle()

    assert gone == []


# Nodes


async def test_a_node_becomes_overloaded(world: World) -> None:
    await world.set_up()
    overloaded = await armed(world.hass, "node_overloaded", of(world, "node:1"))

    world.service.state.nodes["1"].load = BUSIEST
    await world.elapse(5 * MINUTE)
    assert overloaded == [world.entity_id("sensor", "node:1", "load")]

    await world.elapse(5 * MINUTE)
    assert len(overloaded) == 1, "it is still overloaded"


async def test_a_node_exceeds_a_threshold(world: World) -> None:
    node = world.service.state.nodes["1"]
    node.cpu = 40.0
    await world.set_up()
    overloaded = await armed(world.hass, "node_overloaded", of(world, "node:1"), above=60)

    for share in (59.0, 61.0, 62.0):
        node.cpu = share
        await world.elapse(5 * MINUTE)

    assert overloaded == [world.entity_id("sensor", "node:1", "cpu_usage")]
    with pytest.raises(vol.Invalid):
        await armed(world.hass, "node_overloaded", of(world, "node:1"), above=101)


async def test_an_invalid_threshold(world: World) -> None:
    await world.set_up()

    for number in (10**400, float("inf"), float("nan"), "many", None, -1):
        for trigger, option in (("node_overloaded", "above"), ("traffic_low", "below")):
            with pytest.raises(vol.Invalid):
                await armed(world.hass, trigger, of(world, "node:1"), **{option: number})


# Accounts


async def test_signed_in(world: World) -> None:
    await world.set_up()
    signed_in = await armed(world.hass, "signed_in", of(world, "account:account"))
    failed = await armed(world.hass, "sign_in_failed", of(world, "account:account"))

    await world.act("button", "press", "account:account", "sign_in")

    assert signed_in == [world.entity_id("binary_sensor", "account:account", "signed_in_today")]
    assert failed == []


async def test_a_sign_in_fails(world: World) -> None:
    await world.set_up()
    signed_in = await armed(world.hass, "signed_in", of(world, "account:account"))
    failed = await armed(world.hass, "sign_in_failed", of(world, "account:account"))

    world.service.fault("/user", "error", match={"type": "sign"})
    with pytest.raises(HomeAssistantError):
        await world.act("button", "press", "account:account", "sign_in")
    await world.settle()

    assert failed == [world.entity_id("event", "account:account", "sign_in")]
    assert signed_in == []


@pytest.mark.parametrize(
    "options", [{"below": 10}, {"below": 10 * 1024, "unit_of_measurement": "MiB"}]
)
async def test_traffic_runs_low(world: World, options: dict[str, Any]) -> None:
    account = world.service.account
    await world.set_up()
    low = await armed(world.hass, "traffic_low", of(world, "account:account"), **options)

    for gibibytes in (11, 9, 8, 12):
        account.traffic = gibibytes * 1024
        await world.elapse(MINUTE)
    assert low == [world.entity_id("sensor", "account:account", "traffic_left")]

    account.traffic = 1024
    await world.elapse(MINUTE)
    assert len(low) == 2


async def test_traffic_runs_low_by_percentage(world: World) -> None:
    """A sensor with a limit uses the percentage. An amount does not apply."""
    await world.set_up()
    share = er.async_get(world.hass).async_get_or_create(
        "sensor",
        DOMAIN,
        f"{id_prefix(world.entry)}:user:ann:traffic_usage",
        config_entry=world.entry,
    )

    def used(percent: str) -> None:
        world.hass.states.async_set(share.entity_id, percent, {"unit_of_measurement": "%"})

    used("10")
    target = {
        "entity_id": [
            share.entity_id,
            world.entity_id("sensor", "account:account", "traffic_left"),
        ]
    }
    low = await armed(world.hass, "traffic_low", target, below=20, unit_of_measurement="%")

    for percent in ("80", "unavailable", "85", "79", "81"):
        used(percent)
        await world.settle()
    world.service.account.traffic = 1
    await world.elapse(MINUTE)

    assert low == [share.entity_id]
