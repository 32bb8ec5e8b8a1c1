"""What a node of a mesh may be able to do.

`of` is the class of the resource that is meant, `resource_id` its id. A resource that the
service does not list raises InvalidInputError("unknown_resource", name=its id): the service
itself says yes to anything. Each command has been seen to work when it returns.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from ..models.mesh import (
    Around,
    Edited,
    HasExit,
    Kick,
    LinkHistory,
    MeshDraft,
    Peer,
    Port,
    Position,
    Session,
    Toggled,
    VpnServer,
)


@runtime_checkable
class CanToggle(Protocol):
    """The node can do without some of what it has."""

    async def set_enabled(self, of: Toggled, resource_id: str, *, enabled: bool) -> None:
        """Enable or disable a peer, proxy, rule or user."""


@runtime_checkable
class CanToggleServers(Protocol):
    """The node can do without some of its VPN servers."""

    async def set_server_enabled(self, server: VpnServer, *, enabled: bool) -> None:
        """Start a server, or stop it and end its connections."""


@runtime_checkable
class CanBeExit(Protocol):
    """The node can let other nodes' traffic leave."""

    async def set_exit_node(self, *, enabled: bool) -> None:
        """Let it leave here or not."""


@runtime_checkable
class CanSetTunMode(Protocol):
    """The node can route by TUN as a whole."""

    async def set_tun_mode(self, mode: str) -> None:
        """Set what is routed: one of TUN_MODES."""


@runtime_checkable
class CanNestPeers(Protocol):
    """The node can use what is behind its peers."""

    async def set_peer_nested(self, of: Around, peer_id: str, *, nested: bool) -> None:
        """Show and use a peer's own peers or not."""


@runtime_checkable
class CanSelectExit(Protocol):
    """Traffic can be sent through other nodes."""

    async def select_exit(self, of: type[HasExit], resource_id: str, path: str) -> None:
        """Let the traffic leave by this path alone, "" for this node itself."""


@runtime_checkable
class CanResetTraffic(Protocol):
    """The node counts its users' traffic."""

    async def reset_traffic(self, user_id: str) -> None:
        """Count a user's traffic from 0 again."""


@runtime_checkable
class CanKickSessions(Protocol):
    """Connected devices can be listed and thrown out."""

    async def sessions_of(self, user_id: str) -> tuple[Session, ...]:
        """Return a user's connected devices now."""

    async def kick_sessions(self, user_id: str, key: str | None = None) -> Kick:
        """Throw out one of a user's sessions, or all.

        Raises InvalidInputError("unknown_session", session=its key) for one that is not the user's.
        """


@runtime_checkable
class CanConfigureWireGuardPeers(Protocol):
    """The node writes configuration files for WireGuard; they hold a private key.

    endpoint: the host under which the peer reaches the node; ours without one.
    """

    async def wireguard_config(self, name: str, endpoint: str | None = None) -> str:
        """Return the file for a peer."""

    async def wireguard_qr(self, name: str, endpoint: str | None = None) -> bytes:
        """Return the file as a QR code, PNG."""


@runtime_checkable
class CanInstallUpgrade(Protocol):
    """The node upgrades itself."""

    async def install_upgrade(self, on_progress: Callable[[float | None], None]) -> None:
        """Download the newest version and put it in place; the node restarts.

        on_progress: called with percent, or None where that is unknown. Returns when the node
        answers again, with the new version.
        """


@runtime_checkable
class CanEditMesh(Protocol):
    """What a node has can be made, changed and deleted. Outbound connections are tunnels here."""

    async def create(self, draft: MeshDraft) -> str:
        """Make it; its id. Raises InvalidInputError("already_exists", name=...)."""

    async def update(self, resource_id: str, draft: MeshDraft) -> None:
        """Change what the draft names and nothing else."""

    async def delete(self, of: Edited, resource_id: str) -> None:
        """Delete it; what is gone already counts as deleted."""


@runtime_checkable
class CanCheckPorts(Protocol):
    """The node knows which ports are taken where it runs."""

    async def check_ports(self, ports: Sequence[Port]) -> Mapping[Port, bool]:
        """Tell which are free."""


@runtime_checkable
class CanResolveNames(Protocol):
    """The node looks names up, through any exit."""

    async def resolve_name(self, name: str, exit_path: str | None = None) -> tuple[str, ...]:
        """Return a name's addresses; raises RejectedError where there are none."""


@runtime_checkable
class CanGetLinkHistory(Protocol):
    """The node remembers for some minutes how its links have been."""

    async def link_history(self, of: Around, peer_id: str) -> LinkHistory:
        """Tell of the link to a peer."""


@runtime_checkable
class CanListPeers(Protocol):
    """A peer can be asked for its own peers, used or not."""

    async def peers_of(self, of: Around, peer_id: str) -> tuple[Peer, ...]:
        """Return a peer's own peers."""


@runtime_checkable
class CanDescribeNode(Protocol):
    """The node tells what it is made of and how it is set up."""

    async def describe_node(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the node's own words, by subject: build, machine, settings."""


@runtime_checkable
class CanBackUp(Protocol):
    """The node packs its configuration into a file."""

    async def backup(self) -> bytes:
        """Return a tar archive; it holds all of the node's secrets."""


@runtime_checkable
class CanArrangeGraph(Protocol):
    """The node keeps where its console draws the peers."""

    async def graph_layout(self) -> Mapping[str, Position]:
        """Return the positions by what is drawn."""

    async def set_graph_layout(self, positions: Mapping[str, Position]) -> None:
        """Replace all positions."""
