"""Registers devices for resources: added before their entities, renamed, and removed after them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.translation import async_get_cached_translations
from homeassistant.helpers.typing import UNDEFINED

from .api.models.account import Account
from .api.models.base import Resource
from .api.models.directory import PublicNode, RelayNode
from .api.models.mesh import Peer, Proxy, Rule, User, WireGuardPeer
from .api.models.nodes import Node
from .api.models.server import Client
from .api.models.service import ServiceTotals
from .api.models.tunnels import Tunnel
from .const import DOMAIN
from .coordinator import FeedCoordinator
from .ids import (
    ACCOUNT,
    DeviceKey,
    device_identifier,
    device_key,
    device_key_of,
    entity_key_of,
    registered_device,
    subentry_id,
)
from .runtime import TunnelHubConfigEntry, TunnelHubData
from .watched_addresses import WatchedAddress

MODELS = {
    Account.kind: "Account",
    Client.kind: "Client",
    Node.kind: "Node",
    Peer.kind: "Peer",
    Proxy.kind: "Proxy",
    PublicNode.kind: "Public node",
    RelayNode.kind: "Relay node",
    Rule.kind: "Rule",
    ServiceTotals.kind: "Service",
    Tunnel.kind: "Tunnel",
    User.kind: "User",
    WatchedAddress.kind: "Watched address",
    WireGuardPeer.kind: "WireGuard peer",
}


MAX_NAME_LENGTH = 255
"""The length of a device name, equal to the maximum length of a state."""


@dataclass(slots=True)
class RegisteredResources:
    """What the registries contain of one kind of resource, possibly from before a restart.

    ids: of resources with a device or an entity.
    disabled_by: who disabled their entities; contains None if at least one entity is enabled.
    """

    ids: set[str] = field(default_factory=set)
    disabled_by: set[er.RegistryEntryDisabler | None] = field(default_factory=set)

    def is_wanted(self, resource: type[Resource]) -> bool:
        """Return whether an entity is enabled or can be enabled later, or none was ever added."""
        return (
            not self.disabled_by
            or None in self.disabled_by
            or (
                resource.may_be_enabled_later
                and er.RegistryEntryDisabler.INTEGRATION in self.disabled_by
            )
        )


def registered_resources(
    hass: HomeAssistant, entry: TunnelHubConfigEntry
) -> defaultdict[str, RegisteredResources]:
    """Return what the registries contain of an entry's resources, by kind."""
    found = defaultdict[str, RegisteredResources](RegisteredResources)
    for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id):
        if (of_device := device_key_of(device, entry)) is not None:
            found[of_device.kind].ids.add(of_device.id)
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        if (of_entity := entity_key_of(entity, entry)) is not None:
            found[of_entity.kind].ids.add(of_entity.id)
            found[of_entity.kind].disabled_by.add(entity.disabled_by)
    return found


