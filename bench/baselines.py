"""Baselines with the same data: bare entities, and plain listeners of a coordinator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_platforms,
)
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockPlatform,
    mock_integration,
    mock_platform,
)

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.entity import TunnelHubEntity

BASELINE = "bench_baseline"

_VALUES = {"sensor": "native_value", "binary_sensor": "is_on", "switch": "is_on"}
"""By platform, the property with an entity's value; other platforms have none."""


class BaselineFlow(ConfigFlow, domain=BASELINE):
    """An empty config flow, which Home Assistant requires to set up entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDescriptor:
    """A description of one of our entities, from which similar ones are created."""

    domain: str
    base: type[Entity]
    description: EntityDescription
    feed: str
    resource_id: str
    unique_id: str
    name: str | None
    device: str
    device_name: str
    value: Any
    attributes: Mapping[str, Any] | None


def describe_entities(hass: HomeAssistant, entry: ConfigEntry) -> list[EntityDescriptor]:
    """Returns descriptions of all entities of one of our entries."""
    return [
        _descriptor(platform.domain, entity)
        for platform in async_get_platforms(hass, DOMAIN)
        for entity in platform.entities.values()
        if platform.config_entry is entry and isinstance(entity, TunnelHubEntity)
    ]


def _descriptor(domain: str, entity: TunnelHubEntity[Any, Any]) -> EntityDescriptor:
    if (device := entity.device_entry) is None:
        raise LookupError(entity.entity_id)
    return EntityDescriptor(
        domain=domain,
        base=next(
            kind
            for kind in type(entity).__mro__
            if kind.__module__.startswith("homeassistant.components.")
        ),
        description=entity.entity_description,
        feed=entity.coordinator.feed.key,
        resource_id=entity.coordinator_context.resource_id,
        unique_id=f"{entity.unique_id}",
        name=entity.name if isinstance(entity.name, str) else None,
        device=device.id,
        device_name=f"{device.name}",
        value=getattr(entity, _VALUES[domain]) if domain in _VALUES else None,
        attributes=entity.extra_state_attributes,
    )


def bare(descriptor: EntityDescriptor) -> Entity:
    """Creates an entity of Home Assistant's own class with a constant state."""
    entity = _bare_class(descriptor.base)()
    _apply(entity, descriptor)
    if descriptor.domain in _VALUES:
        setattr(entity, f"_attr_{_VALUES[descriptor.domain]}", descriptor.value)
    return entity


def plain(
    coordinators: Mapping[str, DataUpdateCoordinator[Any]], descriptor: EntityDescriptor
) -> Entity:
    """Creates an entity that listens to a coordinator, as in most integrations."""
    entity: Any = _plain_class(descriptor.base, descriptor.domain)(coordinators[descriptor.feed])
    _apply(entity, descriptor)
    entity.resource_id = descriptor.resource_id
    made: Entity = entity
    return made


def _apply(entity: Entity, descriptor: EntityDescriptor) -> None:
    entity.entity_description = descriptor.description
    for name, value in {
        "unique_id": descriptor.unique_id,
        "name": descriptor.name,
        "entity_registry_enabled_default": True,
        "translation_key": descriptor.description.key,
        "extra_state_attributes": dict(descriptor.attributes or {}),
    }.items():
        setattr(entity, f"_attr_{name}", value)


@cache
def _bare_class(base: type[Entity]) -> type[Entity]:
    return type(
        f"Bare{base.__name__}",
        (base,),
        {"_attr_should_poll": False, "_attr_has_entity_name": True},
    )


@cache
def _plain_class(base: type[Entity], domain: str) -> type[Any]:
    names: dict[str, Any] = {"_attr_has_entity_name": True}
    if domain in ("sensor", "binary_sensor"):

        def _value(self: Any) -> Any:
            row, resource = self.entity_description, self.coordinator.data[self.resource_id]
            return row.value_fn(resource) if row.value_fn else getattr(resource, row.key)

        names[_VALUES[domain]] = property(_value)
    return type(f"Plain{base.__name__}", (CoordinatorEntity, base), names)


type Account = tuple[Sequence[EntityDescriptor], Callable[[EntityDescriptor], Entity]]
"""The entities of one account, and the function that creates them."""


async def baseline_entries(
    hass: HomeAssistant, accounts: Sequence[Account]
) -> list[MockConfigEntry]:
    """Adds entries of an integration that only adds entities, without setting them up."""
    entries = [MockConfigEntry(domain=BASELINE) for _ in accounts]
    by_entry = {entry.entry_id: of for entry, of in zip(entries, accounts, strict=True)}
    domains = sorted(
        {descriptor.domain for descriptors, _ in accounts for descriptor in descriptors}
    )

    async def _set_up(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        registry = dr.async_get(hass)
        descriptors, _ = by_entry[entry.entry_id]
        entry.runtime_data = {
            device: registry.async_get_or_create(
                config_entry_id=entry.entry_id,
                identifiers={(BASELINE, f"{entry.entry_id}{device}")},
                name=name,
            )
            for device, name in dict.fromkeys((r.device, r.device_name) for r in descriptors)
        }
        await hass.config_entries.async_forward_entry_setups(entry, domains)
        return True

    async def _unload(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        return await hass.config_entries.async_unload_platforms(entry, domains)

    async def _add(
        domain: str, hass: HomeAssistant, entry: ConfigEntry, add: AddConfigEntryEntitiesCallback
    ) -> None:
        descriptors, make = by_entry[entry.entry_id]
        entities = []
        for descriptor in descriptors:
            if descriptor.domain == domain:
                entities.append(make(descriptor))
                entities[-1].device_entry = entry.runtime_data[descriptor.device]
        add(entities)

    mock_integration(
        hass, MockModule(BASELINE, async_setup_entry=_set_up, async_unload_entry=_unload)
    )
    mock_platform(hass, f"{BASELINE}.config_flow")
    for domain in domains:
        platform = MockPlatform(async_setup_entry=partial(_add, domain))
        mock_platform(hass, f"{BASELINE}.{domain}", platform)
    await async_setup_component(hass, BASELINE, {})
    for entry in entries:
        entry.add_to_hass(hass)
    return entries
