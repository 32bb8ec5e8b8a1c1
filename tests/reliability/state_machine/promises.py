"""What must stay as the user wished: tunnels that are held down, names, what is disabled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from homeassistant.const import STATE_ON, Platform
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.entity_registry import RegistryEntryDisabler

from custom_components.tunnel_hub.const import DOMAIN

from ..world import BadWorld
from .checks import shown_by, thing_of, things_of
from .model import TunnelModel
from .picture import Picture

type Key = tuple[str, str]
"""An entity's domain and unique id."""
type Enabled = set[bool | None]
"""Whether a tunnel may have been enabled: what we knew of it may have been old."""


@dataclass(slots=True)
class Holds:
    """Tunnels that are held down, and those that were let go since.

    unsure: tunnels that went away and returned: whether the hold is forgotten depends on when.
    """

    held: dict[str, Enabled] = field(default_factory=dict)
    released: dict[str, Enabled] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)

    def hold(self, tunnel_id: str, before: Enabled) -> None:
        """Hold a tunnel down from now on."""
        self.released.pop(tunnel_id, None)
        self.held.setdefault(tunnel_id, before)

    def release(self, tunnel_id: str) -> None:
        """Let a tunnel be as it was."""
        if tunnel_id in self.held:
            self.released[tunnel_id] = self.held.pop(tunnel_id)

    def compare(self, before: Mapping[str, bool | None], after: Mapping[str, bool | None]) -> None:
        """Take note that others have enabled, disabled or deleted tunnels."""
        self.unsure |= self.held.keys() & (before.keys() - after.keys())
        for tunnel_id in list(self.released):
            if before.get(tunnel_id) != after.get(tunnel_id) or tunnel_id not in after:
                del self.released[tunnel_id]

    def check(self, world: BadWorld, model: TunnelModel, thing_of: Callable[[str], str]) -> None:
        """A held tunnel is down, one that was let go is as before."""
        there = model.tunnels()
        self.held = {id_: before for id_, before in self.held.items() if id_ in there}
        for id_ in sorted(there):
            shown = shown_by(world, Platform.SWITCH, thing_of(id_), "force_down")
            if id_ in self.unsure and shown is not None:
                self.held.pop(id_, None)
                if shown == STATE_ON:
                    self.held[id_] = {True, False}
            is_held = id_ in self.held
            assert shown is None or (shown == STATE_ON) is is_held, f"tunnel {id_}: held is {shown}"
            assert not is_held or model.is_down(id_), f"tunnel {id_} is held and online"
            if (wanted := self.released.get(id_)) is not None:
                enabled = model.enabled(id_)
                assert enabled in wanted, f"tunnel {id_} was let go, and enabled is {enabled}"
        self.unsure.clear()


def key_of(entity: er.RegistryEntry) -> Key:
    """Return what an entity goes by."""
    return entity.domain, entity.unique_id


@dataclass(slots=True)
class Choices:
    """What the user chose of entities, by their keys, of devices, by thing, and of repairs."""

    disabled: set[Key] = field(default_factory=set)
    enabled: set[Key] = field(default_factory=set)
    names: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """Name and entity id."""
    device_names: dict[str, str] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)

    def check(self, world: BadWorld, picture: Picture) -> None:
        """All of it is as it was chosen, of what is there."""
        for entity in world.registered():
            key, thing = key_of(entity), thing_of(world, entity)[0]
            if thing not in picture.entities:
                continue
            off = entity.disabled_by is RegistryEntryDisabler.USER
            assert off is (key in self.disabled), f"{key}: {entity.disabled_by}"
            on = entity.disabled_by is None
            assert on or key not in self.enabled, f"{key}: {entity.disabled_by}"
            if named := self.names.get(key):
                assert (entity.name, entity.entity_id) == named
        for thing, device in things_of(world).items():
            if thing in self.device_names and thing in picture.devices:
                assert device.name_by_user == self.device_names[thing]

    def check_repairs(self, world: BadWorld) -> None:
        """A repair that is ignored stays so; one that was solved may come again."""
        issues = {
            issue_id: issue
            for (domain, issue_id), issue in ir.async_get(world.hass).issues.items()
            if domain == DOMAIN and issue.active
        }
        self.ignored &= issues.keys()
        shown = {id_ for id_ in self.ignored if issues[id_].dismissed_version is None}
        assert not shown, f"ignored, and shown again: {shown}"


def rename(world: BadWorld, choices: Choices, entity: er.RegistryEntry, number: int) -> None:
    """Give an entity another name and entity id."""
    new = f"Mine {number}", f"{entity.domain}.mine_{number}"
    er.async_get(world.hass).async_update_entity(
        entity.entity_id, name=new[0], new_entity_id=new[1]
    )
    choices.names[key_of(entity)] = new


def rename_device(world: BadWorld, choices: Choices, thing: str, number: int) -> None:
    """Give a device another name."""
    device = things_of(world)[thing]
    name = f"My device {number}"
    dr.async_get(world.hass).async_update_device(device.id, name_by_user=name)
    choices.device_names[thing] = name
