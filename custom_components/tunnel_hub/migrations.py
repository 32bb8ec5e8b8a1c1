"""Brings an entry that an older version stored to today's form, in place.

A new minor version is something that an older program can live with; nothing yet was more.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from homeassistant.core import HomeAssistant

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


_STEPS: Mapping[int, Callable[[Stored], Stored]] = {
    1: _without_half_a_network,
    2: _with_todays_id,
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
        hass.config_entries.async_update_entry(
            entry,
            data=stored.data,
            unique_id=free_id(hass, entry, stored.unique_id),
            minor_version=MINOR_VERSION,
        )
    return True
