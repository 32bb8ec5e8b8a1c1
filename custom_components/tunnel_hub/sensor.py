"""Sensors. Their tables are in sensors/."""

from datetime import date
from functools import partial
from typing import override

from homeassistant.components.sensor import SensorEntity, SensorStateClass

from .api.models.base import Resource
from .entity import TunnelHubEntity, async_setup_table
from .sensors import SENSORS
from .sensors.kinds import TunnelHubSensorDescription

PARALLEL_UPDATES = 0

_LONGEST_STATE = 255


class TunnelHubSensor[R: Resource](TunnelHubEntity[R, TunnelHubSensorDescription[R]], SensorEntity):
    """A sensor of a resource."""

    entity_description: TunnelHubSensorDescription[R]

    _unrecorded_attributes = frozenset({"addresses", "certificates", "findings", "paths", "text"})

    def _only_moves_on(self, value: str | float | date | None) -> bool:
        """Return whether only a measurement changed, or a counter increased.

        Such a state can be written later.
        """
        before, row = self._attr_native_value, self.entity_description
        can_wait = row.state_class is not None if row.can_wait is None else row.can_wait
        if not can_wait or None in (before, value):
            return False
        counts = row.state_class == SensorStateClass.TOTAL_INCREASING
        return not counts or float(str(value)) >= float(str(before))

    @override
    def _update_attrs(self, resource: R) -> None:
        row = self.entity_description
        value = row.value_fn(resource) if row.value_fn else getattr(resource, row.key)
        if isinstance(value, str):
            value = " ".join(value.split())[:_LONGEST_STATE]
        attributes = dict(row.attributes_fn(resource) or {})
        shown = self._attr_native_value, self.extra_state_attributes or {}
        if (
            (value, attributes) != shown
            and self._only_moves_on(value)
            and self.coordinator.state_writes.defers(self._id, row.key)
        ):
            return
        self._attr_native_value, self._attr_extra_state_attributes = value, attributes


async_setup_entry = partial(async_setup_table, SENSORS, TunnelHubSensor)
