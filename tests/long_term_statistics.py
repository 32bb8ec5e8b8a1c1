"""Helpers for long-term statistics."""

from datetime import datetime, timedelta
from typing import Any, Literal

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import (
    StatisticsRow,
    async_import_statistics,
    async_list_statistic_ids,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.tunnel_hub.const import DOMAIN

from .common import World

NO_STATES: dict[str, Any] = {"include": {"domains": ["none"]}}
"""A configuration of the recorder that keeps no states."""

_LONG_AGO = datetime(2020, 1, 1, tzinfo=dt_util.UTC)


async def series(hass: HomeAssistant) -> dict[str, dict[str, Any]]:
    """Return the metadata of the integration's statistics, by id."""
    await async_wait_recording_done(hass)
    rows = await async_list_statistic_ids(hass)
    return {row["statistic_id"]: row for row in rows if row["source"] == DOMAIN}


async def rows(
    hass: HomeAssistant, statistic_id: str, period: Literal["hour", "day"] = "hour"
) -> dict[datetime, StatisticsRow]:
    """Return the rows of a series, by their start."""
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


# Forecasts


async def store_usage(
    world: World[Any], thing: str, key: str, a_day: float, *, hours: int = 7 * 24, gap: int = 0
) -> None:
    """Store GiB a day as counted by a sensor in the last hours, and nothing during a gap."""
    entity_id = world.entity_id("sensor", thing, key)
    end = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
    moments = [end - timedelta(hours=hours - n) for n in range(hours)]
    if gap:
        moments = [*moments[: hours // 2], *moments[hours // 2 + gap :]]
    async_import_statistics(
        world.hass,
        {
            "mean_type": StatisticMeanType.NONE,
            "has_sum": True,
            "name": None,
            "source": "recorder",
            "statistic_id": entity_id,
            "unit_class": "information",
            "unit_of_measurement": "GiB",
        },
        [
            {"start": moment, "state": n * a_day / 24, "sum": n * a_day / 24}
            for n, moment in enumerate(moments, 1)
        ],
    )
    await async_wait_recording_done(world.hass)


def lasts_until(world: World[Any], thing: str) -> str:
    """Return the forecast for a thing, such as "user_forecast:1"."""
    return world.value("sensor", thing, "traffic_lasts_until")


def days_until(world: World[Any], thing: str) -> float:
    """Return the number of days until the traffic ends."""
    return (datetime.fromisoformat(lasts_until(world, thing)) - dt_util.utcnow()) / timedelta(
        days=1
    )
