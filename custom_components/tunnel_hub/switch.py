"""Switches: tunnels, features of a mesh node, and relaying."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory

from .api.capabilities import capable
from .api.capabilities.collections import CanEdit, can_toggle
from .api.capabilities.directory import NodeDirectory
from .api.capabilities.mesh import MeshNode
from .api.capabilities.tunnels import CanForceDown
from .api.models.base import Resource
from .api.models.directory import RelayNode
from .api.models.mesh import Hub, Link, Peer, Proxy, Rule, User, Vpn, VpnServer, WireGuard
from .api.models.tunnels import Tunnel
from .entity import (
    Table,
    TunnelHubEntity,
    TunnelHubEntityDescription,
    async_setup_table,
    is_editable,
)
from .force_down import ForceDown
from .runtime import TunnelHubData

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class TunnelHubSwitchDescription[R: Resource](TunnelHubEntityDescription, SwitchEntityDescription):
    """Describes a switch.

    set_fn: sends the command.
    is_on_fn: returns its state if that is not a field of the resource.
    attributes_fn: returns its extra state attributes.
    """

    set_fn: Callable[[TunnelHubData, str, bool], Awaitable[None]]
    is_on_fn: Callable[[TunnelHubData, R], bool | None] | None = None
    attributes_fn: Callable[[TunnelHubData], Mapping[str, str]] | None = None


async def _set_enabled(data: TunnelHubData, tunnel_id: str, on: bool) -> None:
    if data.force_down is not None:
        await data.force_down.async_set_enabled(tunnel_id, enabled=on)
    else:
        await capable(data.provider, CanEdit).set_enabled(Tunnel, tunnel_id, enabled=on)


def _is_held(data: TunnelHubData, tunnel: Tunnel) -> bool:
    return data.force_down is not None and data.force_down.holds(tunnel.id)


async def _set_held(data: TunnelHubData, tunnel_id: str, on: bool) -> None:
    force_down = capable(data.force_down, ForceDown)
    await (force_down.async_hold(tunnel_id) if on else force_down.async_release(tunnel_id))


def _how_held(data: TunnelHubData) -> Mapping[str, str]:
    """Return the attribute with the method that Force down uses for this service."""
    can_disable = can_toggle(data.provider, Tunnel)
    return {"method": "disable_and_kick" if can_disable else "kick"}


async def _set_allow_relay(data: TunnelHubData, node_id: str, on: bool) -> None:
    await capable(data.provider, NodeDirectory).set_allow_relay(node_id, allowed=on)


def _toggle(of: type[Resource]) -> TunnelHubSwitchDescription[Any]:
    """Return the switch that enables and disables a resource."""

    async def _set(data: TunnelHubData, resource_id: str, on: bool) -> None:
        await capable(data.provider, CanEdit).set_enabled(of, resource_id, enabled=on)

    return TunnelHubSwitchDescription[Any](key="enabled", toggles=of, set_fn=_set)


def _setting(
    key: str, capability: type, set_fn: Callable[[TunnelHubData, str, bool], Awaitable[None]]
) -> TunnelHubSwitchDescription[Any]:
    """Return the switch of a setting. capability: of the providers that have it."""
    return TunnelHubSwitchDescription[Any](
        key=key, entity_category=EntityCategory.CONFIG, needs=(capability,), set_fn=set_fn
    )


def _server(server: VpnServer) -> TunnelHubSwitchDescription[Any]:
    async def _set(data: TunnelHubData, _: str, on: bool) -> None:
        await capable(data.provider, MeshNode).set_server_enabled(server, enabled=on)

    return _setting(f"{server}_enabled", MeshNode, _set)


async def _set_exit_node(data: TunnelHubData, _: str, on: bool) -> None:
    await capable(data.provider, MeshNode).set_exit_node(enabled=on)


def _nested(of: type[Link | Peer]) -> TunnelHubSwitchDescription[Any]:
    """Return the switch that shows the nodes behind a peer."""

    async def _set(data: TunnelHubData, peer_id: str, on: bool) -> None:
        await capable(data.provider, MeshNode).set_peer_nested(of, peer_id, nested=on)

    return _setting("nested", MeshNode, _set)


SWITCHES: Table[TunnelHubSwitchDescription[Any]] = {
    Tunnel: (
        TunnelHubSwitchDescription[Tunnel](
            key="enabled",
            toggles=Tunnel,
            of_resource=is_editable,
            set_fn=_set_enabled,
        ),
        TunnelHubSwitchDescription[Tunnel](
            key="force_down",
            needs=(CanForceDown,),
            of_field=False,
            of_resource=is_editable,
            is_on_fn=_is_held,
            set_fn=_set_held,
            attributes_fn=_how_held,
        ),
    ),
    Hub: (_setting("exit_node", MeshNode, _set_exit_node),),
    Link: (_nested(Link),),
    Peer: (_toggle(Peer), _nested(Peer)),
    Proxy: (_toggle(Proxy),),
    RelayNode: (_setting("allow_relay", NodeDirectory, _set_allow_relay),),
    Rule: (_toggle(Rule),),
    User: (_toggle(User),),
    Vpn: (_server(VpnServer.L2TP),),
    WireGuard: (_server(VpnServer.WIREGUARD),),
}


class TunnelHubSwitch[R: Resource](TunnelHubEntity[R, TunnelHubSwitchDescription[R]], SwitchEntity):
    """A switch of a resource."""

    entity_description: TunnelHubSwitchDescription[R]

    @override
    def _update_attrs(self, resource: R) -> None:
        description = self.entity_description
        if description.attributes_fn is not None:
            self._attr_extra_state_attributes = dict(description.attributes_fn(self._data))
        self._attr_is_on = (
            description.is_on_fn(self._data, resource)
            if description.is_on_fn
            else getattr(resource, description.key)
        )

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        await self._set(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        await self._set(False)

    async def _set(self, on: bool) -> None:
        async with self._command() as data:
            await self.entity_description.set_fn(data, self._id, on)
            if self.entity_description.of_field:
                self._assume(on)


async_setup_entry = partial(async_setup_table, SWITCHES, TunnelHubSwitch)
