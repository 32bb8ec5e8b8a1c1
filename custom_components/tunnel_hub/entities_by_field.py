"""Selects the entities that triggers and conditions apply to, by the field that they show."""

from datetime import UTC, tzinfo

from homeassistant.components.binary_sensor import DOMAIN as BINARY_SENSOR
from homeassistant.components.event import DOMAIN as EVENT
from homeassistant.components.sensor import DOMAIN as SENSOR
from homeassistant.components.switch import DOMAIN as SWITCH
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.automation import DomainSpec

from .api import PROVIDERS
from .const import CONF_PROVIDER, DOMAIN
from .ids import entity_key_of

type Fields = frozenset[tuple[str, str]]
"""Kinds of resources and keys, because two kinds can have the same key with different meanings."""

BINARY_SENSORS = {BINARY_SENSOR: DomainSpec()}
EVENTS = {EVENT: DomainSpec()}
SENSORS = {SENSOR: DomainSpec()}
SWITCHES = {SWITCH: DomainSpec()}

OFF = {STATE_OFF}
ON = {STATE_ON}

ENABLED: Fields = frozenset({("tunnel", "enabled")})
PUBLIC_ADDRESS: Fields = frozenset({("tunnel", "public_address")})
REACHABLE: Fields = frozenset({("check", "reachable"), ("watched_address", "reachable")})
ONLINE: Fields = frozenset({("tunnel", "online")})
SIGNED_IN_TODAY: Fields = frozenset(
    {("account", "signed_in_today"), ("sign_in", "signed_in_today")}
)


def filter_by_fields(hass: HomeAssistant, entity_ids: set[str], fields: Fields) -> set[str]:
    """Return the entities of the integration that show one of these fields."""
    registry = er.async_get(hass)
    return {
        entity_id
        for entity_id in entity_ids
        if (entry := registry.async_get(entity_id)) is not None
        and entry.platform == DOMAIN
        and (account := hass.config_entries.async_get_entry(entry.config_entry_id or ""))
        and (key := entity_key_of(entry, account)) is not None
        and (key.kind, key.key) in fields
    }


def time_zone_of(hass: HomeAssistant, entity_id: str) -> tzinfo:
    """Return the time zone of an entity's service."""
    entry = er.async_get(hass).async_get(entity_id)
    account = entry and hass.config_entries.async_get_entry(entry.config_entry_id or "")
    provider = PROVIDERS.get(account.data[CONF_PROVIDER]) if account else None
    return (provider.time_zone if provider else None) or UTC
