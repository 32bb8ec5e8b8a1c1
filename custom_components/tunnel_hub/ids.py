"""Identifiers in Home Assistant's registries: the one place that builds and parses them.

A device's is "prefix:kind:id", an entity's unique id "prefix:kind:id:key". Only the id, which the
service chooses, can hold a colon. The prefix is the id that the account had when it was added, such
as "hayfrp.123", so that an account that is removed and added again gets the same identifiers.
"""

from typing import TYPE_CHECKING, NamedTuple

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .api.models.account import Account
from .api.models.base import Resource
from .const import CONF_ID_PREFIX, DOMAIN

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry


class DeviceKey(NamedTuple):
    """Which thing a device is: its kind, and its id at the service."""

    kind: str
    id: str


ACCOUNT = DeviceKey(Account.kind, Account.kind)
"""The device of the account itself, or of what stands in its place."""


class EntityKey(NamedTuple):
    """What an entity shows: a resource's kind and id, and the key of a platform's row."""

    kind: str
    id: str
    key: str


def device_key(resource: Resource) -> DeviceKey:
    """Return the device that a resource tells something about."""
    return DeviceKey(resource.part_of or resource.kind, resource.id)


def free_prefix(hass: HomeAssistant, unique_id: str | None) -> dict[str, str]:
    """Return what to store of the prefix of an entry with this unique id; nothing if it is taken.

    An account's id can change, and another account can then have the old one.
    """
    provider, _, account_id = (unique_id or "").partition(":")
    prefix = f"{provider}.{account_id.replace('%', '%25').replace(':', '%3A')}"
    taken = {entry.data.get(CONF_ID_PREFIX) for entry in hass.config_entries.async_entries(DOMAIN)}
    return {CONF_ID_PREFIX: prefix} if account_id and prefix not in taken else {}


def stored_prefix(entry: TunnelHubConfigEntry) -> dict[str, str]:
    """Return what is stored of the prefix, as free_prefix."""
    return {n: value for n, value in entry.data.items() if n == CONF_ID_PREFIX}


def id_prefix(entry: TunnelHubConfigEntry) -> str:
    """Return what all identifiers of an entry begin with: the entry's own id if none is stored."""
    prefix: str = entry.data.get(CONF_ID_PREFIX, entry.entry_id)
    return prefix


def device_identifier(entry: TunnelHubConfigEntry, key: DeviceKey) -> tuple[str, str]:
    """Return a device's identifier in the registry."""
    return DOMAIN, f"{id_prefix(entry)}:{key.kind}:{key.id}"


def device_key_of(device: dr.AnyDeviceEntry, entry: TunnelHubConfigEntry) -> DeviceKey | None:
    """Return which thing of an entry a registered device is; None if it is none."""
    for domain, identifier in device.identifiers:
        kind, _, id_ = _without_prefix(identifier, entry).partition(":")
        if domain == DOMAIN and kind and id_:
            return DeviceKey(kind, id_)
    return None


def registered_device(
    devices: dr.DeviceRegistry, entry: TunnelHubConfigEntry, key: DeviceKey
) -> dr.DeviceEntry | None:
    """Return a device in the registry; None if there is none."""
    return devices.async_get_device_by_identifier(device_identifier(entry, key), entry.entry_id)


def subentry_id(entry: TunnelHubConfigEntry, resource_id: str) -> str | None:
    """Return the subentry that a resource belongs to: it has the same id. None: to the entry."""
    return resource_id if resource_id in entry.subentries else None


def unique_id(entry: TunnelHubConfigEntry, key: EntityKey) -> str:
    """Return an entity's unique id in the registry."""
    return f"{id_prefix(entry)}:{key.kind}:{key.id}:{key.key}"


def registered_entity(
    entities: er.EntityRegistry, platform: str, entry: TunnelHubConfigEntry, key: EntityKey
) -> er.RegistryEntry | None:
    """Return an entity in the registry, whether it is enabled or not; None if there is none."""
    entity_id = entities.async_get_entity_id(platform, DOMAIN, unique_id(entry, key))
    return None if entity_id is None else entities.async_get(entity_id)


def entity_key_of(entity: er.RegistryEntry, entry: TunnelHubConfigEntry) -> EntityKey | None:
    """Return what a registered entity of an entry shows; None if it is none of ours."""
    kind, _, rest = _without_prefix(entity.unique_id, entry).partition(":")
    id_, _, key = rest.rpartition(":")
    return EntityKey(kind, id_, key) if kind and id_ and key else None


def _without_prefix(identifier: str, entry: TunnelHubConfigEntry) -> str:
    """Return what follows the entry's prefix; nothing if the identifier has another one."""
    prefix = f"{id_prefix(entry)}:"
    return identifier.removeprefix(prefix) if identifier.startswith(prefix) else ""
