"""Conditions for automations."""

from collections.abc import Mapping
from typing import override

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import Condition, EntityStateConditionBase

from .entities_by_field import (
    BINARY_SENSORS,
    ENABLED,
    ONLINE,
    REACHABLE,
    SIGNED_IN_TODAY,
    SWITCHES,
    Fields,
    filter_by_fields,
)

_ON: set[str | bool] = {STATE_ON}


def _is_on(
    fields: Fields, domain_specs: Mapping[str, DomainSpec] = BINARY_SENSORS
) -> type[Condition]:
    """Return a condition for entities that are on, including diagnostic ones."""

    class _IsOn(EntityStateConditionBase):
        _domain_specs = domain_specs
        entity_fields = fields
        _primary_entities_only = False
        _states = _ON

        @override
        def entity_filter(self, entities: set[str]) -> set[str]:
            return filter_by_fields(self._hass, super().entity_filter(entities), self.entity_fields)

    return _IsOn


CONDITIONS: dict[str, type[Condition]] = {
    "is_reachable": _is_on(REACHABLE),
    "signed_in_today": _is_on(SIGNED_IN_TODAY),
    "tunnel_is_enabled": _is_on(ENABLED, SWITCHES),
    "tunnel_is_online": _is_on(ONLINE),
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of the integration."""
    return CONDITIONS
