"""Updates of programs that the user hosts."""

from dataclasses import dataclass
from functools import partial
from typing import Any, override

from homeassistant.components.update import (
    UpdateDeviceClass,
    UpdateEntity,
    UpdateEntityDescription,
    UpdateEntityFeature,
)
from homeassistant.core import callback

from .api.capabilities import capable
from .api.capabilities.mesh import MeshNode
from .api.models.mesh import Upgrade, UpgradeState
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table

PARALLEL_UPDATES = 1

_BUSY = (UpgradeState.DOWNLOADING, UpgradeState.APPLYING)


@dataclass(frozen=True, kw_only=True)
class TunnelHubUpdateDescription(TunnelHubEntityDescription, UpdateEntityDescription):
    """Describes an update entity."""

    of_field: bool = False


UPDATES: Table[TunnelHubUpdateDescription] = {
    Upgrade: (TunnelHubUpdateDescription(key="program", device_class=UpdateDeviceClass.FIRMWARE),),
}


class TunnelHubUpdate(TunnelHubEntity[Upgrade, TunnelHubUpdateDescription], UpdateEntity):
    """The update entity of a node's program."""

    entity_description: TunnelHubUpdateDescription

    @override
    def _update_attrs(self, resource: Upgrade) -> None:
        self._attr_installed_version = resource.current
        self._attr_latest_version = resource.latest
        self._attr_in_progress = resource.state in _BUSY
        self._attr_update_percentage = resource.progress if self._attr_in_progress else None
        self._attr_supported_features = (
            UpdateEntityFeature.INSTALL | UpdateEntityFeature.PROGRESS
            if resource.installable
            else UpdateEntityFeature(0)
        )

    @override
    async def async_install(self, version: str | None, backup: bool, **kwargs: Any) -> None:
        try:
            async with self._command() as data:
                await capable(data.provider, MeshNode).install_upgrade(self._show_progress)
        finally:
            self._handle_coordinator_update()

    @callback
    def _show_progress(self, percent: float | None) -> None:
        self._attr_in_progress, self._attr_update_percentage = True, percent
        self.async_write_ha_state()


async_setup_entry = partial(async_setup_table, UPDATES, TunnelHubUpdate)
