"""Capabilities for nodes of a mesh.

`of` is the class of the resource, `resource_id` its id. A resource that the service does not list
raises InvalidInputError("unknown_resource", name=its id), because the service reports success for
any id. Each command verifies its result before it returns.
"""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from ..models.mesh import (
    Kick,
    LatencySample,
    LinkHistory,
    MayHaveExit,
    NodeAfterRestart,
    Peer,
    PeerKind,
    Port,
    Position,
    Session,
    VpnServer,
)
from . import Capability


class MeshNode(Capability):
    """The service is a node of a mesh: links, peers, users, VPN servers and its own machine."""

    @abstractmethod
    async def set_server_enabled(self, server: VpnServer, *, enabled: bool) -> None:
        """Start a server, or stop it and end its connections."""

    @abstractmethod
    async def set_exit_node(self, *, enabled: bool) -> None:
        """Allow or forbid other nodes to use this node as an exit."""

    @abstractmethod
    async def set_tun_mode(self, mode: str) -> None:
        """Set the TUN mode, one of TUN_MODES."""

    @abstractmethod
    async def set_peer_nested(self, of: PeerKind, peer_id: str, *, nested: bool) -> None:
        """Show or hide the peers behind a peer."""

    @abstractmethod
    async def select_exit(self, of: type[MayHaveExit], resource_id: str, path: str) -> None:
        """Set the only exit path of a resource, "" for this node."""

    @abstractmethod
    async def reset_traffic(self, user_id: str) -> None:
        """Reset the traffic counter of a user."""

    @abstractmethod
    async def sessions_of(self, user_id: str) -> tuple[Session, ...]:
        """Return the connected devices of a user."""

    @abstractmethod
    async def kick_sessions(self, user_id: str, key: str | None = None) -> Kick:
        """End one or all sessions of a user.

        Raises InvalidInputError("unknown_session", session=its key) if the user does not have it.
        """

    @abstractmethod
    async def wireguard_config(self, name: str, endpoint: str | None = None) -> str:
        """Return the configuration file for a peer."""

    @abstractmethod
    async def wireguard_qr(self, name: str, endpoint: str | None = None) -> bytes:
        """Return the configuration as a QR code in PNG format."""

    @abstractmethod
    async def install_upgrade(self, on_progress: Callable[[float | None], None]) -> None:
        """Download and install the newest version, and wait until the node has restarted.

        on_progress: called with percent, or None while it is unknown.
        """

    @abstractmethod
    async def check_ports(self, ports: Sequence[Port]) -> Mapping[Port, bool]:
        """Return which ports are free."""

    @abstractmethod
    async def resolve_name(self, name: str, exit_path: str | None = None) -> tuple[str, ...]:
        """Return the addresses of a name; raises RejectedError if there are none."""

    @abstractmethod
    async def link_history(self, of: PeerKind, peer_id: str) -> LinkHistory:
        """Return the history of the link to a peer."""

    @abstractmethod
    async def latencies(self) -> Mapping[tuple[str, str], tuple[LatencySample, ...]]:
        """Return the latencies of all links by kind and id of their peers."""

    @abstractmethod
    async def peers_of(self, of: PeerKind, peer_id: str) -> tuple[Peer, ...]:
        """Return a peer's own peers."""

    @abstractmethod
    async def describe_node(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the node's own data by subject: build, machine, settings."""

    @abstractmethod
    async def backup(self) -> bytes:
        """Return a tar archive, which contains all secrets of the node."""

    @abstractmethod
    async def graph_layout(self) -> Mapping[str, Position]:
        """Return the positions by name."""

    @abstractmethod
    def follow_layout(self) -> AsyncGenerator[Mapping[str, Position]]:
        """Yield the positions by name now and after each change, over one connection.

        Raises the errors of the errors module when the connection ends.
        """

    @abstractmethod
    async def restore_backup(self, archive: bytes) -> NodeAfterRestart:
        """Restore the configuration of a backup, and wait until the node has restarted."""

    @abstractmethod
    async def upload_upgrade(self, archive: bytes) -> NodeAfterRestart:
        """Install the program of a .tar.gz archive, and wait until the node has restarted.

        Both raise UnavailableError(TIMEOUT) if the node does not answer within two minutes.
        """

    @abstractmethod
    async def set_graph_layout(self, positions: Mapping[str, Position]) -> None:
        """Replace the positions of all peers."""
