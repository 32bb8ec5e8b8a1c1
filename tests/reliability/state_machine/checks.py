"""What must hold whenever everything has settled."""

from collections.abc import Mapping

from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity_registry import RegistryEntryDisabler

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import id_prefix

from ..world import BadWorld
from .picture import Device, Picture, Value, shows

type Entities = Mapping[str, Mapping[str, er.RegistryEntry]]
"""By thing, and by "platform.key"."""


_AWAY: Mapping[str, Value] = {"binary_sensor.connected": False}
"""What is shown of a thing that is not there, where it is shown at all."""


def things_of(world: BadWorld) -> dict[str, dr.DeviceEntry]:
    """Return the devices by thing."""
    found = dr.async_entries_for_config_entry(dr.async_get(world.hass), world.entry.entry_id)
    prefix = f"{id_prefix(world.entry)}:"
    return {
        name.removeprefix(prefix): device
        for device in found
        for domain, name in device.identifiers
        if domain == DOMAIN
    }


def thing_of(world: BadWorld, entity: er.RegistryEntry) -> tuple[str, str]:
    """Return what an entity belongs to, and its "platform.key"."""
    thing, _, key = entity.unique_id.removeprefix(f"{id_prefix(world.entry)}:").rpartition(":")
    return thing, f"{entity.domain}.{key}"


def ids_of(world: BadWorld, named: Mapping[str, str]) -> dict[str, str]:
    """Return the things that go by another id than by their name. named: as in the model."""
    return {
        f"{kind}:{device.name}": f"{kind}:{thing.partition(':')[2]}"
        for thing, device in things_of(world).items()
        for kind, of_device in named.items()
        if _kind(thing) == of_device
    }


def entities_of(world: BadWorld) -> Entities:
    """Return the registered entities."""
    found: dict[str, dict[str, er.RegistryEntry]] = {}
    for entity in world.registered():
        thing, key = thing_of(world, entity)
        found.setdefault(thing, {})[key] = entity
    return found


def shown_by(world: BadWorld, platform: str, thing: str, key: str) -> str | None:
    """Return what an entity shows; None where there is none, or it is disabled."""
    unique_id = f"{id_prefix(world.entry)}:{thing}:{key}"
    entity_id = er.async_get(world.hass).async_get_entity_id(platform, DOMAIN, unique_id)
    state = world.hass.states.get(entity_id) if entity_id else None
    return state.state if state else None


def _kind(thing: str) -> str:
    return thing.partition(":")[0]


def asleep(entities: Entities) -> set[str]:
    """Return the kinds without an enabled entity, which are not read."""
    awake = {
        _kind(thing)
        for thing, of_thing in entities.items()
        if any(entity.disabled_by is None for entity in of_thing.values())
    }
    return {_kind(thing) for thing in entities} - awake


def check_picture(world: BadWorld, picture: Picture, off: frozenset[str]) -> None:
    """What Home Assistant shows is what the service says, all of it and nothing else."""
    entities, devices = entities_of(world), things_of(world)
    unread = asleep(entities)
    faults = [
        *_wrong_devices(devices, picture, unread),
        *_wrong_entities(entities, picture, unread),
        *_wrong_states(world, entities, picture, unread, off),
    ]
    assert not faults, "\n".join(faults)


def _wrong_devices(
    devices: Mapping[str, dr.DeviceEntry], picture: Picture, unread: set[str]
) -> list[str]:
    faults = [
        f"device {thing}: {'missing' if thing not in devices else 'too many'}"
        for thing in sorted(devices.keys() ^ picture.devices.keys())
        if _kind(thing) not in unread and thing not in picture.perhaps
    ]
    for thing, wanted in picture.devices.items():
        if (device := devices.get(thing)) and _kind(thing) not in unread:
            shown = Device(device.name, device.sw_version)
            if not (_same(shown.name, wanted.name) and _same(shown.version, wanted.version)):
                faults.append(f"device {thing}: {shown}, not {wanted}")
    return faults


def _same(shown: object, wanted: object) -> bool:
    return not isinstance(wanted, str | None) or shown == wanted


def _wrong_entities(entities: Entities, picture: Picture, unread: set[str]) -> list[str]:
    faults = []
    for thing in sorted(entities.keys() | picture.entities.keys()):
        if _kind(thing) in unread:
            continue
        if thing in picture.perhaps and not (thing in entities and thing in picture.entities):
            continue
        there, wanted = set(entities.get(thing, ())), set(picture.entities.get(thing, ()))
        if missing := wanted - there:
            faults.append(f"{thing}: without {sorted(missing)}")
        if too_many := there - wanted:
            faults.append(f"{thing}: with {sorted(too_many)}")
    return faults


def _wrong_states(
    world: BadWorld, entities: Entities, picture: Picture, unread: set[str], off: frozenset[str]
) -> list[str]:
    faults = []
    for thing, of_thing in entities.items():
        wanted = picture.entities.get(thing, _AWAY)
        for key, entity in of_thing.items():
            if key not in wanted or _kind(thing) in unread:
                continue
            if entity.disabled_by is RegistryEntryDisabler.INTEGRATION:
                if f"{_kind(thing)}.{key}" not in off and thing not in picture.unused:
                    faults.append(f"{thing} {key}: disabled")
            elif entity.disabled_by is None:
                state = world.hass.states.get(entity.entity_id)
                shown = state.state if state else "nothing"
                if not shows(shown, wanted[key]):
                    faults.append(f"{thing} {key}: {shown}, not {wanted[key]}")
    return faults
