"""Figures, moments and words: the tables are in sensors/."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.resource import Resource
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

    _unrecorded_attributes = frozenset({"addresses", "certificates", "findings", "text"})

    _attributes: Mapping[str, Any] | None = None

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        return self._attributes

    @override
    def _read(self, resource: R) -> bool:
        value = self.entity_description.value_fn(resource)
        if isinstance(value, str):
            value = " ".join(value.split())[:_LONGEST_STATE]
        attributes = self.entity_description.attributes_fn(resource)
        if value == self._attr_native_value and attributes == self._attributes:
            return False
        self._attr_native_value, self._attributes = value, attributes
        return True
