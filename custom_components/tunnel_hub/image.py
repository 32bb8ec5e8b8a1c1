"""Images: QR codes that set up another device."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.util import dt as dt_util

from .api.capabilities import capable
from .api.capabilities.mesh import MeshNode
from .api.models.base import Resource
from .api.models.mesh import WireGuardPeer
from .coordinator import FeedCoordinator
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table
from .exceptions import action_errors
from .runtime import TunnelHubData

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class TunnelHubImageDescription[R: Resource](TunnelHubEntityDescription, ImageEntityDescription):
    """Describes a PNG image.

    draw_fn: draws it.
    version_fn: returns a value that changes with the image.
    """

    of_field: bool = False
    draw_fn: Callable[[TunnelHubData, str], Awaitable[bytes]]
    version_fn: Callable[[R], object]


async def _qr_code(data: TunnelHubData, name: str) -> bytes:
    return await capable(data.provider, MeshNode).wireguard_qr(name)


IMAGES: Table[TunnelHubImageDescription[Any]] = {
    WireGuardPeer: (
        TunnelHubImageDescription[WireGuardPeer](
            key="qr_code",
            needs=(MeshNode,),
            # It contains a private key, which every user with access to the dashboard could copy.
            entity_registry_enabled_default=False,
            draw_fn=_qr_code,
            version_fn=lambda peer: peer.fingerprint,
        ),
    ),
}


class TunnelHubImage[R: Resource](TunnelHubEntity[R, TunnelHubImageDescription[R]], ImageEntity):
    """An image of a resource, drawn when it is requested."""

    entity_description: TunnelHubImageDescription[R]

    _attr_content_type = "image/png"
    _version: object = None

    def __init__(
        self, coordinator: FeedCoordinator, resource: R, description: TunnelHubImageDescription[R]
    ) -> None:
        super().__init__(coordinator, resource, description)
        ImageEntity.__init__(self, coordinator.hass)

    @override
    def _update_attrs(self, resource: R) -> None:
        version = self.entity_description.version_fn(resource)
        if version != self._version:
            self._version = version
            self._attr_image_last_updated = dt_util.utcnow()

    @override
    async def async_image(self) -> bytes:
        with action_errors(self.hass, self.coordinator.config_entry):
            return await self.entity_description.draw_fn(self._data, self._id)


async_setup_entry = partial(async_setup_table, IMAGES, TunnelHubImage)
