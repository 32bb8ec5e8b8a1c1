"""Finds what uses the values of an entry: connected browsers and apps, and automations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import time
from typing import TYPE_CHECKING

from homeassistant.components import automation
from homeassistant.components.websocket_api.const import (
    DATA_CONNECTIONS,
    SIGNAL_WEBSOCKET_CONNECTED,
)
from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

from .ids import EntityKey, entity_key_of

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_AUTOMATIONS_CACHE_SECONDS = 60.0
"""Seconds for which the entities that automations use are cached."""

_USED_BY_AUTOMATIONS: Mapping[str, Callable[[HomeAssistant, str], list[str]]] = {
    ATTR_AREA_ID: automation.areas_in_automation,
    ATTR_DEVICE_ID: automation.devices_in_automation,
    ATTR_ENTITY_ID: automation.entities_in_automation,
    ATTR_FLOOR_ID: automation.floors_in_automation,
    ATTR_LABEL_ID: automation.labels_in_automation,
}


@dataclass(slots=True)
class DataConsumers:
    """What uses the values of an entry, and therefore needs fresh ones."""

    hass: HomeAssistant
    entry: TunnelHubConfigEntry
    _used: frozenset[EntityKey] = field(default_factory=frozenset, init=False)
    _used_until: float = field(default=0.0, init=False)

    @property
    def is_anyone_connected(self) -> bool:
        """Whether a browser or an app is connected to Home Assistant."""
        return bool(self.hass.data.get(DATA_CONNECTIONS))

    @callback
    def async_on_connect(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call a listener when a browser or an app connects."""
        return async_dispatcher_connect(self.hass, SIGNAL_WEBSOCKET_CONNECTED, listener)

    def used_by_automations(self) -> frozenset[EntityKey]:
        """Return the entities of the entry that automations use, cached for a minute."""
        if (now := time.monotonic()) >= self._used_until:
            self._used, self._used_until = self._find_used(), now + _AUTOMATIONS_CACHE_SECONDS
        return self._used

    def _find_used(self) -> frozenset[EntityKey]:
        targets: dict[str, list[str]] = {name: [] for name in _USED_BY_AUTOMATIONS}
        for entity_id in self.hass.states.async_entity_ids(automation.DOMAIN):
            for name, used_by in _USED_BY_AUTOMATIONS.items():
                targets[name] += used_by(self.hass, entity_id)
        found = async_extract_referenced_entity_ids(
            self.hass, TargetSelection(targets), primary_entities_only=False
        )
        registry = er.async_get(self.hass)
        entities = map(registry.async_get, found.referenced | found.indirectly_referenced)
        return frozenset(
            key
            for entity in entities
            if entity is not None and entity.config_entry_id == self.entry.entry_id
            if (key := entity_key_of(entity, self.entry)) is not None
        )
