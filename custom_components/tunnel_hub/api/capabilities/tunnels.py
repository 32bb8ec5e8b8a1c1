"""Capabilities for tunnels."""

from abc import abstractmethod
from typing import ClassVar

from ..models.tunnels import Tunnel
from . import Capability


class CanForceDown(Capability):
    """The service can disconnect the client of a tunnel.

    disables_to_disconnect: whether `force_tunnel_offline` disables the tunnel for a moment.
    """

    disables_to_disconnect: ClassVar[bool] = False

    @abstractmethod
    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        """Disconnect the client once. It can reconnect."""


class CanInspectTunnels(Capability):
    """The service provides further data of single tunnels."""

    @abstractmethod
    async def check_tunnel(self, tunnel_id: str) -> Tunnel:
        """Read whether a tunnel is online."""

    @abstractmethod
    async def tunnel_config(
        self, *, tunnel_id: str | None = None, node_id: str | None = None, file_format: str | None
    ) -> str:
        """Return the configuration file for one tunnel, or for all tunnels of a node.

        The file contains the link token.

        file_format: "ini" or "toml"; None for the default of the service.
        """


class CanForgetOfflineTunnels(Capability):
    """The service lists tunnels that are not running any more until they are removed."""

    @abstractmethod
    async def forget_offline_tunnels(self) -> tuple[str, ...]:
        """Remove the tunnels that are offline; return their ids."""
