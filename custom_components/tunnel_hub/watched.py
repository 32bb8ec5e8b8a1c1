"""Watched addresses: those that belong to no tunnel of a service; a subentry for each."""

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
"""What stands in place of a provider's key in the entry of all watched addresses."""
WATCHED_ADDRESS = "watched_address"
"""The type of the subentries."""


def is_watched(entry: TunnelHubConfigEntry) -> bool:
    """Tell whether an entry is that of the watched addresses."""
    return bool(entry.data[CONF_PROVIDER] == WATCHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedAddress(AddressCheck):
    """What checks of a watched address have found. id: of its subentry."""

    kind: ClassVar[str] = WATCHED_ADDRESS

    address: str
    """host:port, or the host where the protocol says the port."""


class WatchedAddresses(Provider):
    """Stands for no account: it signs in nowhere and reads nothing."""

    description = ProviderDescription(
        key=WATCHED, name="Tunnel Hub", console_url="", has_account=False
    )

    def __init__(self) -> None:
        self.feeds = {}
        self.credentials = {}

    @override
    def close(self) -> None:
        """Do nothing: no requests are under way."""

    @override
    async def identify(self) -> Identity:
        raise UnsupportedError

    @override
    def statistics(self) -> Mapping[str, int]:
        return {}


class WatchedChecks(AddressChecks):
    """The checks of the watched addresses. Only administrators add subentries."""

    def __init__(self, hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
        super().__init__(hass, entry, WatchedAddress)

    @callback
    @override
    def async_follow(self, coordinator: FeedCoordinator) -> FeedCoordinator:
        self._entry.async_on_unload(self._entry.add_update_listener(self._follow_subentries))
        return super().async_follow(coordinator)

    async def _follow_subentries(self, hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
        """Check what was added or has another address, and forget what was removed."""
        if (coordinator := self.coordinator) is None:
            return
        for id_ in coordinator.existence.known - self._subentries().keys():
            coordinator.async_forget(id_)
        await coordinator.async_refresh()

    def _subentries(self) -> Mapping[str, ConfigSubentry]:
        return self._entry.subentries

    def _subentry(self, id_: str) -> ConfigSubentry:
        if (subentry := self._subentries().get(id_)) is None:
            raise TunnelGoneError
        return subentry

    @override
    async def _prepare(self) -> None:
        """Do nothing: the user has said where they are."""

    @override
    def _ids(self) -> Iterable[str]:
        return self._subentries()

    @override
    def _target(self, id_: str) -> Target:
        return watched_target(self._subentry(id_).data[CONF_ADDRESS])

    @override
    def _blank(self, id_: str, target: Target) -> WatchedAddress:
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
    """Return what tells an address from all others, without what may be secret in it."""
    words = (target.protocol, target.host.lower(), str(target.port), target.path)
    return sha256(" ".join(words).encode()).hexdigest()[:32]
