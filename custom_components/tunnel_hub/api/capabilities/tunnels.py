"""What can be done with tunnels."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from ..models.tunnels import Tunnel, TunnelDraft


@runtime_checkable
class CanToggleTunnels(Protocol):
    """The service can refuse clients of a tunnel."""

    async def set_tunnel_enabled(self, tunnel_id: str, *, enabled: bool) -> None:
        """Enable or disable a tunnel."""


@runtime_checkable
class CanForceDown(Protocol):
    """The service can throw a running client off a tunnel."""

    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        """Throw the client off, once; it may come back by itself."""


@runtime_checkable
class CanCheckTunnel(Protocol):
    """The service can be asked for one tunnel's online state."""

    async def check_tunnel(self, tunnel_id: str) -> Tunnel:
        """Ask now."""


@runtime_checkable
class CanRefreshTunnels(Protocol):
    """The service can be told to ask a tunnel's node anew."""

    async def refresh_tunnel(self, tunnel_id: str) -> Tunnel:
        """Have the node asked; the tunnel as it is now."""


@runtime_checkable
class CanForceAllDown(Protocol):
    """The service can throw the clients of all tunnels off at once."""

    async def force_all_offline(self) -> Mapping[str, str]:
        """Throw them off, once; what became of it at each node, in the service's words."""


@runtime_checkable
class CanEditTunnels(Protocol):
    """Tunnels can be made, changed and deleted."""

    async def create_tunnel(self, draft: TunnelDraft) -> str:
        """Make a tunnel; its id."""

    async def update_tunnel(self, tunnel_id: str, draft: TunnelDraft) -> None:
        """Change what the draft names and nothing else."""

    async def delete_tunnel(self, tunnel_id: str) -> None:
        """Delete a tunnel; one that is gone already counts as deleted."""


@runtime_checkable
class CanGetTunnelConfig(Protocol):
    """The service writes configuration files for the client program."""

    async def tunnel_config(
        self, *, tunnel_id: str | None = None, node_id: str | None = None, file_format: str | None
    ) -> str:
        """Return the file for one tunnel, or for all of a node's.

        file_format: "ini" or "toml", None for what the service prefers. The file holds the
        link token.
        """
