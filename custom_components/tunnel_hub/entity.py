"""What all entities share: where their value comes from, when they exist and when they write."""

from collections.abc import AsyncIterator, Callable, Container, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, override

from homeassistant.core import HomeAssistant, callback, valid_entity_id
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from homeassistant.util import slugify

from .api.capabilities.collections import can_toggle
from .api.feed import Feed
from .api.models.base import Resource
from .api.models.tunnels import Tunnel
from .api.provider import Provider
from .api.throttling import in_time_slices
from .coordinator import FeedCoordinator
from .exceptions import action_errors
from .ids import EntityKey, device_key, registered_device, registered_entity, subentry_id, unique_id
from .runtime import TunnelHubConfigEntry, TunnelHubData
from .subscriptions import Subscription


@dataclass(frozen=True, kw_only=True)
class TunnelHubEntityDescription(EntityDescription):
    """A row of a platform's table.

    key: the field of the resource that it shows, or the name of its command; also the
    translation key.
    needs: the capability protocols without which it makes no sense.
    toggles: what it enables and disables, if it does.
    of_field: whether the feed must be able to tell the field `key`.
    of_resource: whether a resource can have this at all; every one can where it is None.
    """

    needs: tuple[type, ...] = ()
    toggles: type[Resource] | None = None
    of_field: bool = True
    of_resource: Callable[[Any], bool] | None = None

    def exists_for(self, provider: Provider, feed: Feed[Resource]) -> bool:
        """Tell whether this service has what the row shows or does; some versions may lack it."""
        return (
            (not self.of_field or self.key in feed.fields)
            and all(isinstance(provider, needed) for needed in self.needs)
            and (self.toggles is None or can_toggle(provider, self.toggles))
        )

    def fits(self, resource: Resource) -> bool:
        """Tell whether a resource has what the row shows or does."""
        return self.of_resource is None or self.of_resource(resource)

    def is_among(self, fields: Container[str]) -> bool:
        """Tell whether the row shows one of these fields."""
        return self.of_field and self.key in fields


def is_editable(tunnel: Tunnel) -> bool:
    """Tell whether a tunnel can be switched, which may not be so for every one of a service."""
    return tunnel.editable is not False


MAX_OBJECT_ID_PREFIX = 160
"""Characters of an entity id that come from the names of area and device. Home Assistant cuts ids
after 255, wherever that is, and refuses one that then ends with an underscore.
"""

type Table[D: TunnelHubEntityDescription] = Mapping[type[Resource], tuple[D, ...]]


class TunnelHubEntity[R: Resource, D: TunnelHubEntityDescription](
    CoordinatorEntity[FeedCoordinator]
):
    """The entity for one row of a table and one resource."""

    _attr_has_entity_name = True
    coordinator_context: Subscription
    entity_description: D

    def __init__(self, coordinator: FeedCoordinator, resource: R, description: D) -> None:
        """Prepare; the value is read when the entity is added."""
        super().__init__(coordinator, Subscription(resource.id, description.key))
        entry = coordinator.config_entry
        self.entity_description = description
        # Home Assistant takes it from the entry when that is unloaded, perhaps during a command.
        self._data = entry.runtime_data
        self._attr_unique_id = unique_id(entry, _key(coordinator, resource.id, description.key))
        self._attr_translation_key = description.key
        self._attr_entity_registry_enabled_default = (
            description.entity_registry_enabled_default and resource.enabled_by_default
        )
        self.device_entry = registered_device(
            dr.async_get(coordinator.hass), entry, device_key(resource)
        )

    @property
    def _id(self) -> str:
        return self.coordinator_context.resource_id

    @property
    def resource(self) -> R | None:
        """The resource as last read; None while the service does not list it."""
        return self.coordinator.data.get(self._id)  # type: ignore[return-value]  # Each feed is of one class.

    @property
    @override
    def available(self) -> bool:
        return self.coordinator.available and self.resource is not None

    def _update_attrs(self, resource: R) -> None:
        """Update the attributes from the resource."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self._refresh()

    @callback
    def _refresh(self) -> None:
        if (resource := self.resource) is not None:
            self._update_attrs(resource)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._refresh()
        self.async_write_ha_state()

    @override
    async def async_update(self) -> None:
        """Read again what this entity shows, as someone wishes: of what is probed, only this."""
        await self.coordinator.async_read_back(self._id)

    @asynccontextmanager
    async def _command(self) -> AsyncIterator[TunnelHubData]:
        """Send a command with translated errors, then read back what became of it."""
        try:
            with action_errors(self.hass, self.coordinator.config_entry):
                yield self._data
        finally:
            await self.coordinator.async_read_back(self._id)

    @callback
    def _assume(self, value: object) -> None:
        """Show what a command has changed."""
        self.coordinator.async_assume(self._id, **{self.entity_description.key: value})


async def async_setup_table[D: TunnelHubEntityDescription](
    table: Table[D],
    create: Callable[[FeedCoordinator, Any, D], TunnelHubEntity[Any, D]],
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up a platform: make the entities of all resources, now and whenever new ones come."""
    domain = async_get_current_platform().domain
    for coordinator in entry.runtime_data.coordinators.values():
        if rows := table.get(coordinator.feed.resource):
            await _Entities(coordinator, domain, rows, create, async_add_entities).async_follow()


