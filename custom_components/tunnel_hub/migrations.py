"""Migrates entries that an older version stored.

A new minor version can also be used by older versions of the integration, a new version cannot.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import attr
from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .account_identity import available_unique_id
from .api import stored_account_id
from .api.errors import InvalidInputError
from .const import CONF_NETWORK_NAME, CONF_NETWORK_SECRET, CONF_PROVIDER, DOMAIN
from .ids import free_prefix, id_prefix, stored_prefix
from .runtime import TunnelHubConfigEntry


class Stored(NamedTuple):
    """The stored data of an entry."""

    unique_id: str | None
    data: dict[str, Any]


_NETWORK = {CONF_NETWORK_NAME, CONF_NETWORK_SECRET}


type _Step = Callable[[HomeAssistant, TunnelHubConfigEntry, Stored], Stored]


def _without_half_a_network(_: HomeAssistant, __: TunnelHubConfigEntry, stored: Stored) -> Stored:
    """Remove a network name without a secret, or the reverse, which had no effect."""
    if stored.data.keys() >= _NETWORK:
        return stored
    data = {name: value for name, value in stored.data.items() if name not in _NETWORK}
    return stored._replace(data=data)


def _with_todays_id(hass: HomeAssistant, entry: TunnelHubConfigEntry, stored: Stored) -> Stored:
    """Normalize a server address in an id as new entries do."""
    key = stored.data.get(CONF_PROVIDER, "")
    with suppress(InvalidInputError):
        if (account_id := stored_account_id(key, stored.data)) is not None:
            return stored._replace(
                unique_id=available_unique_id(hass, entry, f"{key}:{account_id}")
            )
    return stored


_COUNTS = {
    *("clients", "connections", "connections_allowed", "exit_clients", "nodes", "nodes_domestic"),
    *("nodes_listed", "nodes_online", "nodes_overseas", "points", "runs", "runs_today", "sessions"),
    *("sign_in_points", "sign_ins", "tunnels", "tunnels_allowed", "tunnels_offline"),
    *("tunnels_online", "tunnels_used", "users", "wireguard_connected", "wireguard_peers"),
}
"""Sensors that had a word as their unit, such as "clients"."""


def _without_words_as_units(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, stored: Stored
) -> Stored:
    """Remove words as units from the statistics, so that these continue."""
    if RECORDER not in hass.config.components:
        return stored
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        if entity.domain == "sensor" and entity.translation_key in _COUNTS:
            get_instance(hass).async_update_statistics_metadata(
                entity.entity_id, new_unit_class=None, new_unit_of_measurement=None
            )
    return stored


def _with_prefix(hass: HomeAssistant, _: TunnelHubConfigEntry, stored: Stored) -> Stored:
    """Store the account's id as the prefix. async_adopt then changes the identifiers."""
    return stored._replace(data=stored.data | free_prefix(hass, stored.unique_id))


_STEPS: Mapping[tuple[int, int], _Step] = {
    (1, 1): _without_half_a_network,
    (1, 2): _with_todays_id,
    (1, 3): _without_words_as_units,
    (1, 4): _with_prefix,
}
"""The step from each version and minor version to the next one."""

VERSION = 2
MINOR_VERSION = 1


async def async_migrate_entry(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> bool:
    """Run all migration steps that an entry still needs.

    Entries of a newer minor version are accepted, those of a newer version are refused.
    """
    version = (entry.version, entry.minor_version)
    if entry.version > VERSION:
        return False
    if version < (VERSION, MINOR_VERSION):
        stored = Stored(entry.unique_id, dict(entry.data))
        for before, step in _STEPS.items():
            if before >= version:
                stored = step(hass, entry, stored)
        hass.config_entries.async_update_entry(
            entry,
            data=stored.data,
            unique_id=stored.unique_id,
            version=VERSION,
            minor_version=MINOR_VERSION,
        )
    return True


@callback
def async_adopt(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
    """Change identifiers that begin with the entry id, so that they begin with the prefix.

    This is done at every setup, because Home Assistant writes entries and registries to the disk at
    different times: after a crash, some of the old ones can return. Deleted devices cannot be
    changed, so they return as new ones. Deleted entities can.
    """
    if not stored_prefix(entry):
        return
    before, after = f"{entry.entry_id}:", f"{id_prefix(entry)}:"

    def _adopted(id_: str) -> str:
        return after + id_.removeprefix(before) if id_.startswith(before) else id_

    entities = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(entities, entry.entry_id):
        new_id = _adopted(entity.unique_id)
        if entities.async_get_entity_id(entity.domain, DOMAIN, new_id) is None:
            entities.async_update_entity(entity.entity_id, new_unique_id=new_id)
    for key, deleted in list(entities.deleted_entities.items()):
        if deleted.unique_id != (new_id := _adopted(deleted.unique_id)):
            del entities.deleted_entities[key]
            entities.deleted_entities[*key[:2], new_id] = attr.evolve(deleted, unique_id=new_id)
            entities.async_schedule_save()

    devices = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
        identifiers = {(domain, _adopted(id_)) for domain, id_ in device.identifiers}
        if identifiers != device.identifiers:
            with suppress(dr.DeviceIdentifierCollisionError):
                devices.async_update_device(device.id, new_identifiers=identifiers)
