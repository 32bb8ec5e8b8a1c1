"""Tests the migration of an entry that an older version stored."""

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import (
    async_import_statistics,
    async_list_statistic_ids,
)
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from simulator.chmlfrp import ChmlFrpService

from ..common import SMALL, World, as_older

pytestmark = [SMALL, pytest.mark.usefixtures("recorder_mock")]


async def units(world: World[ChmlFrpService]) -> dict[str, str | None]:
    """Return the units of the statistics of sensors."""
    await async_wait_recording_done(world.hass)
    rows = await async_list_statistic_ids(world.hass)
    return {
        row["statistic_id"]: row["statistics_unit_of_measurement"]
        for row in rows
        if row["source"] == "recorder"
    }


@pytest.mark.parametrize("minor_version", [1, 3])
async def test_statistics_continue_without_words_as_units(
    world: World[ChmlFrpService], minor_version: int
) -> None:
    """The unit "connections" is removed, and traffic keeps its unit."""
    await world.set_up()
    counted = world.entity_id("sensor", "account:account", "connections")
    measured = world.entity_id("sensor", "account_traffic:account", "traffic_in_today")
    for entity_id, unit in ((counted, "connections"), (measured, "GiB")):
        async_import_statistics(
            world.hass,
            {
                "mean_type": StatisticMeanType.ARITHMETIC,
                "has_sum": False,
                "name": None,
                "source": "recorder",
                "statistic_id": entity_id,
                "unit_class": "information" if unit == "GiB" else None,
                "unit_of_measurement": unit,
            },
            [{"start": dt_util.utcnow().replace(minute=0, second=0, microsecond=0), "mean": 3.0}],
        )
    before = await units(world)
    assert (before[counted], before[measured]) == ("connections", "GiB")

    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    as_older(world, version=(1, minor_version))
    await world.set_up()
    await get_instance(world.hass).async_block_till_done()

    after = await units(world)
    assert (after[counted], after[measured]) == (None, "GiB")
    assert (
        "unit_of_measurement"
        not in world.state("sensor", "account:account", "connections").attributes
    )
