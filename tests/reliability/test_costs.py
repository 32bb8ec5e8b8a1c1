"""What an account costs its service and the recorder while nobody looks."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback
import pytest

from ..common import HOUR, MINUTE, look_at
from .conftest import COSTS
from .providers import AnyService, Value
from .world import BadWorld

_STEP = 5
_ROWS_A_DAY = 4000
_HOURS = {False: 2, True: 24}
"""By whether the run is extended; a measured part stands for the day."""


class Limits(NamedTuple):
    """requests: of an hour. seconds: after which it is seen that something went offline.

    online: whether it is. end: makes it go.
    """

    requests: int
    seconds: int
    online: Value
    end: Callable[[AnyService], None]


def _end_client(service: AnyService) -> None:
    service.state.tunnels["1"].client_running = False


def _end_peer(service: AnyService) -> None:
    service.state.peers["us"].online = False


def _end_node(service: AnyService) -> None:
    service.state.nodes["1"].status = "offline"


_TUNNEL = Value("binary_sensor", "tunnel:1", "online")

_LIMITS: Mapping[str, Limits] = {
    "chmlfrp": Limits(100, 120, _TUNNEL, _end_client),
    "easytier": Limits(100, 120, Value("binary_sensor", "relay_node:1", "online"), _end_node),
    "hayfrp": Limits(100, 120, _TUNNEL, _end_client),
    "hy2scale": Limits(700, 15, Value("binary_sensor", "tunnel:us", "online"), _end_peer),
}


async def test_while_nobody_looks(world: BadWorld, request: pytest.FixtureRequest) -> None:
    """Few requests and few rows, and nothing that is used is read late."""
    limits = _LIMITS[world.case.service]
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
    assert 0 < rows_a_day <= _ROWS_A_DAY


async def test_what_goes_offline_is_seen_although_nobody_looks(world: BadWorld) -> None:
    limits = _LIMITS[world.case.service]
    look_at(world.hass, browsers=0)
    await world.set_up()
    await world.live(10 * MINUTE + 7, _STEP)
    assert world.value(*limits.online) == "on"

    limits.end(world.service)
    await world.live(limits.seconds, 1)

    assert world.value(*limits.online) == "off"
