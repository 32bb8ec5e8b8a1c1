"""Stores credentials: in the entry and, if they only work once, also in a separate file.

Home Assistant writes a changed entry within a second. After a crash or a power failure in that
second, the entry would contain a refresh token that was used up, and the user would have to sign in
again. Therefore such credentials are written to a file and synced to the disk before they are used.
After a restart, the file is used if the entry still contains credentials that it replaced.
"""

from collections.abc import Mapping
from hashlib import sha256
import logging
from typing import NamedTuple

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .api.provider import Credentials
from .const import CONF_ID_PREFIX, CONF_KNOWN_BY, CONF_PROVIDER
from .runtime import TunnelHubConfigEntry
from .storage import EntryStore, File

_LOGGER = logging.getLogger(__name__)

_SINGLE_USE = "refresh_token"
"""The credential that only works once, if the provider has one."""
_NOT_COMPARED = frozenset({"default_password", "token"})
"""Data that a login returns. A change of them does not mean that the user has signed in again."""
_NO_CREDENTIALS = frozenset({CONF_ID_PREFIX, CONF_KNOWN_BY, CONF_PROVIDER})
"""Data of an entry that are not credentials."""
_REMEMBERED = 200
"""The number of used-up credentials in the file: about one day, in 4 KB."""


class _File(NamedTuple):
    """The content of the file.

    credentials: all current credentials.
    replaced: digests of earlier single-use credentials, the newest last.
    """

    credentials: dict[str, str]
    replaced: list[str]


def _digest(credentials: Mapping[str, str]) -> str:
    return sha256(credentials.get(_SINGLE_USE, "").encode()).hexdigest()[:16]


class CredentialStore:
    """Loads and stores the credentials of one entry."""

    def __init__(self, hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        # Home Assistant syncs atomic writes, and their folder, to the disk.
        self._store = EntryStore[dict[str, object]](
            hass, entry.entry_id, File.CREDENTIALS, private=True, atomic_writes=True
        )
        self._replaced: list[str] = []
        self._known: dict[str, str] = {}

    async def async_load(self) -> Credentials:
        """Return the newest credentials, either of the entry or of the file."""
        self._known = self._in_entry()
        if _SINGLE_USE not in self._known:
            await self._store.async_remove()
        elif (file := await self._async_read()) is not None:
            self._replaced = file.replaced
            if _digest(self._known) in file.replaced:
                self._put_in_entry(file.credentials)
            elif self._known != file.credentials:
                # The user has signed in again, but the entry may not be written yet.
                await self._async_write(self._known, before=file.credentials)
        return self._known

    async def async_save(self, credentials: Credentials) -> None:
        """Store renewed credentials, unless the user has signed in again in the meantime."""
        # The entry can be removed while its credentials are renewed.
        if self._hass.config_entries.async_get_entry(self._entry.entry_id) is None:
            return
        before, now = self._known, self._in_entry()
        if any(
            now.get(name) not in (before.get(name), credentials.get(name))
            for name in (before.keys() | now.keys()) - _NOT_COMPARED
        ):
            return
        if _SINGLE_USE in credentials:
            await self._async_write({**now, **credentials}, before=before)
        self._put_in_entry({**now, **credentials})
        if self._entry.state is ConfigEntryState.SETUP_ERROR:
            # The setup ran while these credentials were renewed, and failed with the old ones.
            self._hass.config_entries.async_schedule_reload(self._entry.entry_id)

    def _in_entry(self) -> dict[str, str]:
        return {n: value for n, value in self._entry.data.items() if n not in _NO_CREDENTIALS}

    def _put_in_entry(self, credentials: dict[str, str]) -> None:
        self._known = credentials
        others = {n: value for n, value in self._entry.data.items() if n in _NO_CREDENTIALS}
        self._hass.config_entries.async_update_entry(self._entry, data={**others, **credentials})

    async def _async_read(self) -> _File | None:
        """Read the file; a damaged file counts as missing."""
        try:
            match await self._store.async_load():
                case {"credentials": dict(found), "replaced": list(replaced)} if (
                    _SINGLE_USE in found
                ):
                    credentials = {str(name): str(value) for name, value in found.items()}
                    return _File(credentials, [str(digest) for digest in replaced])
        except HomeAssistantError as err:
            _LOGGER.warning("The newest sign-in of %s cannot be read: %s", self._entry.title, err)
        return None

    async def _async_write(self, credentials: dict[str, str], before: Mapping[str, str]) -> None:
        """Write the file and wait until it is synced to the disk."""
        replaced = [*self._replaced, _digest(before)][-_REMEMBERED:]
        self._replaced = [digest for digest in replaced if digest != _digest(credentials)]
        await self._store.async_save({"credentials": credentials, "replaced": self._replaced})
