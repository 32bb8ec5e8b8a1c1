"""For how much of the last days addresses were reachable, by the recorder's long-term statistics.

The recorder keeps the mean of *Availability*, weighted by time, for each five minutes and each
hour. What was not known then has no mean, and so does not count.
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
    """Read the uptimes now and whenever the recorder has closed an hour, until unloading."""
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
        # Or the last value would count for as long as Home Assistant does not run.
        checks.async_know_nothing()

    listen = hass.bus.async_listen
    entry.async_on_unload(listen(EVENT_RECORDER_HOURLY_STATISTICS_GENERATED, _read))
    entry.async_on_unload(listen(EVENT_HOMEASSISTANT_STOP, _stop))
    entry.async_create_background_task(hass, _read(), f"{entry.title} uptimes")


def _availability(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, coordinator: FeedCoordinator
) -> dict[str, str]:
    """Return the entity of which there are statistics, for each address whose uptime is shown."""
    registry, kind = er.async_get(hass), coordinator.feed.resource.kind
    found = {
        id_: registered_entity(registry, SENSOR, entry, EntityKey(kind, id_, "availability"))
        for id_ in coordinator.subscriptions.watched(UPTIMES.keys())
    }
    return {id_: entity.entity_id for id_, entity in found.items() if entity is not None}


def _uptimes(
    hass: HomeAssistant, entity_ids: Mapping[str, str]
) -> dict[str, dict[str, float | None]]:
    """Read the uptimes in percent, in the recorder's thread."""
    now = dt_util.utcnow()
    return {
        id_: {field: _mean(hass, entity_id, now - span) for field, span in UPTIMES.items()}
        for id_, entity_id in entity_ids.items()
    }


def _mean(hass: HomeAssistant, entity_id: str, start: datetime) -> float | None:
    """Return the mean since then; None if nothing is known."""
    mean = statistic_during_period(hass, start, None, entity_id, {"mean"}, None).get("mean")
    return None if mean is None else round(float(mean), 2)
