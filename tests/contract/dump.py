"""Returns devices, entities, stored data, actions and automations as lines of text."""

from collections.abc import Awaitable, Iterable, Iterator, Mapping
import json
from typing import Any, cast

from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_USER
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Context, HomeAssistant, Service, ServiceCall, State
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import (
    condition,
    device_registry as dr,
    entity_registry as er,
    service,
    trigger,
)
import voluptuous as vol

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import id_prefix

from ..common import World

_IN_FIELD_LINE = {
    "device_class",
    "event_types",
    "friendly_name",
    "options",
    "state_class",
    "supported_features",
    "unit_of_measurement",
}
"""Attributes that all entities of a field share."""
_RANDOM = {"access_token", "entity_picture"}


def _text(value: object) -> str:
    """Returns a value in one line."""
    text = (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    )
    return text.replace("\n", "\\n")


def _facts(**facts: object) -> str:
    """Returns facts as text; true ones as their name only, empty ones not at all."""
    return ", ".join(
        name if value is True else f"{name} {_text(value)}"
        for name, value in facts.items()
        if value not in (None, "", [], {}, False, 0)
    )


# Devices


def devices(world: World[Any]) -> Iterator[str]:
    """Returns a line for each device."""
    registry = dr.async_get(world.hass)
    for device in dr.async_entries_for_config_entry(registry, world.entry.entry_id):
        via = device.via_device_id and registry.async_get(device.via_device_id)
        facts = _facts(
            manufacturer=device.manufacturer,
            model=device.model,
            model_id=device.model_id,
            serial=device.serial_number,
            sw=device.sw_version,
            hw=device.hw_version,
            url=device.configuration_url,
            service=device.entry_type is dr.DeviceEntryType.SERVICE,
            via=via and _thing(via, world.entry),
        )
        yield f"{_thing(device, world.entry)} {device.name!r}: {facts}"


def _thing(device: dr.AnyDeviceEntry, entry: ConfigEntry) -> str:
    """Returns a device's identifier without the entry's prefix."""
    ((domain, identifier),) = device.identifiers
    assert domain == DOMAIN
    assert identifier.startswith(f"{id_prefix(entry)}:")
    return identifier.removeprefix(f"{id_prefix(entry)}:")


# Entities


async def entities(world: World[Any]) -> tuple[list[str], list[str]]:
    """Returns a line for each field of each kind of device, and one for each entity's state.

    A field that differs between devices of a kind has several lines, with their ids.
    """
    disabled = {entity.entity_id for entity in world.registered() if entity.disabled_by}
    await world.enable_all()
    fields: dict[str, dict[str, list[str]]] = {}
    states = []
    for entity in world.registered():
        prefix = f"{id_prefix(world.entry)}:"
        assert entity.unique_id.startswith(prefix)
        kind, _, rest = entity.unique_id.removeprefix(prefix).partition(":")
        id_, _, key = rest.rpartition(":")
        field = f"{kind}.{key} {entity.domain}"
        facts = _field(world, entity, f"{kind}:{id_}", entity.entity_id in disabled)
        fields.setdefault(field, {}).setdefault(facts, []).append(id_)
        state = world.hass.states.get(entity.entity_id)
        assert state, entity.entity_id
        states.append(f"{kind}:{id_}:{key} {entity.domain} = {_value(state)}")
    return (
        [
            f"{field}{f' ({", ".join(sorted(ids))})' if len(variants) > 1 else ''}: {facts}"
            for field, variants in fields.items()
            for facts, ids in variants.items()
        ],
        states,
    )


def _field(world: World[Any], entity: er.RegistryEntry, thing: str, disabled: bool) -> str:
    device = entity.device_id and dr.async_get(world.hass).async_get(entity.device_id)
    kind, _, id_ = thing.partition(":")
    assert device
    owner = _thing(device, world.entry)
    of = owner if not owner.endswith(f":{id_}") else owner.removesuffix(f":{id_}")
    key = entity.unique_id.rpartition(":")[2]
    state = world.hass.states.get(entity.entity_id)
    assert state
    return _facts(
        name=entity.original_name or "(the device's)",
        on=of if of != kind else None,
        translation_key="none"
        if entity.translation_key is None
        else entity.translation_key
        if entity.translation_key != key
        else None,
        without_device_name=not entity.has_entity_name,
        icon=entity.original_icon,
        hidden=entity.hidden_by,
        category=entity.entity_category,
        disabled=disabled,
        device_class=entity.original_device_class,
        unit=entity.unit_of_measurement,
        shown_unit=state.attributes.get("unit_of_measurement")
        if state.attributes.get("unit_of_measurement") != entity.unit_of_measurement
        else None,
        features=entity.supported_features,
        **(entity.capabilities or {}),
        **{f"{domain} options": dict(options) for domain, options in entity.options.items()},
    )


