"""Identifiers in Home Assistant's registries: the one place that builds and parses them.

A device's is "entry:kind:id", an entity's unique id "entry:kind:id:key". Only the id, which the
service chooses, can hold a colon.
"""

from typing import TYPE_CHECKING, NamedTuple

from homeassistant.helpers import device_registry as dr, entity_registry as er

from .api.models.account import Account
from .api.models.base import Resource
from .const import DOMAIN

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


def device_identifier(entry_id: str, key: DeviceKey) -> tuple[str, str]:
    """Return a device's identifier in the registry."""
    return DOMAIN, f"{entry_id}:{key.kind}:{key.id}"


def device_key_of(device: dr.AnyDeviceEntry, entry: TunnelHubConfigEntry) -> DeviceKey | None:
    """Return which thing of an entry a registered device is; None if it is none."""
    for domain, identifier in device.identifiers:
        kind, _, id_ = _without_entry(identifier, entry.entry_id).partition(":")
        if domain == DOMAIN and kind and id_:
            return DeviceKey(kind, id_)
    return None


def subentry_id(entry: TunnelHubConfigEntry, resource_id: str) -> str | None:
    """Return the subentry that a resource belongs to: it has the same id. None: to the entry."""
    return resource_id if resource_id in entry.subentries else None


def unique_id(entry_id: str, key: EntityKey) -> str:
    """Return an entity's unique id in the registry."""
    return f"{entry_id}:{key.kind}:{key.id}:{key.key}"


def registered_entity(
    entities: er.EntityRegistry, platform: str, entry_id: str, key: EntityKey
) -> er.RegistryEntry | None:
    """Return an entity in the registry, whether it is enabled or not; None if there is none."""
    entity_id = entities.async_get_entity_id(platform, DOMAIN, unique_id(entry_id, key))
    return None if entity_id is None else entities.async_get(entity_id)


def entity_key_of(entity: er.RegistryEntry) -> EntityKey | None:
    """Return what a registered entity shows; None if it is none of ours."""
    kind, _, rest = _without_entry(entity.unique_id, entity.config_entry_id or "").partition(":")
    id_, _, key = rest.rpartition(":")
    return EntityKey(kind, id_, key) if kind and id_ and key else None


def _without_entry(identifier: str, entry_id: str) -> str:
    """Return what follows the entry's id; nothing if the identifier is another entry's."""
    prefix = f"{entry_id}:"
    return identifier.removeprefix(prefix) if identifier.startswith(prefix) else ""
