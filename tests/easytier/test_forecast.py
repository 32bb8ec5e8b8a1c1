"""Tests the forecast of when the traffic of relay nodes ends."""

from typing import Any

from homeassistant.const import STATE_UNKNOWN
import pytest

from simulator.easytier import EasyTierService

from ..common import HOUR, MINUTE, World
from ..long_term_statistics import NO_STATES, days_until, lasts_until, store_usage

pytestmark = pytest.mark.usefixtures("recorder_mock")

FORECAST = "relay_node_forecast:1"


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Record no states: the tests write the statistics."""
    return NO_STATES


async def test_a_limit_and_a_reset(world: World[EasyTierService]) -> None:
    """If the counter is reset before, the traffic does not end."""
    node = world.service.state.nodes["1"]
    node.max_traffic, node.used_traffic, node.reset_date = 100, 70, ""
    await world.set_up()
    await store_usage(world, "relay_node:1", "traffic_used", 5)
    await world.live(HOUR, 15 * MINUTE)
    assert days_until(world, FORECAST) == pytest.approx(6, rel=0.02)

    node.reset_date = "2026-10-24"
    await world.live(HOUR, 15 * MINUTE)
    assert lasts_until(world, FORECAST) == STATE_UNKNOWN

    node.used_traffic = 100
    await world.live(HOUR, 15 * MINUTE)
    assert days_until(world, FORECAST) <= 0
