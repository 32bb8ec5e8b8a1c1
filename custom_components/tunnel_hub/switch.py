"""Tunnels on and off."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.errors import InvalidInputError
from .api.provider import CanForceDown, CanToggleTunnels, capable
from .api.resource import Resource, Tunnel
from .coordinator import TunnelHubConfigEntry, TunnelHubData
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table
from .force_down import ForceDown

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class TunnelHubSwitchDescription[R: Resource](TunnelHubEntityDescription, SwitchEntityDescription):
    """A switch.

    is_on_fn: its state. set_fn: the command. after_fn: the resource as it should be after
    the command, shown until the service has been read again. attributes_fn: what else to tell.
    """

    is_on_fn: Callable[[TunnelHubData, R], bool | None]
    set_fn: Callable[[TunnelHubData, str, bool], Awaitable[None]]
    after_fn: Callable[[R, bool], R] = lambda resource, _: resource
    attributes_fn: Callable[[TunnelHubData], Mapping[str, str]] | None = None


async def _set_enabled(data: TunnelHubData, tunnel_id: str, on: bool) -> None:
    """Enable or disable a tunnel; one that is held down cannot be enabled."""
    if on and data.force_down is not None and data.force_down.holds(tunnel_id):
        raise InvalidInputError("held_down")
    await capable(data.provider, CanToggleTunnels).set_tunnel_enabled(tunnel_id, enabled=on)


def _is_held(data: TunnelHubData, tunnel: Tunnel) -> bool:
    return data.force_down is not None and data.force_down.holds(tunnel.id)


async def _set_held(data: TunnelHubData, tunnel_id: str, on: bool) -> None:
    force_down = capable(data.force_down, ForceDown)
    await (force_down.async_hold(tunnel_id) if on else force_down.async_release(tunnel_id))


def _how_held(data: TunnelHubData) -> Mapping[str, str]:
    """Tell what holding down does at this service."""
    can_disable = isinstance(data.provider, CanToggleTunnels)
    return {"method": "disable_and_kick" if can_disable else "kick"}


SWITCHES: Table[TunnelHubSwitchDescription[Any]] = {
    Tunnel: (
        TunnelHubSwitchDescription[Tunnel](
            key="enabled",
            needs=(CanToggleTunnels,),
            is_on_fn=lambda _, tunnel: tunnel.enabled,
            set_fn=_set_enabled,
            after_fn=lambda tunnel, on: replace(tunnel, enabled=on),
        ),
        TunnelHubSwitchDescription[Tunnel](
            key="force_down",
            needs=(CanForceDown,),
            of_field=False,
            is_on_fn=_is_held,
            set_fn=_set_held,
            attributes_fn=_how_held,
        ),
    ),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the switches of an entry."""
    await async_setup_table(entry, async_add_entities, SWITCHES, TunnelHubSwitch)


class TunnelHubSwitch[R: Resource](TunnelHubEntity[R, TunnelHubSwitchDescription[R]], SwitchEntity):
    """One thing of a resource that is on or off."""

    entity_description: TunnelHubSwitchDescription[R]

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, str] | None:
        if (attributes_fn := self.entity_description.attributes_fn) is None:
            return None
        return attributes_fn(self.coordinator.config_entry.runtime_data)

    @override
    def _read(self, resource: R) -> bool:
        is_on = self.entity_description.is_on_fn(
            self.coordinator.config_entry.runtime_data, resource
        )
        if is_on == self._attr_is_on:
            return False
        self._attr_is_on = is_on
        return True

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        await self._set(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        await self._set(False)

    async def _set(self, on: bool) -> None:
        async with self._command() as data:
            await self.entity_description.set_fn(data, self._id, on)
            if (resource := self.resource) is not None:
                self.coordinator.async_publish(self.entity_description.after_fn(resource, on))
                self._handle_coordinator_update()
