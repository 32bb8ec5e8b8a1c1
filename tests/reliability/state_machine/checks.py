"""Compares devices, entities and states with the expected ones."""

from collections.abc import Mapping

from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity_registry import RegistryEntryDisabler

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import id_prefix

from ..faulty_world import FaultyWorld
from .expected import Device, Expected, Value, shows

type Entities = Mapping[str, Mapping[str, er.RegistryEntry]]
"""By thing, such as "tunnel:1", and by "platform.key"."""


_REMOVED: Mapping[str, Value] = {"binary_sensor.connected": False}
"""States of a thing that no longer exists, where it still has entities."""


def things_of(world: FaultyWorld) -> dict[str, dr.DeviceEntry]:
    """Returns the devices by thing."""
    found = dr.async_entries_for_config_entry(dr.async_get(world.hass), world.entry.entry_id)
    prefix = f"{id_prefix(world.entry)}:"
    return {
        name.removeprefix(prefix): device
        for device in found
        for domain, name in device.identifiers
        if domain == DOMAIN
    }


def thing_of(world: FaultyWorld, entity: er.RegistryEntry) -> tuple[str, str]:
    """Returns an entity's thing and its "platform.key"."""
    thing, _, key = entity.unique_id.removeprefix(f"{id_prefix(world.entry)}:").rpartition(":")
    return thing, f"{entity.domain}.{key}"


def ids_of(world: FaultyWorld, named: Mapping[str, str]) -> dict[str, str]:
    """Returns the ids of things that the model identifies by name. named: as in the model."""
    return {
        f"{kind}:{device.name}": f"{kind}:{thing.partition(':')[2]}"
        for thing, device in things_of(world).items()
        for kind, of_device in named.items()
        if _kind(thing) == of_device
    }


def entities_of(world: FaultyWorld) -> Entities:
    """Returns the registered entities."""
    found: dict[str, dict[str, er.RegistryEntry]] = {}
    for entity in world.registered():
        thing, key = thing_of(world, entity)
        found.setdefault(thing, {})[key] = entity
    return found


def state_of(world: FaultyWorld, platform: str, thing: str, key: str) -> str | None:
    """Returns an entity's state; None if there is none or it is disabled."""
    unique_id = f"{id_prefix(world.entry)}:{thing}:{key}"
    entity_id = er.async_get(world.hass).async_get_entity_id(platform, DOMAIN, unique_id)
    state = world.hass.states.get(entity_id) if entity_id else None
    return state.state if state else None


def _kind(thing: str) -> str:
    return thing.partition(":")[0]


def unpolled(entities: Entities) -> set[str]:
    """Returns the kinds without an enabled entity."""
    polled = {
        _kind(thing)
        for thing, of_thing in entities.items()
        if any(entity.disabled_by is None for entity in of_thing.values())
    }
    return {_kind(thing) for thing in entities} - polled


def check_expected(world: FaultyWorld, expected: Expected, off: frozenset[str]) -> None:
    """Compares all devices, entities and states with the service's state."""
    entities, devices = entities_of(world), things_of(world)
    unpolled_kinds = unpolled(entities)
    errors = [
        *_wrong_devices(devices, expected, unpolled_kinds),
        *_wrong_entities(entities, expected, unpolled_kinds),
        *_wrong_states(world, entities, expected, unpolled_kinds, off),
    ]
    assert not errors, "\n".join(errors)


def _wrong_devices(
    devices: Mapping[str, dr.DeviceEntry], expected: Expected, unpolled_kinds: set[str]
) -> list[str]:
    errors = [
        f"device {thing}: {'missing' if thing not in devices else 'too many'}"
        for thing in sorted(devices.keys() ^ expected.devices.keys())
        if _kind(thing) not in unpolled_kinds and thing not in expected.optional
    ]
    for thing, wanted in expected.devices.items():
        if (device := devices.get(thing)) and _kind(thing) not in unpolled_kinds:
            shown = Device(device.name, device.sw_version)
            if not (_same(shown.name, wanted.name) and _same(shown.version, wanted.version)):
                errors.append(f"device {thing}: {shown}, not {wanted}")
    return errors


def _same(shown: object, wanted: object) -> bool:
    return not isinstance(wanted, str | None) or shown == wanted


def _wrong_entities(entities: Entities, expected: Expected, unpolled_kinds: set[str]) -> list[str]:
    errors = []
    for thing in sorted(entities.keys() | expected.entities.keys()):
        if _kind(thing) in unpolled_kinds:
            continue
        if thing in expected.optional and not (thing in entities and thing in expected.entities):
            continue
        there, wanted = set(entities.get(thing, ())), set(expected.entities.get(thing, ()))
        if missing := wanted - there:
            errors.append(f"{thing}: without {sorted(missing)}")
        if too_many := there - wanted:
            errors.append(f"{thing}: with {sorted(too_many)}")
    return errors


def _wrong_states(
    world: FaultyWorld,
    entities: Entities,
    expected: Expected,
    unpolled_kinds: set[str],
    off: frozenset[str],
) -> list[str]:
    errors = []
    for thing, of_thing in entities.items():
        wanted = expected.entities.get(thing, _REMOVED)
        for key, entity in of_thing.items():
            if key not in wanted or _kind(thing) in unpolled_kinds:
                continue
            if entity.disabled_by is RegistryEntryDisabler.INTEGRATION:
                if f"{_kind(thing)}.{key}" not in off and thing not in expected.unused:
                    errors.append(f"{thing} {key}: disabled")
            elif entity.disabled_by is None:
                state = world.hass.states.get(entity.entity_id)
                shown = state.state if state else "nothing"
                if not shows(shown, wanted[key]):
                    errors.append(f"{thing} {key}: {shown}, not {wanted[key]}")
    return errors
