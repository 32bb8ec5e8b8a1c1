"""What all entities share: where their value comes from, when they exist and when they write."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, override

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .api.feed import Feed
from .api.provider import Provider
from .api.resource import Resource
from .coordinator import FeedCoordinator, Interest, TunnelHubConfigEntry, TunnelHubData
from .devices import device_key, identifier
from .exceptions import action_errors


@dataclass(frozen=True, kw_only=True)
class TunnelHubEntityDescription(EntityDescription):
    """A row of a platform's table.

    key: the field of the resource that it shows, or the name of its command; also the
    translation key.
    needs: the capability protocols without which it makes no sense.
    of_field: whether the feed must be able to tell the field `key`.
    """

    needs: tuple[type, ...] = ()
    of_field: bool = True

    def exists_for(self, provider: Provider, feed: Feed[Resource]) -> bool:
        """Tell whether this service has what the row shows or does."""
        told = self.key in feed.fields and self.key not in feed.lacks()
        return (not self.of_field or told) and all(
            isinstance(provider, needed) for needed in self.needs
        )


type Table[D: TunnelHubEntityDescription] = Mapping[type[Resource], tuple[D, ...]]


class TunnelHubEntity[R: Resource, D: TunnelHubEntityDescription](
    CoordinatorEntity[FeedCoordinator]
):
    """One row of a table for one resource."""

    _attr_has_entity_name = True
    coordinator_context: Interest
    entity_description: D

    def __init__(self, coordinator: FeedCoordinator, resource: R, description: D) -> None:
        """Prepare; the value is read when the entity is added."""
        super().__init__(coordinator, Interest(resource.id, description.key))
        entry = coordinator.config_entry
        self.entity_description = description
        self.device_entry = dr.async_get(coordinator.hass).async_get_device_by_identifier(
            identifier(entry, device_key(resource)), entry.entry_id
        )

    @property
    def _id(self) -> str:
        return self.coordinator_context.resource_id

    @property
    def resource(self) -> R | None:
        """The resource as last read; None while the service does not list it."""
        return self.coordinator.data.get(self._id)  # type: ignore[return-value]  # Each feed is of one class.

    # What is the same for all entities of a row, or asked for once, is not kept by each.

    @property
    @override
    def unique_id(self) -> str:
        entry_id, kind = self.coordinator.config_entry.entry_id, self.coordinator.feed.resource.kind
        return f"{entry_id}:{kind}:{self._id}:{self.entity_description.key}"

    @property
    @override
    def translation_key(self) -> str:
        return self.entity_description.key

    @property
    @override
    def entity_registry_enabled_default(self) -> bool:
        resource = self.resource
        matters = resource is None or resource.matters
        return self.entity_description.entity_registry_enabled_default and matters

    @property
    @override
    def available(self) -> bool:
        return self._attr_available

    def _read(self, resource: R) -> bool:
        """Take over the value; whether the entity looks different now."""
        return False

    @override
    async def async_added_to_hass(self) -> None:
        """Listen, and read the first value."""
        await super().async_added_to_hass()
        self._refresh()

    def _refresh(self) -> bool:
        """Take over availability and value; whether anything is different now."""
        resource = self.resource
        available = self.coordinator.available and resource is not None
        if differs := available != self._attr_available:
            self._attr_available = available
        if resource is not None:
            differs = self._read(resource) or differs
        return differs

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if self._refresh():
            self.async_write_ha_state()

    @override
    async def async_update(self) -> None:
        """Read again what this entity shows, as somebody wishes: of what is probed, only this."""
        await self.coordinator.async_read_back(self._id)

    @asynccontextmanager
    async def _command(self) -> AsyncIterator[TunnelHubData]:
        """Send a command with translated errors, then read back what became of it."""
        try:
            with action_errors(self._ask_to_sign_in_again):
                yield self.coordinator.config_entry.runtime_data
        finally:
            await self.coordinator.async_read_back(self._id)

    @callback
    def _ask_to_sign_in_again(self) -> None:
        self.coordinator.config_entry.async_start_reauth_if_available(self.hass)


async def async_setup_table[D: TunnelHubEntityDescription](
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    table: Table[D],
    create: Callable[[FeedCoordinator, Any, D], TunnelHubEntity[Any, D]],
) -> None:
    """Make a platform's entities for all resources, now and whenever new ones come."""
    for coordinator in entry.runtime_data.coordinators.values():
        rows = [
            row
            for row in table.get(coordinator.feed.resource, ())
            if row.exists_for(coordinator.provider, coordinator.feed)
        ]
        if rows:
            await coordinator.async_on_added(_adder(coordinator, async_add_entities, rows, create))


def _adder[D: TunnelHubEntityDescription](
    coordinator: FeedCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
    rows: Iterable[D],
    create: Callable[[FeedCoordinator, Any, D], TunnelHubEntity[Any, D]],
) -> Callable[[str], None]:
    """Return what adds the entities of a new resource."""

    @callback
    def _add(resource_id: str) -> None:
        if (resource := coordinator.data.get(resource_id)) is not None:
            async_add_entities(create(coordinator, resource, row) for row in rows)

    return _add
