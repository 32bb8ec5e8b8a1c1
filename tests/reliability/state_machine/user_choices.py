"""Checks the user's choices: forced-down tunnels, names, disabled entities, ignored issues."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from homeassistant.const import STATE_ON, Platform
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.entity_registry import RegistryEntryDisabler

from custom_components.tunnel_hub.const import DOMAIN

from ..faulty_world import FaultyWorld
from .checks import state_of, thing_of, things_of
from .expected import Expected
from .model import TunnelModel

type Key = tuple[str, str]
"""An entity's domain and unique id."""
type Enabled = set[bool | None]
"""The possible values of "enabled" before force down: the polled value may have been outdated."""


@dataclass(slots=True)
class Holds:
    """Forced-down tunnels, and those that were released since.

    unsure: tunnels that were deleted and restored: whether they are still held depends on timing.
    """

    held: dict[str, Enabled] = field(default_factory=dict)
    released: dict[str, Enabled] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)

    def hold(self, tunnel_id: str, before: Enabled) -> None:
        """Adds a forced-down tunnel."""
        self.released.pop(tunnel_id, None)
        self.held.setdefault(tunnel_id, before)

    def release(self, tunnel_id: str) -> None:
        """Moves a tunnel to the released ones."""
        if tunnel_id in self.held:
            self.released[tunnel_id] = self.held.pop(tunnel_id)

    def compare(self, before: Mapping[str, bool | None], after: Mapping[str, bool | None]) -> None:
        """Handles tunnels that another program enabled, disabled or deleted."""
        self.unsure |= self.held.keys() & (before.keys() - after.keys())
        for tunnel_id in list(self.released):
            if before.get(tunnel_id) != after.get(tunnel_id) or tunnel_id not in after:
                del self.released[tunnel_id]

    def check(self, world: FaultyWorld, model: TunnelModel, thing_of: Callable[[str], str]) -> None:
        """Checks that held tunnels are offline and released ones are restored."""
        there = model.tunnels()
        self.held = {id_: before for id_, before in self.held.items() if id_ in there}
        for id_ in sorted(there):
            shown = state_of(world, Platform.SWITCH, thing_of(id_), "force_down")
            if id_ in self.unsure and shown is not None:
                self.held.pop(id_, None)
                if shown == STATE_ON:
                    self.held[id_] = {True, False}
            is_held = id_ in self.held
            assert shown is None or (shown == STATE_ON) is is_held, f"tunnel {id_}: held is {shown}"
            assert not is_held or model.is_down(id_), f"tunnel {id_} is held and online"
            if (wanted := self.released.get(id_)) is not None:
                enabled = model.enabled(id_)
                assert enabled in wanted, f"tunnel {id_} was released, and enabled is {enabled}"
        self.unsure.clear()


def key_of(entity: er.RegistryEntry) -> Key:
    return entity.domain, entity.unique_id


@dataclass(slots=True)
class Choices:
    """The user's choices for entities, by key, for devices, by thing, and for issues."""

    disabled: set[Key] = field(default_factory=set)
    enabled: set[Key] = field(default_factory=set)
    names: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """Name and entity id."""
    device_names: dict[str, str] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)

    def check(self, world: FaultyWorld, expected: Expected) -> None:
        """Checks the choices for existing entities and devices."""
        for entity in world.registered():
            key, thing = key_of(entity), thing_of(world, entity)[0]
            if thing not in expected.entities:
                continue
            off = entity.disabled_by is RegistryEntryDisabler.USER
            assert off is (key in self.disabled), f"{key}: {entity.disabled_by}"
            on = entity.disabled_by is None
            assert on or key not in self.enabled, f"{key}: {entity.disabled_by}"
            if named := self.names.get(key):
                assert (entity.name, entity.entity_id) == named
        for thing, device in things_of(world).items():
            if thing in self.device_names and thing in expected.devices:
                assert device.name_by_user == self.device_names[thing]

    def check_repairs(self, world: FaultyWorld) -> None:
        """Checks that ignored issues stay ignored until they are solved."""
        issues = {
            issue_id: issue
            for (domain, issue_id), issue in ir.async_get(world.hass).issues.items()
            if domain == DOMAIN and issue.active
        }
        self.ignored &= issues.keys()
        shown = {id_ for id_ in self.ignored if issues[id_].dismissed_version is None}
        assert not shown, f"ignored, and shown again: {shown}"


def rename(world: FaultyWorld, choices: Choices, entity: er.RegistryEntry, number: int) -> None:
    """Renames an entity and its entity id."""
    new = f"Mine {number}", f"{entity.domain}.mine_{number}"
    er.async_get(world.hass).async_update_entity(
        entity.entity_id, name=new[0], new_entity_id=new[1]
    )
    choices.names[key_of(entity)] = new


def rename_device(world: FaultyWorld, choices: Choices, thing: str, number: int) -> None:
    """Renames a device."""
    device = things_of(world)[thing]
    name = f"My device {number}"
    dr.async_get(world.hass).async_update_device(device.id, name_by_user=name)
    choices.device_names[thing] = name