class Devices:
    """Keeps the device registry in sync with the feeds of one entry."""

    def __init__(
        self, hass: HomeAssistant, entry: TunnelHubConfigEntry, entry_data: TunnelHubData
    ) -> None:
        """Register the device of the account, which all others refer to."""
        self._hass = hass
        self._entry = entry
        self._entry_data = entry_data
        self._provider = entry_data.provider.description
        self._registry = dr.async_get(hass)
        self._entities = er.async_get(hass)
        self._shown: dict[DeviceKey, _Facts] = {}
        self._others: Mapping[str, tuple[datetime, str]] | None = None
        self._account_id: str | None = None
        # Another version may have registered the same things as child devices, which is a conflict.
        for child in dr.async_child_entries_for_config_entry(self._registry, entry.entry_id):
            if device_key_of(child, entry) is not None:
                self._registry.async_remove_device(child.id)
        if self._provider.has_account:
            self._account_id = self._register(ACCOUNT, _Facts(entry.title, None))

    async def async_follow(self, coordinator: FeedCoordinator) -> None:
        """Add, rename and remove devices when resources of the feed change."""

        @callback
        def _update(resource_id: str) -> None:
            if (resource := coordinator.data.get(resource_id)) is not None:
                self._update(resource)

        @callback
        def _remove(resource_id: str) -> None:
            self._remove(coordinator, resource_id)

        coordinator.subscriptions.on_gone.append(_remove)
        coordinator.subscriptions.on_changed.append(_update)
        self._others = self._names_at_other_accounts()
        await coordinator.async_on_added(_update)
        self._others = None

    @callback
    def async_remove_unknown(self) -> None:
        """Remove what no feed provides, for example after a change of options."""
        coordinators = self._entry_data.coordinators.values()
        for device in dr.async_entries_for_config_entry(self._registry, self._entry.entry_id):
            key = device_key_of(device, self._entry)
            if (
                key is not None
                and key != ACCOUNT
                and not any(c.device_kind == key.kind and c.knows(key.id) for c in coordinators)
            ):
                self._registry.async_remove_device(device.id)
        for entity in er.async_entries_for_config_entry(self._entities, self._entry.entry_id):
            of_entity = entity_key_of(entity, self._entry)
            if of_entity is not None and not any(
                c.feed.resource.kind == of_entity.kind and c.knows(of_entity.id)
                for c in coordinators
            ):
                self._entities.async_remove(entity.entity_id)

    def _remove(self, coordinator: FeedCoordinator, resource_id: str) -> None:
        """Remove the entities of a resource, and its device once no feed has the resource."""
        kind = coordinator.feed.resource.kind
        key = DeviceKey(coordinator.device_kind, resource_id)
        parts = [
            other
            for other in self._entry_data.coordinators.values()
            if other.device_kind == key.kind and other is not coordinator
        ]
        if key.kind == kind:
            for part in parts:
                part.async_forget(resource_id)
        device = registered_device(self._registry, self._entry, key)
        if device is None:
            # The user has removed it.
            self._shown.pop(key, None)
            return
        if key != ACCOUNT and not any(resource_id in part.inventory.known for part in parts):
            self._shown.pop(key, None)
            self._registry.async_remove_device(device.id)
            return
        for entity in er.async_entries_for_device(
            self._entities, device.id, include_disabled_entities=True
        ):
            of_entity = entity_key_of(entity, self._entry)
            if of_entity is not None and of_entity[:2] == (kind, resource_id):
                self._entities.async_remove(entity.entity_id)

    def _update(self, resource: Resource) -> None:
        """Register or rename the device of a resource if something changed."""
        key = device_key(resource)
        shown = self._shown.get(key, _Facts(None, None))
        facts = _Facts(
            # The account's device has the name of its entry, which the user can change.
            shown.name if key == ACCOUNT else _name(resource) or shown.name,
            # Another feed may have provided what this one does not.
            getattr(resource, "version", None) or shown.version,
        )
        if key not in self._shown or facts != shown:
            self._register(key, facts)

    def _register(self, key: DeviceKey, facts: _Facts) -> str:
        """Create or update a device and return its id."""
        self._shown[key] = facts
        is_account = key == ACCOUNT
        return self._registry.async_get_or_create(
            config_entry_id=self._entry.entry_id,
            config_subentry_id=subentry_id(self._entry, key.id),
            identifiers={device_identifier(self._entry, key)},
            manufacturer=self._provider.name,
            model=self._provider.model if is_account else MODELS[key.kind],
            entry_type=dr.DeviceEntryType.SERVICE,
            name=self._distinct(key, facts.name or self._name_of_nameless(key)),
            sw_version=facts.version or UNDEFINED,
            configuration_url=self._entry_data.provider.console_url if is_account else None,
            via_device_id=None if is_account else self._account_id,
        ).id

    def _name_of_nameless(self, key: DeviceKey) -> str:
        """Return a name for a resource that has no name at the service."""
        texts = async_get_cached_translations(
            self._hass, self._hass.config.language, "device", DOMAIN
        )
        text = texts.get(f"component.{DOMAIN}.device.{key.kind}.name", "{provider} {id}")
        return text.format(provider=self._provider.name, id=key.id)

    def _distinct(self, key: DeviceKey, name: str) -> str:
        """Return a device name, with the account's name if another account already uses it.

        Selectors show the name of a device, but not its account.
        """
        name = name[:MAX_NAME_LENGTH]
        if key == ACCOUNT:
            return name
        device = registered_device(self._registry, self._entry, key)
        longer = f"{name[: MAX_NAME_LENGTH // 2]} ({self._entry.title[: MAX_NAME_LENGTH // 3]})"
        if device is not None and device.name == longer:
            return longer
        others = self._names_at_other_accounts() if self._others is None else self._others
        first = others.get(name)
        own = None if device is None else (device.created_at, self._entry.entry_id)
        return longer if first is not None and (own is None or first < own) else name

    def _names_at_other_accounts(self) -> Mapping[str, tuple[datetime, str]]:
        """Return the device names of other entries, with the time and entry of each."""
        names: dict[str, tuple[datetime, str]] = {}
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            if entry.entry_id != self._entry.entry_id:
                for device in dr.async_entries_for_config_entry(self._registry, entry.entry_id):
                    if (name := device.name) is not None:
                        since = (device.created_at, entry.entry_id)
                        names[name] = min(since, names.get(name, since))
        return names


class _Facts(NamedTuple):
    """What the device registry stores of a resource."""

    name: str | None
    version: str | None


def _name(resource: Resource) -> str | None:
    """Return a valid device name in one line, or None if nothing readable is left."""
    name = " ".join((resource.name or "").split())[:MAX_NAME_LENGTH]
    return name if any(map(str.isprintable, name)) else None
