"""What a node of a mesh may be able to do: capabilities as in the provider module.

`of` is the class of the resource that is meant, `resource_id` its id. A resource that the
service does not list raises InvalidInputError("unknown_resource", name=its id): the service
itself says yes to anything. Each command has been seen to work when it returns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from .mesh import HasExit, Link, Peer, Proxy, Rule, Session, User, WireGuardPeer
from .resource import Tunnel


class VpnServer(StrEnum):
    """A VPN server that can be switched: what cannot be read whole must not be written."""

    L2TP = "l2tp"
    WIREGUARD = "wireguard"


type Toggled = type[Peer | Proxy | Rule | User]
type Around = type[Link | Peer | Tunnel]
"""A node of the mesh: a tunnel is the connection to one, with the same id as its link."""
type Edited = type[Proxy | Rule | Tunnel | User | WireGuardPeer]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Kick:
    """What a kick did. keys: of the sessions. locked_until: when they may come back at the soonest.

    None if there was none to kick.
    """

    keys: tuple[str, ...]
    locked_until: datetime | None


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


# Editing


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDraft:
    """What a person says of an outbound connection; None leaves it as it is.

    addresses: host:port, ports also as ranges. ca: PEM. max_rate_in, max_rate_out: bytes per
    second, 0 for no limit. insecure: whether the server's certificate goes unchecked.
    """

    name: str | None = None
    addresses: tuple[str, ...] | None = None
    password: str | None = field(default=None, repr=False)
    server_name: str | None = None
    insecure: bool | None = None
    ca: str | None = None
    max_rate_in: int | None = None
    max_rate_out: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitDraft:
    """By which paths traffic leaves; None leaves it as it is.

    exit_paths: () for this node itself. exit_mode: how to choose among several, "quality",
    "aggregate" or "".
    """

    exit_paths: tuple[str, ...] | None = None
    exit_mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDraft(ExitDraft):
    """What a person says of a user.

    traffic_limit: bytes, 0 for none. expires: the first day without access, date.max for never.
    """

    name: str | None = None
    password: str | None = field(default=None, repr=False)
    enabled: bool | None = None
    traffic_limit: int | None = None
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft(ExitDraft):
    """What a person says of a rule. id: only of a new one. type: "ip" or "domain"."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    targets: tuple[str, ...] | None = None
    enabled: bool | None = None
    priority: int | None = None
    use_tun: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyDraft(ExitDraft):
    """What a person says of a proxy. id: only of a new one. protocol: "socks5", "http" or "ss".

    listen: host:port. method: Shadowsocks' cipher. certificate: the id of one, for HTTPS.
    """

    id: str | None = None
    protocol: str | None = None
    listen: str | None = None
    enabled: bool | None = None
    method: str | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WireGuardPeerDraft(ExitDraft):
    """What a person says of a WireGuard peer.

    address: inside the VPN, with a prefix length. keepalive: seconds, 0 for never. A new peer
    without keys gets a pair that the node makes.
    """

    name: str | None = None
    address: str | None = None
    keepalive: int | None = None
    public_key: str | None = None
    private_key: str | None = field(default=None, repr=False)


type MeshDraft = ClientDraft | ProxyDraft | RuleDraft | UserDraft | WireGuardPeerDraft


@runtime_checkable
class CanEditMesh(Protocol):
    """What a node has can be made, changed and deleted. Outbound connections are tunnels here."""

    async def create(self, draft: MeshDraft) -> str:
        """Make it; its id. Raises InvalidInputError("already_exists", name=...)."""

    async def update(self, resource_id: str, draft: MeshDraft) -> None:
        """Change what the draft names and nothing else."""

    async def delete(self, of: Edited, resource_id: str) -> None:
        """Delete it; what is gone already counts as deleted."""


# Certificates


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateImport:
    """A certificate to take over: as PEM, or from files on the node's disk."""

    id: str
    name: str | None = None
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)
    certificate_path: str | None = None
    key_path: str | None = None


@runtime_checkable
class CanManageCertificates(Protocol):
    """The node keeps and issues TLS certificates.

    days: how long one lasts; None leaves it to the node.
    """

    async def import_certificate(self, certificate: CertificateImport) -> None:
        """Take a certificate over."""

    async def generate_certificate(
        self, id_: str, domains: Sequence[str], *, name: str | None, days: int | None, is_ca: bool
    ) -> None:
        """Make a certificate that signs itself, or an authority."""

    async def sign_certificate(
        self, id_: str, authority: str, host: str, *, name: str | None, days: int | None
    ) -> None:
        """Make a certificate for a host, signed by an authority that the node has."""

    async def delete_certificate(self, id_: str) -> None:
        """Delete a certificate."""

    async def certificate_pem(self, id_: str) -> str:
        """Return a certificate as PEM, never its key."""


# Questions to the node


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of the node's machine. protocol: "tcp" or "udp"."""

    port: int
    protocol: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySample:
    """A latency at a moment. latency: milliseconds, None while there was no link."""

    time: datetime
    latency: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHistory:
    """How a link has been since it was made. rebinds: how often streams through it were mended.

    samples: the latencies of the last minutes, the oldest first.
    """

    connected: bool | None
    rebinds: int | None
    samples: tuple[LatencySample, ...]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where something is drawn."""

    x: float
    y: float


@runtime_checkable
class CanArrangeGraph(Protocol):
    """The node keeps where its console draws the peers."""

    async def graph_layout(self) -> Mapping[str, Position]:
        """Return the positions by what is drawn."""

    async def set_graph_layout(self, positions: Mapping[str, Position]) -> None:
        """Replace all positions."""
