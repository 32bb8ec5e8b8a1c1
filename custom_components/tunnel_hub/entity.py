"""The base class of all entities, and which entities exist."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Container, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import batched
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
from .api.time_slices import in_time_slices
from .coordinator import FeedCoordinator
from .exceptions import action_errors
from .ids import EntityKey, device_key, registered_device, registered_entity, subentry_id, unique_id
from .runtime import TunnelHubConfigEntry, TunnelHubData
from .subscriptions import Subscription


@dataclass(frozen=True, kw_only=True)
class TunnelHubEntityDescription(EntityDescription):
    """A row of a platform's table.

    key: the field of the resource that it shows, or the name of its command; also the translation
    key.
    needs: the capabilities that the provider must have.
    toggles: the resource that it enables and disables, if any.
    of_field: whether the feed must provide the field `key`.
    of_resource: whether a resource has this; None if every one does.

    Its entities are enabled by default if both the row (`entity_registry_enabled_default`) and the
    resource (`enabled_by_default`) say so.
    """

    needs: tuple[type, ...] = ()
    toggles: type[Resource] | None = None
    of_field: bool = True
    of_resource: Callable[[Any], bool] | None = None

    def exists_for(self, provider: Provider, feed: Feed[Resource]) -> bool:
        """Return whether a provider supports this row; some versions of a service may not."""
        return (
            (not self.of_field or self.key in feed.fields)
            and all(isinstance(provider, needed) for needed in self.needs)
            and (self.toggles is None or can_toggle(provider, self.toggles))
        )

    def fits(self, resource: Resource) -> bool:
        """Return whether this row applies to a resource."""
        return self.of_resource is None or self.of_resource(resource)

    def is_among(self, fields: Container[str]) -> bool:
        """Return whether the row shows one of these fields."""
        return self.of_field and self.key in fields


def is_editable(tunnel: Tunnel) -> bool:
    """Return whether a tunnel can be enabled and disabled; some tunnels are read-only."""
    return tunnel.editable is not False


MAX_OBJECT_ID_PREFIX = 160
"""Characters of an entity id that come from the names of area and device. Home Assistant cuts ids
after 255 characters, and refuses an id that then ends with an underscore.
"""

_BATCH = 8
"""Resources whose entities are added together at set-up, since each call starts a task."""

type Table[D: TunnelHubEntityDescription] = Mapping[type[Resource], tuple[D, ...]]


class TunnelHubEntity[R: Resource, D: TunnelHubEntityDescription](
    CoordinatorEntity[FeedCoordinator]
):
    """The entity for one row of a table and one resource."""

    _attr_has_entity_name = True
    coordinator_context: Subscription
    entity_description: D

    def __init__(self, coordinator: FeedCoordinator, resource: R, description: D) -> None:
        """Set up; the value is read when the entity is added."""
        super().__init__(coordinator, Subscription(resource.id, description.key))
        entry = coordinator.config_entry
        self.entity_description = description
        # Home Assistant removes it from the entry on unload, which can happen during a command.
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
        """The resource as last read; None if the service does not list it."""
        resource_id = self.coordinator_context.resource_id
        return self.coordinator.data.get(resource_id)  # type: ignore[return-value]  # Each feed is of one class.

    @property
    @override
    def available(self) -> bool:
        context = self.coordinator_context
        return self.coordinator.available and context.resource_id in self.coordinator.data

    def _update_attrs(self, resource: R) -> None:
        """Update the attributes from the resource."""

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        if (resource := self.resource) is not None:
            self._update_attrs(resource)

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if (resource := self.resource) is not None:
            self._update_attrs(resource)
        self.async_write_ha_state()

    @override
    async def async_update(self) -> None:
        """Read the values of this entity again; if it is probed, only this resource."""
        await self.coordinator.async_read_back(self._id)

    @asynccontextmanager
    async def _command(self) -> AsyncIterator[TunnelHubData]:
        """Send a command with translated errors, then read its result."""
        try:
            with action_errors(self.hass, self.coordinator.config_entry):
                yield self._data
        finally:
            await self.coordinator.async_read_back(self._id)

    @callback
    def _assume(self, value: object) -> None:
        """Show the expected result of a command."""
        self.coordinator.async_assume(self._id, **{self.entity_description.key: value})


async def async_setup_table[D: TunnelHubEntityDescription](
    table: Table[D],
    create: Callable[[FeedCoordinator, Any, D], TunnelHubEntity[Any, D]],
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a platform's entities for all current and future resources."""
    domain = async_get_current_platform().domain
    for coordinator in entry.runtime_data.coordinators.values():
        if rows := table.get(coordinator.feed.resource):
            await _Entities(coordinator, domain, rows, create, async_add_entities).async_follow()


