"""The files of an entry, for data that must survive a restart and are not in the entry itself."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .api.provider import Provider
from .const import DOMAIN

_VERSION = 1


class File(StrEnum):
    """The end of the name of a file, after the id of the entry."""

    CREDENTIALS = ".credentials"
    FORCE_DOWN = ""
    HISTORY = ".history"
    MEMORY = ".memory"
    SIGN_IN = ".sign_in"


class EntryStore[T: Mapping[str, Any] | Sequence[Any]](Store[T]):
    """One file of an entry."""

    def __init__(self, hass: HomeAssistant, entry_id: str, file: File, **options: Any) -> None:
        """options: as of Store."""
        super().__init__(hass, _VERSION, f"{DOMAIN}.{entry_id}{file}", **options)


async def async_remove_files(hass: HomeAssistant, entry_id: str) -> None:
    """Remove all files of an entry."""
    for file in File:
        await EntryStore[Any](hass, entry_id, file).async_remove()


async def async_restore_memory(hass: HomeAssistant, entry_id: str, provider: Provider) -> None:
    """Restore the data of a provider, and store its changes from now on."""
    store = EntryStore[dict[str, Any]](hass, entry_id, File.MEMORY)

    async def _save(memory: Mapping[str, Any]) -> None:
        await store.async_save(dict(memory))

    provider.restore(await store.async_load() or {})
    provider.on_memory = _save
