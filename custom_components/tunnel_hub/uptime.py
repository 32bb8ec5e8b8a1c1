"""Calculates the uptimes of addresses from the recorder's long-term statistics.

The recorder stores the mean of *Availability*, weighted by time, for every five minutes and every
hour. Periods in which it was unknown have no mean, so they do not count.
"""

from collections.abc import Mapping
from datetime import datetime

from homeassistant.components.recorder import (
    DOMAIN as RECORDER,
    EVENT_RECORDER_HOURLY_STATISTICS_GENERATED,
    get_instance,
)
from homeassistant.components.recorder.statistics import statistic_during_period
from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .coordinator import FeedCoordinator
from .ids import EntityKey, registered_entity
from .reachability import UPTIMES, AddressChecks
from .runtime import TunnelHubConfigEntry


@callback
def async_follow_uptimes(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, checks: AddressChecks
) -> None:
    """Read the uptimes now and after each hour that the recorder compiles, until unloading."""
    coordinator = checks.coordinator
    if coordinator is None or RECORDER not in hass.config.components:
        return

    async def _read(_: Event | None = None) -> None:
        entity_ids = _availability(hass, entry, coordinator)
        recorder = get_instance(hass)
        found = await recorder.async_add_executor_job(_uptimes, hass, entity_ids)
        for id_, uptimes in found.items():
            checks.async_set_uptimes(id_, uptimes)

    @callback
    def _stop(_: Event) -> None:
        # Otherwise the recorder would continue the last value while Home Assistant is stopped.
        checks.async_clear_availability()

    listen = hass.bus.async_listen
    entry.async_on_unload(listen(EVENT_RECORDER_HOURLY_STATISTICS_GENERATED, _read))
    entry.async_on_unload(listen(EVENT_HOMEASSISTANT_STOP, _stop))
    entry.async_create_background_task(hass, _read(), f"{entry.title} uptimes")


def _availability(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, coordinator: FeedCoordinator
) -> dict[str, str]:
    """Return the availability entity of each address with an uptime entity."""
    registry, kind = er.async_get(hass), coordinator.feed.resource.kind
    found = {
        id_: registered_entity(registry, SENSOR, entry, EntityKey(kind, id_, "availability"))
        for id_ in coordinator.subscriptions.watched(UPTIMES.keys())
    }
    return {id_: entity.entity_id for id_, entity in found.items() if entity is not None}


def _uptimes(
    hass: HomeAssistant, entity_ids: Mapping[str, str]
) -> dict[str, dict[str, float | None]]:
    """Read the uptimes in percent; runs in the recorder's thread."""
    now = dt_util.utcnow()
    return {
        id_: {field: _mean(hass, entity_id, now - span) for field, span in UPTIMES.items()}
        for id_, entity_id in entity_ids.items()
    }


def _mean(hass: HomeAssistant, entity_id: str, start: datetime) -> float | None:
    """Return the mean since a time, or None if nothing is known."""
    mean = statistic_during_period(hass, start, None, entity_id, {"mean"}, None).get("mean")
    return None if mean is None else round(float(mean), 2)
