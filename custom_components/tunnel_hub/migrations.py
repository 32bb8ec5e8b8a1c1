"""Brings an entry that an older version stored to today's form, in place.

A new minor version is something that an older program can live with; nothing yet was more.
"""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .const import CONF_NETWORK_NAME, CONF_NETWORK_SECRET

type Data = dict[str, Any]

_NETWORK = {CONF_NETWORK_NAME, CONF_NETWORK_SECRET}


def _without_half_a_network(data: Data) -> Data:
    """Leave out a network's name without its secret, or the reverse, which led nowhere."""
    if data.keys() >= _NETWORK:
        return data
    return {name: value for name, value in data.items() if name not in _NETWORK}


_STEPS: Mapping[int, Callable[[Data], Data]] = {1: _without_half_a_network}
"""What leads from each minor version to the next one."""

VERSION = 1
MINOR_VERSION = 1 + len(_STEPS)


async def async_migrate_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Take the steps that an entry has not taken yet.

    An entry of a newer minor version is good as it is; one of a newer version is refused.
    """
    if entry.version > VERSION:
        return False
    if entry.minor_version < MINOR_VERSION:
        data: Data = dict(entry.data)
        for minor_version in range(entry.minor_version, MINOR_VERSION):
            data = _STEPS[minor_version](data)
        hass.config_entries.async_update_entry(entry, data=data, minor_version=MINOR_VERSION)
    return True
