"""What can be done with tunnels."""

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
    """The service tells more of a tunnel when it is asked."""

    @abstractmethod
    async def check_tunnel(self, tunnel_id: str) -> Tunnel:
        """Read whether a tunnel is online."""

    @abstractmethod
    async def tunnel_config(
        self, *, tunnel_id: str | None = None, node_id: str | None = None, file_format: str | None
    ) -> str:
        """Return the file for one tunnel, or for all of a node's.

        file_format: "ini" or "toml", None for what the service prefers. The file holds the
        link token.
        """


class CanForgetOfflineTunnels(Capability):
    """The service lists tunnels that nobody runs any more, until it is told to forget them."""

    @abstractmethod
    async def forget_offline_tunnels(self) -> tuple[str, ...]:
        """Forget the tunnels that are offline; the ids of those that are forgotten."""
