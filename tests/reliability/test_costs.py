"""Tests the number of requests and recorder rows while no browser is connected."""

from collections import Counter

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback
import pytest

from ..common import HOUR, MINUTE, connect_browsers
from .conftest import COSTS
from .faulty_world import FaultyWorld
from .provider_modules import PROVIDER_DATA

_STEP = 5
_ROWS_A_DAY = 4000
_HOURS = {False: 1, True: 24}
"""Measured hours, from which the day is extrapolated; by whether the run is extended."""


async def test_few_requests_and_rows(world: FaultyWorld, request: pytest.FixtureRequest) -> None:
    limits = PROVIDER_DATA[world.case.key].limits
    hours = _HOURS[request.config.getoption("extended")]
    connect_browsers(world.hass, browsers=0)
    await world.set_up()
    await world.live(30 * MINUTE)
    world.service.calls.clear()
    rows = Counter[str]()

    @callback
    def _count(event: Event[EventStateChangedData]) -> None:
        rows[event.data["entity_id"]] += 1

    world.hass.bus.async_listen(EVENT_STATE_CHANGED, _count)
    await world.live(hours * HOUR, _STEP)

    requests, rows_a_day = len(world.service.calls) // hours, rows.total() * 24 // hours
    request.node.user_properties.append((COSTS, [world.case.name, requests, rows_a_day]))
    assert 10 < requests <= limits.requests
    assert 0 < rows_a_day <= _ROWS_A_DAY


async def test_offline_is_noticed_in_time(world: FaultyWorld) -> None:
    limits = PROVIDER_DATA[world.case.key].limits
    connect_browsers(world.hass, browsers=0)
    await world.set_up()
    await world.live(10 * MINUTE + 7, _STEP)
    assert world.value(*limits.online) == "on"

    limits.end(world.service)
    await world.live(limits.seconds, 1)

    assert world.value(*limits.online) == "off"
