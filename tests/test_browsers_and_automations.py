"""Tests requests and state changes while no browser is connected."""

from collections import Counter

from homeassistant.components import automation
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers.entity_component import async_update_entity
from homeassistant.setup import async_setup_component
import pytest

from .common import DAY, HOUR, MINUTE, World, connect_browsers
from .sampling import EXTENDED

FIVE_TUNNELS = pytest.mark.parametrize("simulator", [{"tunnels": 5, "nodes": 5}], indirect=True)

STEP = 10


@pytest.fixture(autouse=True)
def _no_browser(world: World) -> None:
    connect_browsers(world.hass, browsers=0)
    for tunnel in world.service.state.tunnels.values():
        tunnel.enabled = tunnel.client_running = True
    for node in world.service.state.nodes.values():
        node.online = True


async def automate(world: World, platform: str, thing: str, key: str) -> None:
    """Let an automation use an entity."""
    trigger = {"trigger": "state", "entity_id": world.entity_id(platform, thing, key)}
    config = {automation.DOMAIN: {"triggers": [trigger], "actions": []}}
    assert await async_setup_component(world.hass, automation.DOMAIN, config)
    # The next poll uses it.
    await world.live(16 * MINUTE)


def states_written(world: World) -> Counter[str]:
    """Count the rows that the recorder would write, by entity."""
    written = Counter[str]()

    @callback
    def _count(event: Event[EventStateChangedData]) -> None:
        written[event.data["entity_id"]] += 1

    world.hass.bus.async_listen(EVENT_STATE_CHANGED, _count)
    return written


@FIVE_TUNNELS
async def test_requests_in_an_hour(world: World) -> None:
    await world.set_up()
    await world.live(HOUR)
    world.service.calls.clear()

    await world.live(HOUR, STEP)

    assert 60 < len(world.service.calls) <= 100


@FIVE_TUNNELS
async def test_a_change_is_shown_within_two_minutes(world: World) -> None:
    """Its node reports one client less."""
    await world.set_up()
    await world.live(HOUR)
    for tunnel_id, tunnel in world.service.state.tunnels.items():
        await world.live(30, STEP)
        online = ("binary_sensor", f"tunnel:{tunnel_id}", "online")
        assert world.value(*online) == "on"

        for running, shown in ((False, "off"), (True, "on")):
            tunnel.client_running = running
            await world.live(2 * MINUTE, STEP)
            assert world.value(*online) == shown


@FIVE_TUNNELS
async def test_an_offline_node_is_shown_within_two_minutes(world: World) -> None:
    await world.set_up()
    await world.live(HOUR)

    world.service.state.nodes["3"].online = False
    await world.live(2 * MINUTE, STEP)

    assert world.value("sensor", "tunnel:3", "state") == "node_offline"


@FIVE_TUNNELS
async def test_a_change_that_the_node_does_not_report_is_shown_later(world: World) -> None:
    """Another client has connected at the same time."""
    await world.set_up()
    await world.live(HOUR)
    online = ("binary_sensor", "tunnel:1", "online")

    world.service.state.tunnels["1"].client_running = False
    world.service.state.nodes["1"].clients += 1
    await world.live(17 * MINUTE, STEP)

    assert world.value(*online) == "off"


@FIVE_TUNNELS
async def test_an_entity_in_an_automation_is_read_with_each_poll(world: World) -> None:
    await world.set_up()
    await automate(world, "binary_sensor", "tunnel:1", "online")
    world.service.calls.clear()

    await world.live(HOUR, STEP)

    checks = Counter(call.get("id") for call in world.service.calls_to("/proxy", type="check"))
    assert checks["1"] > 50
    assert checks["2"] <= 6


@FIVE_TUNNELS
async def test_a_new_browser_shows_current_states(world: World) -> None:
    await world.set_up()
    await world.live(HOUR)
    world.service.account.quota = 77
    assert world.value("sensor", "account:account", "tunnels_allowed") != "77"

    await world.live(4 * MINUTE)
    connect_browsers(world.hass)
    await world.settle()

    assert world.value("sensor", "account:account", "tunnels_allowed") == "77"


@FIVE_TUNNELS
async def test_an_update_that_is_requested_is_read(world: World) -> None:
    await world.set_up()
    await world.live(HOUR)
    online = ("binary_sensor", "tunnel:2", "online")
    world.service.state.tunnels["2"].client_running = False
    world.service.calls.clear()

    await async_update_entity(world.hass, world.entity_id(*online))
    await world.settle()

    assert world.value(*online) == "off"
    assert len(world.service.calls_to("/proxy", type="check")) == 1


@FIVE_TUNNELS
async def test_measurements_are_updated_every_half_hour(world: World) -> None:
    await world.set_up()
    connections = world.entity_id("sensor", "node:1", "connections")
    written = states_written(world)

    for _ in range(3 * 60):
        world.service.state.nodes["1"].connections += 1
        await world.elapse(MINUTE)

    assert 4 <= written[connections] <= 6


@FIVE_TUNNELS
async def test_a_pending_measurement_is_shown_to_a_new_browser(world: World) -> None:
    await world.set_up()
    await world.live(HOUR)
    world.service.account.traffic = 1234.0 * 1024
    left = ("sensor", "account:account", "traffic_left")
    world.service.calls.clear()
    while not world.service.calls_to("/user", type="info"):
        await world.elapse(STEP)
    assert float(world.value(*left)) < 100

    connect_browsers(world.hass)
    await world.settle()

    assert float(world.value(*left)) == pytest.approx(1234, abs=1)
    assert len(world.service.calls_to("/user", type="info")) == 1


@FIVE_TUNNELS
async def test_a_measurement_in_an_automation_is_updated_immediately(world: World) -> None:
    await world.set_up()
    await automate(world, "sensor", "account:account", "traffic_left")

    world.service.account.traffic = 1234.0
    await world.live(2 * MINUTE)

    assert float(world.value("sensor", "account:account", "traffic_left")) == pytest.approx(
        1234 / 1024, abs=0.01
    )


@FIVE_TUNNELS
async def test_a_reset_counter_is_updated_immediately(world: World) -> None:
    await world.set_up()
    await world.live(HOUR)
    before = float(world.value("sensor", "account:account", "traffic_today"))
    assert before > 0

    world.service.account.today_bytes = 0
    await world.live(16 * MINUTE)

    assert float(world.value("sensor", "account:account", "traffic_today")) < before / 10


@EXTENDED
@FIVE_TUNNELS
async def test_rows_of_the_recorder_in_a_day(world: World) -> None:
    await world.set_up()
    written = states_written(world)

    await world.live(DAY)

    assert 100 < written.total() <= 4000
