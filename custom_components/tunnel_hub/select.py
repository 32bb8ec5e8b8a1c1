"""Selects: exit paths, and the traffic that TUN mode routes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import MAX_LENGTH_STATE_STATE, EntityCategory

from .api.capabilities import capable
from .api.capabilities.mesh import MeshNode
from .api.models.base import Resource
from .api.models.mesh import TUN_MODES, MayHaveExit, Proxy, Rule, TunMode, User, WireGuardPeer
from .coordinator import FeedCoordinator
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table
from .runtime import TunnelHubData

PARALLEL_UPDATES = 1

THIS_NODE = "this_node"
"""The option for leaving at the node itself. No peer has this path."""
ATTR_NOT_CONNECTED = "not_connected"
"""The options that do not work at the moment."""


@dataclass(frozen=True, kw_only=True)
class TunnelHubSelectDescription[R: Resource](TunnelHubEntityDescription, SelectEntityDescription):
    """Describes a select.

    options_fn: returns the options.
    select_fn: sends the command.
    not_connected_fn: returns the options that do not work at the moment.
    """

    options_fn: Callable[[R], Sequence[str]]
    not_connected_fn: Callable[[R], Sequence[str]] | None = None
    select_fn: Callable[[TunnelHubData, str, str], Awaitable[None]]


def _exit(of: type[MayHaveExit], *, can_be_here: bool = True) -> TunnelHubSelectDescription[Any]:
    """Return the select for an exit.

    can_be_here: whether the node itself is an option.
    """

    async def _select(data: TunnelHubData, resource_id: str, option: str) -> None:
        await capable(data.provider, MeshNode).select_exit(of, resource_id, option)

    return TunnelHubSelectDescription[MayHaveExit](
        key="exit_path",
        needs=(MeshNode,),
        of_resource=lambda resource: resource.has_exit,
        options_fn=lambda resource: ("", *resource.exits) if can_be_here else resource.exits,
        not_connected_fn=lambda resource: resource.exits_down,
        select_fn=_select,
    )


async def _set_tun_mode(data: TunnelHubData, _: str, option: str) -> None:
    await capable(data.provider, MeshNode).set_tun_mode(option)


SELECTS: Table[TunnelHubSelectDescription[Any]] = {
    Proxy: (_exit(Proxy),),
    # A rule exists to send traffic over another node.
    Rule: (_exit(Rule, can_be_here=False),),
    TunMode: (
        TunnelHubSelectDescription[TunMode](
            key="tun_mode",
            entity_category=EntityCategory.CONFIG,
            needs=(MeshNode,),
            options_fn=lambda _: TUN_MODES,
            select_fn=_set_tun_mode,
        ),
    ),
    User: (_exit(User),),
    WireGuardPeer: (_exit(WireGuardPeer),),
}


def _label(option: str) -> str:
    """Return an option as a valid state; a very long path is cut but stays recognizable."""
    if not option:
        return THIS_NODE
    if len(option) <= MAX_LENGTH_STATE_STATE:
        return option
    mark = f"…{sha256(option.encode()).hexdigest()[:8]}"
    return option[: MAX_LENGTH_STATE_STATE - len(mark)] + mark


class TunnelHubSelect[R: Resource](TunnelHubEntity[R, TunnelHubSelectDescription[R]], SelectEntity):
    """A select entity of a resource."""

    _unrecorded_attributes = frozenset({ATTR_NOT_CONNECTED})
    entity_description: TunnelHubSelectDescription[R]

    def __init__(
        self, coordinator: FeedCoordinator, resource: R, description: TunnelHubSelectDescription[R]
    ) -> None:
        super().__init__(coordinator, resource, description)
        self._attr_options = []
        self._by_label: dict[str, str] = {}
        self._ever_chosen: dict[str, None] = {}

    @override
    def _update_attrs(self, resource: R) -> None:
        """Update the options. The current and previous ones stay, even if unavailable."""
        description = self.entity_description
        chosen = getattr(resource, description.key)
        if chosen is not None:
            self._ever_chosen[chosen] = None
        self._by_label = {
            _label(option): option
            for option in (*description.options_fn(resource), *self._ever_chosen)
        }
        self._attr_current_option = None if chosen is None else _label(chosen)
        self._attr_options = list(self._by_label)
        if description.not_connected_fn is not None:
            down = description.not_connected_fn(resource)
            self._attr_extra_state_attributes = {
                ATTR_NOT_CONNECTED: [_label(option) for option in down]
            }

    @override
    async def async_select_option(self, option: str) -> None:
        chosen = self._by_label[option]
        async with self._command() as data:
            await self.entity_description.select_fn(data, self._id, chosen)
            self._assume(chosen)


async_setup_entry = partial(async_setup_table, SELECTS, TunnelHubSelect)
