"""Figures, moments and words: the tables are in sensors/."""

from collections.abc import Mapping
from datetime import date
from typing import Any, override

from homeassistant.components.sensor import SensorEntity, SensorStateClass
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.models.base import Resource
from .coordinator import TunnelHubConfigEntry
from .entity import TunnelHubEntity, async_setup_table
from .sensors import SENSORS
from .sensors.kinds import TunnelHubSensorDescription

PARALLEL_UPDATES = 0

_LONGEST_STATE = 255


async def async_setup_entry(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of an entry."""
    await async_setup_table(entry, async_add_entities, SENSORS, TunnelHubSensor)


class TunnelHubSensor[R: Resource](TunnelHubEntity[R, TunnelHubSensorDescription[R]], SensorEntity):
    """One figure, moment or word of a resource."""

    entity_description: TunnelHubSensorDescription[R]

    _unrecorded_attributes = frozenset({"addresses", "certificates", "findings", "paths", "text"})

    _attributes: Mapping[str, Any] | None = None

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        return self._attributes

    def _only_moves_on(self, value: str | float | date | None) -> bool:
        """Tell whether a measurement is another one, or a counter higher: no news by itself."""
        before = self._attr_native_value
        if self.entity_description.state_class is None or None in (before, value):
            return False
        counts = self.entity_description.state_class == SensorStateClass.TOTAL_INCREASING
        return not counts or float(str(value)) >= float(str(before))

    @override
    def _read(self, resource: R) -> bool:
        value = self.entity_description.value_fn(resource)
        if isinstance(value, str):
            value = " ".join(value.split())[:_LONGEST_STATE]
        attributes = self.entity_description.attributes_fn(resource)
        if value == self._attr_native_value and attributes == self._attributes:
            return False
        if self._only_moves_on(value) and self.coordinator.async_defers(
            self._id, self.entity_description.key
        ):
            return False
        self._attr_native_value, self._attributes = value, attributes
        return True
