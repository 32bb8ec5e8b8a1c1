"""The long-term statistics of Home Assistant."""

from datetime import datetime
from typing import Any, Literal

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_list_statistic_ids,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.tunnel_hub.const import DOMAIN

NO_STATES: dict[str, Any] = {"include": {"domains": ["none"]}}
"""A configuration of the recorder that keeps no states."""

_LONG_AGO = datetime(2020, 1, 1, tzinfo=dt_util.UTC)


async def series(hass: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Return what is known of our statistics, by id."""
    await async_wait_recording_done(hass)
    rows = await async_list_statistic_ids(hass)
    return {row["statistic_id"]: row for row in rows if row["source"] == DOMAIN}


async def rows(
    hass: HomeAssistant, statistic_id: str, period: Literal["hour", "day"] = "hour"
) -> dict[datetime, StatisticsRow]:
    """Return a series by the beginnings of its rows."""
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        _LONG_AGO,
        None,
        {statistic_id},
        period,
        None,
        {"change", "max", "mean", "min", "state", "sum"},
    )
    return {dt_util.utc_from_timestamp(row["start"]): row for row in found.get(statistic_id, [])}
