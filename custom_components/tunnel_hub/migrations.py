"""Brings an entry that an older version stored to today's form, in place.

A new minor version is something that an older program can live with; nothing yet was more.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .accounts import free_id
from .api import stored_account_id
from .api.errors import InvalidInputError
from .const import CONF_NETWORK_NAME, CONF_NETWORK_SECRET, CONF_PROVIDER
from .runtime import TunnelHubConfigEntry


class Stored(NamedTuple):
    """The stored data of an entry."""

    unique_id: str | None
    data: dict[str, Any]


_NETWORK = {CONF_NETWORK_NAME, CONF_NETWORK_SECRET}


def _without_half_a_network(stored: Stored) -> Stored:
    """Leave out a network's name without its secret, or the reverse, which led nowhere."""
    if stored.data.keys() >= _NETWORK:
        return stored
    data = {name: value for name, value in stored.data.items() if name not in _NETWORK}
    return stored._replace(data=data)


def _with_todays_id(stored: Stored) -> Stored:
    """Write an id that holds a server's address as today, for addresses are tidied since."""
    key = stored.data.get(CONF_PROVIDER, "")
    with suppress(InvalidInputError):
        if (account_id := stored_account_id(key, stored.data)) is not None:
            return stored._replace(unique_id=f"{key}:{account_id}")
    return stored


def _as_it_is(stored: Stored) -> Stored:
    """Only statistics change; see `_without_words_as_units`."""
    return stored


_COUNTS = {
    *("clients", "connections", "connections_allowed", "exit_clients", "nodes", "nodes_domestic"),
    *("nodes_listed", "nodes_online", "nodes_overseas", "points", "runs", "runs_today", "sessions"),
    *("sign_in_points", "sign_ins", "tunnels", "tunnels_allowed", "tunnels_offline"),
    *("tunnels_online", "tunnels_used", "users", "wireguard_connected", "wireguard_peers"),
}
"""Sensors that had a word as their unit, such as "clients"."""
_WITH_WORDS_AS_UNITS = 3


def _without_words_as_units(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
    """Take the words from the statistics as well, so that these go on instead of ending there."""
    if RECORDER not in hass.config.components:
        return
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        if entity.domain == "sensor" and entity.translation_key in _COUNTS:
            get_instance(hass).async_update_statistics_metadata(
                entity.entity_id, new_unit_class=None, new_unit_of_measurement=None
            )


_STEPS: Mapping[int, Callable[[Stored], Stored]] = {
    1: _without_half_a_network,
    2: _with_todays_id,
    _WITH_WORDS_AS_UNITS: _as_it_is,
}
"""What leads from each minor version to the next one."""

VERSION = 1
MINOR_VERSION = 1 + len(_STEPS)


async def async_migrate_entry(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> bool:
    """Take the steps that an entry has not taken yet.

    An entry of a newer minor version is good as it is; one of a newer version is refused.
    """
    if entry.version > VERSION:
        return False
    if entry.minor_version < MINOR_VERSION:
        stored = Stored(entry.unique_id, dict(entry.data))
        for minor_version in range(entry.minor_version, MINOR_VERSION):
            stored = _STEPS[minor_version](stored)
        if entry.minor_version <= _WITH_WORDS_AS_UNITS:
            _without_words_as_units(hass, entry)
        hass.config_entries.async_update_entry(
            entry,
            data=stored.data,
            unique_id=free_id(hass, entry, stored.unique_id),
            minor_version=MINOR_VERSION,
        )
    return True
