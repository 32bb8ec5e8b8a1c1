"""Tests the forecast of when the traffic of a node's users ends."""

from typing import Any

from homeassistant.const import STATE_UNKNOWN
import pytest

from ..common import HOUR, MINUTE
from ..long_term_statistics import NO_STATES, days_until, lasts_until, store_usage
from .common import BOTH, Hub

GIB = 1024**3

pytestmark = pytest.mark.usefixtures("recorder_mock")


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Record no states: the tests write the statistics."""
    return NO_STATES


@BOTH
async def test_users_with_a_limit(world: Hub) -> None:
    """Users without a limit have no forecast, also if the limit was removed."""
    limited, *others = world.service.state.users.values()
    limited.traffic_limit, limited.traffic_used = 100 * GIB, 40 * GIB
    for user in others:
        user.traffic_limit = 0
    await world.set_up()
    forecast = f"user_forecast:{limited.id}"
    assert len(world.registered("user_forecast:")) == 1
    assert lasts_until(world, forecast) == STATE_UNKNOWN

    await store_usage(world, f"user:{limited.id}", "traffic_used", 6, gap=48)
    await world.live(HOUR, 15 * MINUTE)
    # Traffic that was used while Home Assistant was off counts as soon as it is read.
    assert days_until(world, forecast) == pytest.approx(60 / (6 * 5 / 7), rel=0.05)

    limited.traffic_limit = 0
    await world.live(HOUR, 15 * MINUTE)
    assert not world.registered("user_forecast:")
