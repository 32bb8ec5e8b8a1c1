"""Stores data of a provider that must survive a restart."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .api.provider import Provider
from .const import DOMAIN

_STORAGE_VERSION = 1


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, _STORAGE_VERSION, f"{DOMAIN}.{entry_id}.memory")


async def async_restore_memory(hass: HomeAssistant, entry_id: str, provider: Provider) -> None:
    """Restore the data of a provider, and store its changes from now on."""
    store = _store(hass, entry_id)

    async def _save(memory: Mapping[str, Any]) -> None:
        await store.async_save(dict(memory))

    provider.restore(await store.async_load() or {})
    provider.on_memory = _save


async def async_forget_memory(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the stored data of an entry."""
    await _store(hass, entry_id).async_remove()
