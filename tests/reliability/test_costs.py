"""What an account costs its service and the recorder while nobody looks."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback
import pytest

from ..common import HOUR, look_at
from .conftest import COSTS
from .world import BadWorld

_STEP = 5
_ROWS_A_DAY = 4000
_HOURS = {False: 3, True: 24}
"""By whether the run is extended; a measured part stands for the day."""


class Limits(NamedTuple):
    """requests: of an hour. seconds: after which a change of a state is seen."""

    requests: int
    seconds: int


_LIMITS: Mapping[str, Limits] = {
    "chmlfrp": Limits(100, 120),
    "easytier": Limits(100, 120),
    "hayfrp": Limits(100, 120),
}


async def test_while_nobody_looks(world: BadWorld, request: pytest.FixtureRequest) -> None:
    """Few requests and few rows, and nothing that is used is read late."""
    if (limits := _LIMITS.get(world.case.service)) is None:
        pytest.skip("not measured")
    hours = _HOURS[request.config.getoption("extended")]
    look_at(world.hass, browsers=0)
    await world.set_up()
    await world.live(HOUR, _STEP)
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
    assert 100 < rows_a_day <= _ROWS_A_DAY
