"""Builds and parses the identifiers in Home Assistant's registries.

The identifier of a device is "prefix:kind:id", the unique id of an entity "prefix:kind:id:key".
Only the id, which comes from the service, can contain a colon. The prefix is the id that the
account had when it was added, such as "hayfrp.123", so that an account that is removed and added
again gets the same identifiers.
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
    """Identifies a device within an entry.

    kind: of the resource.
    id: of the resource at the service.
    """

    kind: str
    id: str


ACCOUNT = DeviceKey(Account.kind, Account.kind)
"""The device of the account."""


class EntityKey(NamedTuple):
    """Identifies an entity within an entry: kind and id of the resource, and key of the row."""

    kind: str
    id: str
    key: str


def device_key(resource: Resource) -> DeviceKey:
    """Return the device that a resource belongs to."""
    return DeviceKey(resource.part_of or resource.kind, resource.id)


def free_prefix(hass: HomeAssistant, unique_id: str | None) -> dict[str, str]:
    """Return the data to store for the prefix of an entry; empty if another entry uses it.

    The id of an account can change, and another account can then have the previous one.
    """
    provider, _, account_id = (unique_id or "").partition(":")
    prefix = f"{provider}.{account_id.replace('%', '%25').replace(':', '%3A')}"
    taken = {entry.data.get(CONF_ID_PREFIX) for entry in hass.config_entries.async_entries(DOMAIN)}
    return {CONF_ID_PREFIX: prefix} if account_id and prefix not in taken else {}


def stored_prefix(entry: TunnelHubConfigEntry) -> dict[str, str]:
    """Return the prefix as stored data, in the format of free_prefix."""
    return {n: value for n, value in entry.data.items() if n == CONF_ID_PREFIX}


def id_prefix(entry: TunnelHubConfigEntry) -> str:
    """Return the prefix of an entry's identifiers; the entry id if no prefix is stored."""
    prefix: str = entry.data.get(CONF_ID_PREFIX, entry.entry_id)
    return prefix


def device_identifier(entry: TunnelHubConfigEntry, key: DeviceKey) -> tuple[str, str]:
    """Return the identifier of a device in the registry."""
    return DOMAIN, f"{id_prefix(entry)}:{key.kind}:{key.id}"


def device_key_of(device: dr.AnyDeviceEntry, entry: TunnelHubConfigEntry) -> DeviceKey | None:
    """Return the key of a registered device; None if it does not belong to the entry."""
    for domain, identifier in device.identifiers:
        kind, _, id_ = _without_prefix(identifier, entry).partition(":")
        if domain == DOMAIN and kind and id_:
            return DeviceKey(kind, id_)
    return None


def registered_device(
    devices: dr.DeviceRegistry, entry: TunnelHubConfigEntry, key: DeviceKey
) -> dr.DeviceEntry | None:
    """Return the registry entry of a device, or None."""
    return devices.async_get_device_by_identifier(device_identifier(entry, key), entry.entry_id)


def subentry_id(entry: TunnelHubConfigEntry, resource_id: str) -> str | None:
    """Return the subentry of a resource, which has the same id, or None."""
    return resource_id if resource_id in entry.subentries else None


def unique_id(entry: TunnelHubConfigEntry, key: EntityKey) -> str:
    """Return the unique id of an entity."""
    return f"{id_prefix(entry)}:{key.kind}:{key.id}:{key.key}"


def registered_entity(
    entities: er.EntityRegistry, platform: str, entry: TunnelHubConfigEntry, key: EntityKey
) -> er.RegistryEntry | None:
    """Return the registry entry of an entity, enabled or not, or None."""
    entity_id = entities.async_get_entity_id(platform, DOMAIN, unique_id(entry, key))
    return None if entity_id is None else entities.async_get(entity_id)


def entity_key_of(entity: er.RegistryEntry, entry: TunnelHubConfigEntry) -> EntityKey | None:
    """Return the key of a registered entity; None if it does not belong to the entry."""
    kind, _, rest = _without_prefix(entity.unique_id, entry).partition(":")
    id_, _, key = rest.rpartition(":")
    return EntityKey(kind, id_, key) if kind and id_ and key else None


def _without_prefix(identifier: str, entry: TunnelHubConfigEntry) -> str:
    """Return an identifier without the entry's prefix; empty if the prefix is different."""
    prefix = f"{id_prefix(entry)}:"
    return identifier.removeprefix(prefix) if identifier.startswith(prefix) else ""