def _value(state: State) -> str:
    """Returns a state with its unit and its own attributes."""
    unit = state.attributes.get("unit_of_measurement")
    attributes = {
        str(name): value
        for name, value in state.attributes.items()
        if name not in _IN_FIELD_LINE | _RANDOM
    }
    return " ".join(
        _text(part) for part in (state.state, unit, attributes) if part not in (None, "", {})
    )


# Stored data


def entry(world: World[Any]) -> Iterator[str]:
    """Returns the stored data of an entry, without values."""
    config = world.entry
    yield f"entry: version {config.version}.{config.minor_version}, id {config.unique_id}"
    yield f"identifiers: {id_prefix(config)}:..."
    yield f"data: {shape(dict(config.data))}"
    yield f"options: {_text(dict(config.options))}"


def files(world: World[Any], storage: Mapping[str, Any]) -> Iterator[str]:
    """Returns the shape of each storage file of an entry."""
    prefix = f"{DOMAIN}.{world.entry.entry_id}"
    for name, file in storage.items():
        if name.startswith(DOMAIN):
            assert name.startswith(prefix)
            versions = f"{file['version']}.{file['minor_version']}"
            yield f"{DOMAIN}.ENTRY{name.removeprefix(prefix)} {versions}: {shape(file['data'])}"


def shape(*data: object) -> str:
    """Returns the names and types in stored data; several types are separated by |."""
    rows = [value for value in data if isinstance(value, dict)]
    names = sorted({name for row in rows for name in row})
    fields = (f"{name}: {shape(*(row[name] for row in rows if name in row))}" for name in names)
    lists = [value for value in data if isinstance(value, list)]
    shapes = {
        "null" if value is None else type(value).__name__
        for value in data
        if not isinstance(value, dict | list)
    }
    if rows:
        shapes.add(f"{{{', '.join(fields)}}}")
    if lists:
        shapes.add(f"[{shape(*(item for items in lists for item in items))}]")
    return "|".join(sorted(shapes))


# Actions and automations


async def actions(hass: HomeAssistant) -> list[str]:
    """Returns our actions with their fields (* is required) and permissions."""
    await hass.auth.async_create_user("owner", group_ids=[GROUP_ID_ADMIN])
    user = await hass.auth.async_create_user("user", group_ids=[GROUP_ID_USER])
    context = Context(user_id=user.id)
    descriptions = (await service.async_get_all_descriptions(hass))[DOMAIN]
    lines = []
    for name, action in hass.services.async_services_for_domain(DOMAIN).items():
        call = ServiceCall(hass, DOMAIN, name, {}, context)
        facts = _facts(
            admin=await _is_for_administrators(action, call),
            response=str(action.supports_response),
        )
        lines.append(f"{name}({', '.join(_fields(action, descriptions[name]['fields']))}): {facts}")
    return lines


def _fields(action: Service, descriptions: Mapping[str, Any]) -> Iterator[str]:
    assert isinstance(action.schema, vol.Schema)
    for marker in sorted(action.schema.schema, key=str):
        required = "*" if isinstance(marker, vol.Required) else ""
        default = "" if isinstance(marker.default, vol.Undefined) else f"={marker.default()!r}"
        selector = descriptions.get(str(marker), {}).get("selector", {})
        models = sorted(chosen["model"] for chosen in selector.get("device", {}).get("filter", []))
        yield f"{marker}{required}{default}{f' of {"/".join(models)}' if models else ''}"


async def _is_for_administrators(action: Service, call: ServiceCall) -> bool:
    """Returns whether users are refused before the target is validated."""
    try:
        await cast("Awaitable[None]", action.job.target(call))
    except Unauthorized:
        return True
    except KeyError:
        return False
    raise AssertionError("a call without its required fields was answered")


async def automations(hass: HomeAssistant) -> list[str]:
    """Returns our triggers and conditions with their fields (* is required)."""
    by_kind = {
        "trigger": await trigger.async_get_all_descriptions(hass),
        "condition": await condition.async_get_all_descriptions(hass),
    }
    return [
        f"{kind} {name}({', '.join(_fields_of(description['fields']))}): {_targets(description)}"
        for kind, descriptions in by_kind.items()
        for name, description in descriptions.items()
        if description is not None and name.startswith(f"{DOMAIN}.")
    ]


def _fields_of(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, field in sorted(fields.items()):
        yield f"{name}{'*' if field.get('required') else ''}={field.get('default')!r}"


def _targets(description: Mapping[str, Any]) -> str:
    target = description["target"]
    return _facts(
        devices=[chosen["model"] for chosen in target.get("device", [])],
        entities=[
            [*chosen["domain"], *chosen.get("device_class", [])] for chosen in target["entity"]
        ],
    )


def section(title: str, lines: Iterable[str]) -> str:
    """Returns lines in order, under a title."""
    return "\n".join([f"== {title}", *sorted(lines), ""])
