"""Resources as devices: made before their entities, renamed with them, removed after them."""

from typing import NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .api.directory import PublicNode, RelayNode
from .api.mesh import Peer, Proxy, Rule, User, WireGuardPeer
from .api.provider import Provider
from .api.resource import Account, Node, Resource, ServiceTotals, Tunnel
from .const import DOMAIN
from .coordinator import FeedCoordinator, TunnelHubConfigEntry

MODELS = {
    Account.kind: "Account",
    Node.kind: "Node",
    Peer.kind: "Peer",
    Proxy.kind: "Proxy",
    PublicNode.kind: "Public node",
    RelayNode.kind: "Relay node",
    Rule.kind: "Rule",
    ServiceTotals.kind: "Service",
    Tunnel.kind: "Tunnel",
    User.kind: "User",
    WireGuardPeer.kind: "WireGuard peer",
}


class DeviceKey(NamedTuple):
    """Which thing a device is: its kind, and its id at the service."""

    kind: str
    id: str


def device_key(resource: Resource) -> DeviceKey:
    """Return the device that a resource tells something about."""
    return DeviceKey(resource.part_of or resource.kind, resource.id)


def identifier(entry: TunnelHubConfigEntry, key: DeviceKey) -> tuple[str, str]:
    """Return a device's identifier in the registry."""
    return DOMAIN, f"{entry.entry_id}:{key.kind}:{key.id}"


def key_of(entry: TunnelHubConfigEntry, device: dr.AnyDeviceEntry) -> DeviceKey | None:
    """Find out which thing a registered device is; None for another entry's."""
    for domain, name in device.identifiers:
        owner, _, rest = name.partition(":")
        kind, _, id_ = rest.partition(":")
        if domain == DOMAIN and owner == entry.entry_id and id_:
            return DeviceKey(kind, id_)
    return None


class Devices:
    """Keeps the registry in step with the feeds of one entry."""

    def __init__(
        self, hass: HomeAssistant, entry: TunnelHubConfigEntry, provider: Provider
    ) -> None:
        """Register the account, on which everything else hangs."""
        self._entry = entry
        self._provider = provider.description
        self._registry = dr.async_get(hass)
        self._entities = er.async_get(hass)
        self._faces: dict[DeviceKey, tuple[str | None, str | None]] = {}
        self._account = self._registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={identifier(entry, DeviceKey(Account.kind, Account.kind))},
            name=entry.title,
            manufacturer=self._provider.name,
            model=self._provider.model,
            entry_type=dr.DeviceEntryType.SERVICE,
            configuration_url=provider.console_url,
        )

    def registered(self, kind: str) -> set[str]:
        """Return the ids of a kind that have a device."""
        keys = (
            key_of(self._entry, device)
            for device in dr.async_entries_for_config_entry(self._registry, self._entry.entry_id)
        )
        return {key.id for key in keys if key is not None and key.kind == kind}

    async def async_follow(self, coordinator: FeedCoordinator) -> None:
        """Make, rename and remove devices as the feed's resources come, change and go.

        Of what is part of another thing's device only the entities go.
        """
        kind, part_of = coordinator.feed.resource.kind, coordinator.feed.resource.part_of

        @callback
        def _update(id_: str) -> None:
            if (resource := coordinator.data.get(id_)) is not None:
                self._register(resource)

        @callback
        def _remove(id_: str) -> None:
            if part_of:
                self._remove_entities(f"{self._entry.entry_id}:{kind}:{id_}:")
            else:
                self._remove_device(DeviceKey(kind, id_))

        coordinator.async_on_gone(_remove)
        if (part_of or kind) != Account.kind:
            coordinator.async_on_changed(_update)
            await coordinator.async_on_added(_update)

    def _remove_device(self, key: DeviceKey) -> None:
        self._faces.pop(key, None)
        if device := self._registry.async_get_device_by_identifier(
            identifier(self._entry, key), self._entry.entry_id
        ):
            self._registry.async_remove_device(device.id)

    def _remove_entities(self, prefix: str) -> None:
        """Remove those whose unique id begins like this; if the resource returns, so do they."""
        for entity in er.async_entries_for_config_entry(self._entities, self._entry.entry_id):
            if entity.unique_id.startswith(prefix):
                self._entities.async_remove(entity.entity_id)

    def _register(self, resource: Resource) -> None:
        """Make or rename a resource's device; what shows already is left alone."""
        key = device_key(resource)
        shown = self._faces.get(key, (None, None))
        # What one feed cannot tell of a thing may have come with another.
        face = (resource.name or shown[0], getattr(resource, "version", None) or shown[1])
        if key in self._faces and face == shown:
            return
        self._faces[key] = face
        name, version = face
        self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            identifiers={identifier(self._entry, key)},
            manufacturer=self._provider.name,
            model=MODELS[key.kind],
            entry_type=dr.DeviceEntryType.SERVICE,
            name=name or f"{self._provider.name} {key.id}",
            sw_version=version,
            via_device_id=self._account.id,
        )
