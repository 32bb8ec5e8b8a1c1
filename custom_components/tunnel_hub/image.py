"""Images: QR codes that set up another device."""

from dataclasses import dataclass
from functools import partial
from typing import override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.util import dt as dt_util

from .api.capabilities import capable
from .api.capabilities.mesh import MeshNode
from .api.models.mesh import WireGuardPeer
from .coordinator import FeedCoordinator
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table
from .exceptions import action_errors

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class TunnelHubImageDescription(TunnelHubEntityDescription, ImageEntityDescription):
    """Describes an image."""

    of_field: bool = False


IMAGES: Table[TunnelHubImageDescription] = {
    WireGuardPeer: (
        TunnelHubImageDescription(
            key="qr_code",
            needs=(MeshNode,),
            # It contains a private key, which every user with access to the dashboard could copy.
            entity_registry_enabled_default=False,
        ),
    ),
}


class WireGuardQrCode(TunnelHubEntity[WireGuardPeer, TunnelHubImageDescription], ImageEntity):
    """The QR code that sets up a WireGuard peer, drawn when it is requested."""

    entity_description: TunnelHubImageDescription

    _attr_content_type = "image/png"
    _fingerprint: str | None = None

    def __init__(
        self,
        coordinator: FeedCoordinator,
        resource: WireGuardPeer,
        description: TunnelHubImageDescription,
    ) -> None:
        super().__init__(coordinator, resource, description)
        ImageEntity.__init__(self, coordinator.hass)

    @override
    def _update_attrs(self, resource: WireGuardPeer) -> None:
        if resource.fingerprint != self._fingerprint:
            self._fingerprint = resource.fingerprint
            self._attr_image_last_updated = dt_util.utcnow()

    @override
    async def async_image(self) -> bytes:
        with action_errors(self.hass, self.coordinator.config_entry):
            return await capable(self._data.provider, MeshNode).wireguard_qr(self._id)


async_setup_entry = partial(async_setup_table, IMAGES, WireGuardQrCode)
