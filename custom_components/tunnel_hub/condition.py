"""Conditions for automations."""

from typing import ClassVar, override

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
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


class FieldCondition(EntityStateConditionBase):
    """Tests whether entities of certain fields are on, including diagnostic ones."""

    _domain_specs = BINARY_SENSORS
    _fields: ClassVar[Fields]
    _primary_entities_only = False
    _states = _ON

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        return filter_by_fields(self._hass, super().entity_filter(entities), self._fields)


class IsReachableCondition(FieldCondition):
    """Tests whether an address can be reached."""

    _fields = REACHABLE


class TunnelIsOnlineCondition(FieldCondition):
    """Tests whether a client runs a tunnel."""

    _fields = ONLINE


class TunnelIsEnabledCondition(FieldCondition):
    """Tests whether a tunnel is enabled at the service."""

    _domain_specs = SWITCHES
    _fields = ENABLED


class SignedInTodayCondition(FieldCondition):
    """Tests whether an account has signed in today."""

    _fields = SIGNED_IN_TODAY


CONDITIONS: dict[str, type[Condition]] = {
    "is_reachable": IsReachableCondition,
    "signed_in_today": SignedInTodayCondition,
    "tunnel_is_enabled": TunnelIsEnabledCondition,
    "tunnel_is_online": TunnelIsOnlineCondition,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of the integration."""
    return CONDITIONS
