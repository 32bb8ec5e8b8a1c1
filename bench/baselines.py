"""What others would make of the same data: bare entities, and plain listeners of a coordinator."""

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

RIVAL = "bench_rival"

_VALUES = {"sensor": "native_value", "binary_sensor": "is_on", "switch": "is_on"}
"""By platform, what holds an entity's value; the others' states come from elsewhere."""


class RivalFlow(ConfigFlow, domain=RIVAL):
    """Asks for nothing. Without one Home Assistant sets no entry up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that is to be known of one of our entities to make another like it."""

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


def recipes(hass: HomeAssistant, entry: ConfigEntry) -> list[Recipe]:
    """Write down all entities that one of our entries has."""
    return [
        _recipe(platform.domain, entity)
        for platform in async_get_platforms(hass, DOMAIN)
        for entity in platform.entities.values()
        if platform.config_entry is entry and isinstance(entity, TunnelHubEntity)
    ]


def _recipe(domain: str, entity: TunnelHubEntity[Any, Any]) -> Recipe:
    if (device := entity.device_entry) is None:
        raise LookupError(entity.entity_id)
    return Recipe(
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


def bare(recipe: Recipe) -> Entity:
    """Make an entity of Home Assistant's own class that shows the same for ever."""
    entity = _bare_class(recipe.base)()
    _dress(entity, recipe)
    if recipe.domain in _VALUES:
        setattr(entity, f"_attr_{_VALUES[recipe.domain]}", recipe.value)
    return entity


def plain(coordinators: Mapping[str, DataUpdateCoordinator[Any]], recipe: Recipe) -> Entity:
    """Make an entity that listens to a coordinator as most integrations have it."""
    entity: Any = _plain_class(recipe.base, recipe.domain)(coordinators[recipe.feed])
    _dress(entity, recipe)
    entity.resource_id = recipe.resource_id
    made: Entity = entity
    return made


def _dress(entity: Entity, recipe: Recipe) -> None:
    entity.entity_description = recipe.description
    for name, value in {
        "unique_id": recipe.unique_id,
        "name": recipe.name,
        "entity_registry_enabled_default": True,
        "translation_key": recipe.description.key,
        "extra_state_attributes": dict(recipe.attributes or {}),
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
            return self.entity_description.value_fn(self.coordinator.data[self.resource_id])

        names[_VALUES[domain]] = property(_value)
    return type(f"Plain{base.__name__}", (CoordinatorEntity, base), names)


type Account = tuple[Sequence[Recipe], Callable[[Recipe], Entity]]
"""The entities of one account, and how they are made."""


async def rivals(hass: HomeAssistant, accounts: Sequence[Account]) -> list[MockConfigEntry]:
    """Add entries, not yet set up, of an integration that does nothing but add entities."""
    entries = [MockConfigEntry(domain=RIVAL) for _ in accounts]
    by_entry = {entry.entry_id: of for entry, of in zip(entries, accounts, strict=True)}
    domains = sorted({recipe.domain for made_of, _ in accounts for recipe in made_of})

    async def _set_up(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        registry = dr.async_get(hass)
        made_of, _ = by_entry[entry.entry_id]
        entry.runtime_data = {
            device: registry.async_get_or_create(
                config_entry_id=entry.entry_id,
                identifiers={(RIVAL, f"{entry.entry_id}{device}")},
                name=name,
            )
            for device, name in dict.fromkeys((r.device, r.device_name) for r in made_of)
        }
        await hass.config_entries.async_forward_entry_setups(entry, domains)
        return True

    async def _unload(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        return await hass.config_entries.async_unload_platforms(entry, domains)

    async def _add(
        domain: str, hass: HomeAssistant, entry: ConfigEntry, add: AddConfigEntryEntitiesCallback
    ) -> None:
        made_of, make = by_entry[entry.entry_id]
        entities = []
        for recipe in made_of:
            if recipe.domain == domain:
                entities.append(make(recipe))
                entities[-1].device_entry = entry.runtime_data[recipe.device]
        add(entities)

    mock_integration(hass, MockModule(RIVAL, async_setup_entry=_set_up, async_unload_entry=_unload))
    mock_platform(hass, f"{RIVAL}.config_flow")
    for domain in domains:
        platform = MockPlatform(async_setup_entry=partial(_add, domain))
        mock_platform(hass, f"{RIVAL}.{domain}", platform)
    await async_setup_component(hass, RIVAL, {})
    for entry in entries:
        entry.add_to_hass(hass)
    return entries
