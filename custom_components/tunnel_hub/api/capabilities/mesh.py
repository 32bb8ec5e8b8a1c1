"""What a node of a mesh may be able to do.

`of` is the class of the resource that is meant, `resource_id` its id. A resource that the
service does not list raises InvalidInputError("unknown_resource", name=its id): the service
itself says yes to anything. Each command has been seen to work when it returns.
"""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from ..models.mesh import (
    Around,
    HasExit,
    Kick,
    LatencySample,
    LinkHistory,
    NodeAfterRestart,
    Peer,
    Port,
    Position,
    Session,
    VpnServer,
)
from . import Capability


class MeshNode(Capability):
    """The service is a node of a mesh: links, peers, users and VPN servers, and its own machine."""

    @abstractmethod
    async def set_server_enabled(self, server: VpnServer, *, enabled: bool) -> None:
        """Start a server, or stop it and end its connections."""

    @abstractmethod
    async def set_exit_node(self, *, enabled: bool) -> None:
        """Allow or forbid traffic to leave at this node."""

    @abstractmethod
    async def set_tun_mode(self, mode: str) -> None:
        """Set the TUN mode, one of TUN_MODES."""

    @abstractmethod
    async def set_peer_nested(self, of: Around, peer_id: str, *, nested: bool) -> None:
        """Show and use a peer's own peers or not."""

    @abstractmethod
    async def select_exit(self, of: type[HasExit], resource_id: str, path: str) -> None:
        """Let the traffic leave by this path alone, "" for this node itself."""

    @abstractmethod
    async def reset_traffic(self, user_id: str) -> None:
        """Reset the traffic counter of a user."""

    @abstractmethod
    async def sessions_of(self, user_id: str) -> tuple[Session, ...]:
        """Return the connected devices of a user."""

    @abstractmethod
    async def kick_sessions(self, user_id: str, key: str | None = None) -> Kick:
        """End one of a user's sessions, or all.

        Raises InvalidInputError("unknown_session", session=its key) for one that is not the user's.
        """

    @abstractmethod
    async def wireguard_config(self, name: str, endpoint: str | None = None) -> str:
        """Return the configuration file for a peer."""

    @abstractmethod
    async def wireguard_qr(self, name: str, endpoint: str | None = None) -> bytes:
        """Return the configuration as a QR code in PNG format."""

    @abstractmethod
    async def install_upgrade(self, on_progress: Callable[[float | None], None]) -> None:
        """Download the newest version and put it in place; the node restarts.

        on_progress: called with percent, or None where that is unknown. Returns when the node
        answers again, with the new version.
        """

    @abstractmethod
    async def check_ports(self, ports: Sequence[Port]) -> Mapping[Port, bool]:
        """Return which ports are free."""

    @abstractmethod
    async def resolve_name(self, name: str, exit_path: str | None = None) -> tuple[str, ...]:
        """Return a name's addresses; raises RejectedError where there are none."""

    @abstractmethod
    async def link_history(self, of: Around, peer_id: str) -> LinkHistory:
        """Return the history of the link to a peer."""

    @abstractmethod
    async def latencies(self) -> Mapping[tuple[str, str], tuple[LatencySample, ...]]:
        """Return the latencies of all links, by the kind and id of what is at their end."""

    @abstractmethod
    async def peers_of(self, of: Around, peer_id: str) -> tuple[Peer, ...]:
        """Return a peer's own peers."""

    @abstractmethod
    async def describe_node(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the node's own words, by subject: build, machine, settings."""

    @abstractmethod
    async def backup(self) -> bytes:
        """Return a tar archive; it holds all of the node's secrets."""

    @abstractmethod
    async def graph_layout(self) -> Mapping[str, Position]:
        """Return the positions by name."""

    @abstractmethod
    def follow_layout(self) -> AsyncGenerator[Mapping[str, Position]]:
        """Yield the positions by name now and whenever they change, over one connection.

        Raises the errors of the errors module when the connection ends.
        """

    @abstractmethod
    async def restore_backup(self, archive: bytes) -> NodeAfterRestart:
        """Take the configuration out of a backup, which restarts the node, and wait for it."""

    @abstractmethod
    async def upload_upgrade(self, archive: bytes) -> NodeAfterRestart:
        """Put the program of a .tar.gz archive in place, which restarts the node, and wait for it.

        Both raise UnavailableError(TIMEOUT) if the node does not come back within two minutes.
        """

    @abstractmethod
    async def set_graph_layout(self, positions: Mapping[str, Position]) -> None:
        """Replace the positions of all peers."""