class _Entities[D: TunnelHubEntityDescription]:
    """Adds and removes the entities of one platform for the resources and fields of one feed."""

    def __init__(
        self,
        coordinator: FeedCoordinator,
        domain: str,
        rows: Iterable[D],
        create: Callable[[FeedCoordinator, Any, D], TunnelHubEntity[Any, D]],
        async_add_entities: AddConfigEntryEntitiesCallback,
    ) -> None:
        provider, feed = coordinator.provider, coordinator.feed
        self._coordinator = coordinator
        self._domain = domain
        self._rows = [row for row in rows if row.exists_for(provider, feed)]
        self._unavailable_rows = [row for row in rows if not row.exists_for(provider, feed)]
        self._create = create
        self._async_add_entities = async_add_entities
        self._registry = er.async_get(coordinator.hass)
        self._made: dict[str, frozenset[str]] = {}
        self._refused: dict[str, None] = {}
        """Resources with entities beyond Home Assistant's limit for an entry, oldest first."""
        self._key_sets: dict[frozenset[str], frozenset[str]] = {}

    async def async_follow(self) -> None:
        """Add the entities of all resources, and follow changes of resources and fields."""
        coordinator = self._coordinator
        subscriptions = coordinator.subscriptions
        subscriptions.on_gone.append(self._forget)
        subscriptions.on_fields.append(self._update)
        if coordinator.feed.resource.may_be_enabled_later:
            subscriptions.on_changed.append(self._enable)
        if any(row.of_resource for row in self._rows):
            subscriptions.on_changed.append(self._update_if_rows_differ)
        await in_time_slices(list(coordinator.inventory.known), self._remove_missing)
        subscriptions.on_added.append(self._add)
        await in_time_slices(batched(list(coordinator.data), _BATCH, strict=False), self._add_all)

    @callback
    def _update(self, resource_id: str) -> None:
        """Add the entities of new fields, and remove those of missing fields."""
        self._remove_missing(resource_id)
        self._add(resource_id)

    @callback
    def _update_if_rows_differ(self, resource_id: str) -> None:
        resource = self._coordinator.data.get(resource_id)
        made = self._made.get(resource_id, frozenset())
        if resource is not None and any(
            row.of_resource is not None and row.fits(resource) is not (row.key in made)
            for row in self._rows
        ):
            self._update(resource_id)

    @callback
    def _add(self, resource_id: str) -> None:
        self._add_all((resource_id,))

    @callback
    def _add_all(self, resource_ids: Iterable[str]) -> None:
        entities = defaultdict[str | None, list[TunnelHubEntity[Any, D]]](list)
        for resource_id in resource_ids:
            subentry = subentry_id(self._coordinator.config_entry, resource_id)
            entities[subentry] += self._create_missing(resource_id)
        for subentry, created in entities.items():
            self._async_add_entities(created, config_subentry_id=subentry)
            for entity in created:
                if entity.registry_entry is None:
                    self._note_refused(entity)

    def _note_refused(self, entity: TunnelHubEntity[Any, D]) -> None:
        resource_id = entity.coordinator_context.resource_id
        self._refused[resource_id] = None
        made = self._made[resource_id] - {entity.entity_description.key}
        self._remember_keys(resource_id, made)

    def _create_missing(self, resource_id: str) -> list[TunnelHubEntity[Any, D]]:
        if (resource := self._coordinator.data.get(resource_id)) is None:
            return []
        self._enable(resource_id)
        made = self._made.get(resource_id, frozenset())
        unsupported = self._coordinator.inventory.unsupported_fields
        rows = [
            row
            for row in self._rows
            if row.key not in made and not row.is_among(unsupported) and row.fits(resource)
        ]
        if not rows:
            return []
        self._remember_keys(resource_id, made | {row.key for row in rows})
        entities = [self._create(self._coordinator, resource, row) for row in rows]
        if (prefix := self._short_prefix(entities[0].device_entry)) is not None:
            for entity in entities:
                self._shorten(entity, prefix)
        return entities

    def _remember_keys(self, resource_id: str, keys: frozenset[str]) -> None:
        """Remember which entities of a resource exist. Resources with the same ones share a set."""
        self._made[resource_id] = self._key_sets.setdefault(keys, keys)

    @callback
    def _forget(self, resource_id: str) -> None:
        """Forget a removed resource; its entities are removed with its device.

        Then there may be room for the entities of another one.
        """
        self._made.pop(resource_id, None)
        self._refused.pop(resource_id, None)
        if (waiting := next(iter(self._refused), None)) is not None:
            del self._refused[waiting]
            self._add(waiting)

    @callback
    def _remove_missing(self, resource_id: str) -> None:
        """Remove the entities of rows that this version of the service does not support."""
        missing = self._coordinator.inventory.missing_fields
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
        """Enable entities that the integration disabled because the resource was not in use."""
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
        key = _key(self._coordinator, resource_id, row.key)
        return registered_entity(self._registry, self._domain, self._coordinator.config_entry, key)

    def _short_prefix(self, device: dr.AnyDeviceEntry | None) -> str | None:
        """Return a prefix for entity ids if the names are too long, otherwise None."""
        if device is None:
            return None
        name = device.name_by_user or device.name or ""
        area = ar.async_get(self._coordinator.hass).async_get_area(device.area_id or "")
        names = f"{area.name} {name}" if area else name
        # Slugify replaces a character of another script by several.
        if len(names if names.isascii() else slugify(names)) <= MAX_OBJECT_ID_PREFIX:
            return None
        return slugify(name)[:MAX_OBJECT_ID_PREFIX].strip("_")

    def _shorten(self, entity: TunnelHubEntity[Any, D], prefix: str) -> None:
        """Give an entity a short entity id, also if it is registered with an invalid one."""
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