class _Entities[D: TunnelHubEntityDescription]:
    """Keeps the entities of one platform in step with one feed: with its resources and fields."""

    def __init__(
        self,
        coordinator: FeedCoordinator,
        domain: str,
        rows: Iterable[D],
        create: Callable[[FeedCoordinator, Any, D], TunnelHubEntity[Any, D]],
        async_add_entities: AddConfigEntryEntitiesCallback,
    ) -> None:
        """Make nothing yet. domain: the platform's, such as "sensor"."""
        provider, feed = coordinator.provider, coordinator.feed
        self._coordinator = coordinator
        self._domain = domain
        self._rows = [row for row in rows if row.exists_for(provider, feed)]
        self._unavailable_rows = [row for row in rows if not row.exists_for(provider, feed)]
        self._create = create
        self._async_add_entities = async_add_entities
        self._registry = er.async_get(coordinator.hass)
        self._made: dict[str, frozenset[str]] = {}
        self._key_sets: dict[frozenset[str], frozenset[str]] = {}

    async def async_follow(self) -> None:
        """Make the entities that there are to be, and follow what comes, changes and goes."""
        coordinator = self._coordinator
        subscriptions = coordinator.subscriptions
        subscriptions.on_gone.append(self._forget)
        subscriptions.on_fields.append(self._update)
        if coordinator.feed.resource.may_be_enabled_later:
            subscriptions.on_changed.append(self._enable)
        if any(row.of_resource for row in self._rows):
            subscriptions.on_changed.append(self._update_if_other)
        await in_time_slices(list(coordinator.existence.known), self._remove_missing)
        await coordinator.async_on_added(self._add)

    @callback
    def _update(self, resource_id: str) -> None:
        """Make the entities of fields that are told now, and remove those of missing ones."""
        self._remove_missing(resource_id)
        self._add(resource_id)

    @callback
    def _update_if_other(self, resource_id: str) -> None:
        """Follow a resource that can have something now, or no longer."""
        resource = self._coordinator.data.get(resource_id)
        made = self._made.get(resource_id, frozenset())
        if resource is not None and any(
            row.of_resource is not None and row.fits(resource) is not (row.key in made)
            for row in self._rows
        ):
            self._update(resource_id)

    @callback
    def _add(self, resource_id: str) -> None:
        """Make the entities that a resource has not got yet."""
        if (resource := self._coordinator.data.get(resource_id)) is None:
            return
        self._enable(resource_id)
        made = self._made.get(resource_id, frozenset())
        lacking = self._coordinator.existence.lacking
        rows = [
            row
            for row in self._rows
            if row.key not in made and not row.is_among(lacking) and row.fits(resource)
        ]
        if not rows:
            return
        self._remember_keys(resource_id, made | {row.key for row in rows})
        entities = [self._create(self._coordinator, resource, row) for row in rows]
        if (prefix := self._short_prefix(entities[0].device_entry)) is not None:
            for entity in entities:
                self._shorten(entity, prefix)
        self._async_add_entities(
            entities, config_subentry_id=subentry_id(self._coordinator.config_entry, resource_id)
        )

    def _remember_keys(self, resource_id: str, keys: frozenset[str]) -> None:
        """Remember which entities of a resource are made; most have the same ones."""
        self._made[resource_id] = self._key_sets.setdefault(keys, keys)

    @callback
    def _forget(self, resource_id: str) -> None:
        """Forget a resource that is gone; its entities are removed with it."""
        self._made.pop(resource_id, None)

    @callback
    def _remove_missing(self, resource_id: str) -> None:
        """Remove the entities of rows that the service, or this version of it, does not have."""
        missing = self._coordinator.existence.missing
        resource = self._coordinator.data.get(resource_id)
        rows = self._unavailable_rows + [
            row
            for row in self._rows
            if row.is_among(missing) or not (resource is None or row.fits(resource))
        ]
        for row in rows:
            if (entity := self._registered(resource_id, row)) is not None:
                self._registry.async_remove(entity.entity_id)
        if made := self._made.get(resource_id):
            self._remember_keys(resource_id, made - {row.key for row in rows})

    @callback
    def _enable(self, resource_id: str) -> None:
        """Enable what only we have disabled, because the resource did not matter then."""
        resource = self._coordinator.data.get(resource_id)
        if resource is None or not (resource.may_be_enabled_later and resource.enabled_by_default):
            return
        for row in self._rows:
            entity = self._registered(resource_id, row)
            if (
                entity is not None
                and entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION
                and row.entity_registry_enabled_default
            ):
                self._registry.async_update_entity(entity.entity_id, disabled_by=None)

    def _registered(self, resource_id: str, row: D) -> er.RegistryEntry | None:
        """Return a resource's registered entity for a row."""
        key = _key(self._coordinator, resource_id, row.key)
        return registered_entity(self._registry, self._domain, self._coordinator.config_entry, key)

    def _short_prefix(self, device: dr.AnyDeviceEntry | None) -> str | None:
        """Return what entity ids begin with when names are too long for them; None if not."""
        if device is None:
            return None
        name = device.name_by_user or device.name or ""
        area = ar.async_get(self._coordinator.hass).async_get_area(device.area_id or "")
        names = f"{area.name} {name}" if area else name
        # Of other scripts, one character becomes several.
        if len(names if names.isascii() else slugify(names)) <= MAX_OBJECT_ID_PREFIX:
            return None
        return slugify(name)[:MAX_OBJECT_ID_PREFIX].strip("_")

    def _shorten(self, entity: TunnelHubEntity[Any, D], prefix: str) -> None:
        """Give an entity an id that is short enough, also if it has had an invalid one."""
        row = entity.entity_description
        entity.entity_id = f"{self._domain}.{prefix}_{row.key}"
        registered = self._registered(entity.coordinator_context.resource_id, row)
        if registered is not None and not valid_entity_id(registered.entity_id):
            self._registry.async_update_entity(
                registered.entity_id,
                new_entity_id=self._registry.async_get_available_entity_id(
                    self._domain, f"{prefix}_{row.key}"
                ),
            )


def _key(coordinator: FeedCoordinator, resource_id: str, key: str) -> EntityKey:
    return EntityKey(coordinator.feed.resource.kind, resource_id, key)
