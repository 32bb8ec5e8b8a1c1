"""By which path traffic leaves."""

from dataclasses import dataclass, replace
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .api.mesh import HasExit, Proxy, Rule, User, WireGuardPeer
from .api.mesh_provider import CanSelectExit
from .api.provider import capable
from .coordinator import FeedCoordinator, TunnelHubConfigEntry
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table

PARALLEL_UPDATES = 1

THIS_NODE = "this_node"
"""The option for leaving at the node itself; a peer's path has no such name."""


@dataclass(frozen=True, kw_only=True)
class TunnelHubSelectDescription(TunnelHubEntityDescription, SelectEntityDescription):
    """The choice of an exit. of: what for. can_be_here: whether it may be the node itself."""

    key: str = "exit_path"
    needs: tuple[type, ...] = (CanSelectExit,)
    of: type[HasExit]
    can_be_here: bool = True


SELECTS: Table[TunnelHubSelectDescription] = {
    Proxy: (TunnelHubSelectDescription(of=Proxy),),
    # A rule is there to send traffic elsewhere.
    Rule: (TunnelHubSelectDescription(of=Rule, can_be_here=False),),
    User: (TunnelHubSelectDescription(of=User),),
    WireGuardPeer: (TunnelHubSelectDescription(of=WireGuardPeer),),
}


async def async_setup_entry(
    hass: HomeAssistant,
    entry: TunnelHubConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the choices of an entry."""
    async_setup_table(entry, async_add_entities, SELECTS, TunnelHubSelect)


class TunnelHubSelect[R: HasExit](TunnelHubEntity[R, TunnelHubSelectDescription], SelectEntity):
    """The exit of a resource."""

    entity_description: TunnelHubSelectDescription

    def __init__(
        self, coordinator: FeedCoordinator, resource: R, description: TunnelHubSelectDescription
    ) -> None:
        """Prepare; there are no options before the first reading."""
        super().__init__(coordinator, resource, description)
        self._attr_options = []

    @override
    def _read(self, resource: R) -> bool:
        """Take over the choice; the one that is made stays possible when its peer is away."""
        here = [THIS_NODE] if self.entity_description.can_be_here else []
        chosen = THIS_NODE if resource.exit_path == "" else resource.exit_path
        options = here + list(resource.exits)
        if chosen is not None and chosen not in options:
            options.append(chosen)
        if (chosen, options) == (self._attr_current_option, self._attr_options):
            return False
        self._attr_current_option, self._attr_options = chosen, options
        return True

    @override
    async def async_select_option(self, option: str) -> None:
        async with self._command() as data:
            path = "" if option == THIS_NODE else option
            service = capable(data.provider, CanSelectExit)
            await service.select_exit(self.entity_description.of, self._id, path)
            if (resource := self.resource) is not None:
                self.coordinator.async_publish(replace(resource, exit_path=path))
