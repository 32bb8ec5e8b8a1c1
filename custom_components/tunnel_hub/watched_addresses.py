"""Watched addresses, which do not belong to a tunnel: each one is a subentry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_ADDRESS
from homeassistant.core import HomeAssistant, callback

from .api.errors import TunnelGoneError, UnsupportedError
from .api.provider import Identity, Provider, ProviderDescription
from .checks.addresses import Target, watched_target
from .checks.verdicts import Findings
from .const import CONF_PROVIDER
from .coordinator import FeedCoordinator
from .reachability import AddressCheck, AddressChecks, Checked

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

WATCHED = "watched"
"""The provider key of the entry with all watched addresses."""
WATCHED_ADDRESS = "watched_address"
"""The subentry type."""


def is_watched(entry: TunnelHubConfigEntry) -> bool:
    """Return whether an entry is the one of the watched addresses."""
    return bool(entry.data[CONF_PROVIDER] == WATCHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedAddress(AddressCheck):
    """The results of the checks of a watched address.

    id: of its subentry.
    """

    kind: ClassVar[str] = WATCHED_ADDRESS

    address: str
    """host:port, or the host if the protocol implies the port."""


class WatchedAddresses(Provider):
    """Takes the place of a provider: there is no account, and there are no requests."""

    description = ProviderDescription(
        key=WATCHED, name="Tunnel Hub", console_url="", has_account=False
    )

    def __init__(self) -> None:
        self.feeds = {}
        self.credentials = {}

    @override
    def close(self) -> None:
        """Do nothing, because there are no requests."""

    @override
    async def identify(self) -> Identity:
        raise UnsupportedError

    @override
    def statistics(self) -> Mapping[str, int]:
        return {}


class WatchedChecks(AddressChecks):
    """The checks of the watched addresses. Only administrators can add subentries."""

    def __init__(self, hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
        super().__init__(hass, entry, WatchedAddress)

    @callback
    @override
    def async_follow(self, coordinator: FeedCoordinator) -> FeedCoordinator:
        self._entry.async_on_unload(self._entry.add_update_listener(self._follow_subentries))
        return super().async_follow(coordinator)

    async def _follow_subentries(self, hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
        """Check new and changed addresses, and remove deleted ones."""
        if (coordinator := self.coordinator) is None:
            return
        for id_ in coordinator.inventory.known - entry.subentries.keys():
            coordinator.async_forget(id_)
        await coordinator.async_refresh()

    def _subentry(self, id_: str) -> ConfigSubentry:
        if (subentry := self._entry.subentries.get(id_)) is None:
            raise TunnelGoneError
        return subentry

    @override
    async def _prepare(self) -> None:
        """Do nothing, because the user has entered the addresses."""

    @override
    def _ids(self) -> Iterable[str]:
        return self._entry.subentries

    @override
    def _target(self, id_: str) -> Target:
        return watched_target(self._subentry(id_).data[CONF_ADDRESS])

    @override
    def _initial(self, id_: str, target: Target) -> WatchedAddress:
        return WatchedAddress(
            id=id_,
            name=self._subentry(id_).title,
            protocol=target.protocol,
            address=target.label,
        )

    @override
    def _findings(self, id_: str, checked: Checked) -> Findings:
        return Findings(outcome=checked.result.outcome, is_tunnel=False)


def address_id(target: Target) -> str:
    """Return a digest that identifies an address without revealing secrets in it."""
    words = (target.protocol, target.host.lower(), str(target.port), target.path)
    return sha256(" ".join(words).encode()).hexdigest()[:32]
