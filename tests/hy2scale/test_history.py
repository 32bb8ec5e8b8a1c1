"""Tests the latency history of a node in the long-term statistics."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ..common import HOUR, MINUTE
from ..long_term_statistics import NO_STATES, rows, series
from .common import OLD, Hub

OF_US = "tunnel_hub:entry_hub_tunnel_us_latency"
LATENCY = "/api/diag/peer-latency"
SEVEN = datetime(2026, 10, 20, 7, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("recorder_mock")


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Record no states: only the imported statistics are tested."""
    return NO_STATES


@pytest.fixture
async def evening(world: Hub) -> Hub:
    """Return a node whose latency doubled at 19:30, polled until after 20:00."""
    world.freezer.move_to(SEVEN)
    await world.set_up()
    peer = world.service.state.peers["us"]
    peer.latency_ms = 40
    await world.live(30 * MINUTE, 5 * MINUTE)
    peer.latency_ms = 80
    await world.live(35 * MINUTE, 5 * MINUTE)
    return world


async def test_an_hour_is_one_row(evening: Hub) -> None:
    """It contains all samples, although the node only stores ten minutes."""
    found = await rows(evening.hass, OF_US)

    row = found[SEVEN]
    assert (row["min"], row["max"]) == (40, 80)
    assert row["mean"] == pytest.approx(60, abs=1.5)
    assert SEVEN.replace(hour=8) not in found, "it has not ended"
    described = (await series(evening.hass))[OF_US]
    assert described["name"] == "us: latency, hourly"
    assert (described["unit_class"], described["statistics_unit_of_measurement"]) == (
        "duration",
        "ms",
    )
    assert (described["mean_type"], described["has_sum"]) == (1, False)


async def test_an_imported_hour_stays(evening: Hub) -> None:
    """After a restart the node only returns its last minutes."""
    before = await rows(evening.hass, OF_US)

    await evening.restart()
    await evening.live(5 * MINUTE)

    assert await rows(evening.hass, OF_US) == before


async def test_number_of_requests(world: Hub) -> None:
    """One request serves all links, seven times an hour."""
    await world.set_up()
    await world.live(HOUR, 3 * MINUTE)

    assert 6 <= len(world.service.calls_to(LATENCY)) <= 8


@OLD
async def test_a_version_that_does_not_measure(world: Hub) -> None:
    await world.set_up()
    await world.live(HOUR, 10 * MINUTE)

    assert not await series(world.hass)
    assert len(world.service.calls_to(LATENCY)) <= 1
