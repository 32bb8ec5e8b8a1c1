"""What a provider remembers over a restart, stored beside its entry."""

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
    """Give a provider back what it remembered, and store what it will remember."""
    store = _store(hass, entry_id)

    async def _save(memory: Mapping[str, Any]) -> None:
        await store.async_save(dict(memory))

    provider.restore(await store.async_load() or {})
    provider.on_memory = _save


async def async_forget_memory(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the stored data of an entry."""
    await _store(hass, entry_id).async_remove()
