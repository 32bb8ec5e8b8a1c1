"""What is chosen among several: by which path traffic leaves, and what TUN routes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.mesh import TUN_MODES, HasExit, Proxy, Rule, TunMode, User, WireGuardPeer
from .api.mesh_provider import CanSelectExit, CanSetTunMode
from .api.provider import capable
from .api.resource import Resource
from .coordinator import FeedCoordinator, TunnelHubConfigEntry, TunnelHubData
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table

PARALLEL_UPDATES = 1

THIS_NODE = "this_node"
"""The option for leaving at the node itself; a peer's path has no such name."""


@dataclass(frozen=True, kw_only=True)
class TunnelHubSelectDescription[R: Resource](TunnelHubEntityDescription, SelectEntityDescription):
    """A choice.

    options_fn: what can be chosen. option_fn: what is. select_fn: the command. after_fn: the
    resource as it should be after the command, shown until the service has been read again.
    """

    options_fn: Callable[[R], Sequence[str]]
    option_fn: Callable[[R], str | None]
    select_fn: Callable[[TunnelHubData, str, str], Awaitable[None]]
    after_fn: Callable[[R, str], R]


def _exit(of: type[HasExit], *, can_be_here: bool = True) -> TunnelHubSelectDescription[Any]:
    """Return the choice of an exit. can_be_here: whether it may be the node itself."""

    async def _select(data: TunnelHubData, resource_id: str, option: str) -> None:
        await capable(data.provider, CanSelectExit).select_exit(of, resource_id, _path(option))

    return TunnelHubSelectDescription[HasExit](
        key="exit_path",
        needs=(CanSelectExit,),
        options_fn=lambda resource: ([THIS_NODE] if can_be_here else []) + list(resource.exits),
        option_fn=lambda resource: THIS_NODE if resource.exit_path == "" else resource.exit_path,
        select_fn=_select,
        after_fn=lambda resource, option: replace(resource, exit_path=_path(option)),
    )


def _path(option: str) -> str:
    return "" if option == THIS_NODE else option


async def _set_tun_mode(data: TunnelHubData, _: str, option: str) -> None:
    await capable(data.provider, CanSetTunMode).set_tun_mode(option)


SELECTS: Table[TunnelHubSelectDescription[Any]] = {
    Proxy: (_exit(Proxy),),
    # A rule is there to send traffic elsewhere.
    Rule: (_exit(Rule, can_be_here=False),),
    TunMode: (
        TunnelHubSelectDescription[TunMode](
            key="tun_mode",
            needs=(CanSetTunMode,),
            options_fn=lambda _: TUN_MODES,
            option_fn=lambda node: node.tun_mode,
            select_fn=_set_tun_mode,
            after_fn=lambda node, option: replace(node, tun_mode=option),
        ),
    ),
    User: (_exit(User),),
    WireGuardPeer: (_exit(WireGuardPeer),),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the choices of an entry."""
    async_setup_table(entry, async_add_entities, SELECTS, TunnelHubSelect)


class TunnelHubSelect[R: Resource](TunnelHubEntity[R, TunnelHubSelectDescription[R]], SelectEntity):
    """One choice of a resource."""

    entity_description: TunnelHubSelectDescription[R]

    def __init__(
        self, coordinator: FeedCoordinator, resource: R, description: TunnelHubSelectDescription[R]
    ) -> None:
        """Prepare; there are no options before the first reading."""
        super().__init__(coordinator, resource, description)
        self._attr_options = []

    @override
    def _read(self, resource: R) -> bool:
        """Take over the choice; the one that is made stays possible when it is no option now."""
        chosen = self.entity_description.option_fn(resource)
        options = list(self.entity_description.options_fn(resource))
        if chosen is not None and chosen not in options:
            options.append(chosen)
        if (chosen, options) == (self._attr_current_option, self._attr_options):
            return False
        self._attr_current_option, self._attr_options = chosen, options
        return True

    @override
    async def async_select_option(self, option: str) -> None:
        async with self._command() as data:
            await self.entity_description.select_fn(data, self._id, option)
            if (resource := self.resource) is not None:
                self.coordinator.async_publish(self.entity_description.after_fn(resource, option))
