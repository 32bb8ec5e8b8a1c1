"""Where credentials are kept: in the entry and, if they work only once, in a file of their own too.

Home Assistant writes a changed entry within a second. Killed in that second, or without power, it
came back with a refresh token that had been used up, and the user had to sign in again. So such
credentials are in a file, and synced to the disk, before they are used. After a restart they count
if the entry still holds some that they replaced.
"""

from collections.abc import Mapping
from hashlib import sha256
import logging
from typing import NamedTuple

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store

from .api.provider import Credentials
from .const import CONF_ID_PREFIX, CONF_KNOWN_BY, CONF_PROVIDER, DOMAIN
from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

_STORAGE_VERSION = 1
_ONCE = "refresh_token"
"""The credential that works once, where there is one."""
_TOLD = frozenset({"default_password", "token"})
"""What a login tells; it does not say how someone signed in."""
_NO_CREDENTIALS = frozenset({CONF_ID_PREFIX, CONF_KNOWN_BY, CONF_PROVIDER})
"""What else is in an entry."""
_REMEMBERED = 200
"""How many used-up credentials a file names: those of a day, in 4 KB."""


class _File(NamedTuple):
    """credentials: all of them. replaced: digests of those before, the newest last."""

    credentials: dict[str, str]
    replaced: list[str]


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, object]]:
    # What is written atomically, Home Assistant syncs to the disk, with its folder.
    key = f"{DOMAIN}.{entry_id}.credentials"
    return Store(hass, _STORAGE_VERSION, key, private=True, atomic_writes=True)


async def async_forget_credentials(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the file of an entry."""
    await _store(hass, entry_id).async_remove()


def _digest(credentials: Mapping[str, str]) -> str:
    return sha256(credentials.get(_ONCE, "").encode()).hexdigest()[:16]


class CredentialStore:
    """Loads the credentials of one entry, and stores renewed ones."""

    def __init__(self, hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        self._store = _store(hass, entry.entry_id)
        self._replaced: list[str] = []
        self._known: dict[str, str] = {}

    async def async_load(self) -> Credentials:
        """Return the newest credentials, whether the entry or the file has them."""
        self._known = self._in_entry()
        if _ONCE not in self._known:
            await self._store.async_remove()
        elif (file := await self._async_read()) is not None:
            self._replaced = file.replaced
            if _digest(self._known) in file.replaced:
                self._put_in_entry(file.credentials)
            elif self._known != file.credentials:
                # The user signed in again; the entry may be written only in a second.
                await self._async_write(self._known, before=file.credentials)
        return self._known

    async def async_save(self, credentials: Credentials) -> None:
        """Store renewed credentials, unless the user has signed in again in the meantime."""
        # The entry can be removed while someone signs in.
        if self._hass.config_entries.async_get_entry(self._entry.entry_id) is None:
            return
        before, now = self._known, self._in_entry()
        if any(
            now.get(name) not in (before.get(name), credentials.get(name))
            for name in (before.keys() | now.keys()) - _TOLD
        ):
            return
        if _ONCE in credentials:
            await self._async_write({**now, **credentials}, before=before)
        self._put_in_entry({**now, **credentials})
        if self._entry.state is ConfigEntryState.SETUP_ERROR:
            # It started while these credentials were changed, and was refused with the old ones.
            self._hass.config_entries.async_schedule_reload(self._entry.entry_id)

    def _in_entry(self) -> dict[str, str]:
        return {n: value for n, value in self._entry.data.items() if n not in _NO_CREDENTIALS}

    def _put_in_entry(self, credentials: dict[str, str]) -> None:
        self._known = credentials
        others = {n: value for n, value in self._entry.data.items() if n in _NO_CREDENTIALS}
        self._hass.config_entries.async_update_entry(self._entry, data={**others, **credentials})

    async def _async_read(self) -> _File | None:
        """Read the file; one that cannot be read counts as none."""
        try:
            match await self._store.async_load():
                case {"credentials": dict(found), "replaced": list(replaced)} if _ONCE in found:
                    credentials = {str(name): str(value) for name, value in found.items()}
                    return _File(credentials, [str(digest) for digest in replaced])
        except HomeAssistantError as err:
            _LOGGER.warning("The newest sign-in of %s cannot be read: %s", self._entry.title, err)
        return None

    async def _async_write(self, credentials: dict[str, str], before: Mapping[str, str]) -> None:
        """Write the file, and return when it is on the disk."""
        replaced = [*self._replaced, _digest(before)][-_REMEMBERED:]
        self._replaced = [digest for digest in replaced if digest != _digest(credentials)]
        await self._store.async_save({"credentials": credentials, "replaced": self._replaced})
