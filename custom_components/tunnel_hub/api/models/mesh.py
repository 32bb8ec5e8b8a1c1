"""Nodes of a mesh: the hub, its peers and its clients, and the payloads that change them.

The hub takes the place of the account. Its configured outbound connections are tunnels; what the
topology contains about them is a `Link`. All other peers are `Peer`s.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from ..models.base import Resource
from ..models.tunnels import Tunnel


class PeerDirection(StrEnum):
    """Which side opened the connection."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class UpgradeState(StrEnum):
    """The state of a node's upgrade."""

    IDLE = "idle"
    CHECKING = "checking"
    DOWNLOADING = "downloading"
    READY = "ready"
    APPLYING = "applying"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub(Resource):
    """The node that the config entry connects to."""

    kind: ClassVar[str] = "hub"
    part_of: ClassVar[str | None] = "account"

    active_paths: tuple[tuple[str, str], ...] | None = None
    """(exit, path) for each exit: the path that is used now."""
    compat: bool | None = None
    """Whether it runs in a mode for old systems with fewer features."""
    connections: int | None = None
    exit_clients: int | None = None
    """Inbound peers that may use this node as an exit."""
    exit_node: bool | None = None
    """Whether traffic of other nodes may leave here."""
    limited: bool | None = None
    """Whether it lacks kernel privileges that VPN servers and TUN require."""
    rate_in: int | None = None
    """Bytes per second to the node."""
    rate_out: int | None = None
    """Bytes per second from the node."""
    sessions: int | None = None
    """Connected devices."""
    traffic_in: int | None = None
    """Bytes to the node since its program started."""
    traffic_out: int | None = None
    """Bytes from the node since its program started."""
    version: str | None = None


TUN_OFF = "off"

TUN_MODES = ("full", "mixed", TUN_OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class TunMode(Resource):
    """Whether a node routes with TUN as a whole.

    Newer versions have a setting for each rule instead.
    """

    kind: ClassVar[str] = "tun_mode"
    part_of: ClassVar[str | None] = "account"

    tun_mode: str | None = None
    """One of TUN_MODES: all traffic, the traffic of rules, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One of several addresses of a peer.

    status: in the service's words.
    """

    address: str
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer(Resource):
    """Another node of the mesh, at the end of a path.

    Its id is the path where it was first seen, such as "us/us-r1".
    """

    kind: ClassVar[str] = "peer"

    above: str | None = None
    """Kind and id of the peer that it is behind, such as "link:us"; None for a direct peer."""
    addresses: tuple[Address, ...] = ()
    """Only if there are several."""
    conflict: bool | None = None
    """Whether another node has the same name."""
    connected: bool | None = None
    direction: PeerDirection | None = None
    enabled: bool | None = None
    """Whether this node uses it."""
    exit_node: bool | None = None
    """Whether traffic may leave there."""
    exit_path: str | None = None
    """Its path as an exit; None while it is not shown."""
    incompatible: bool | None = None
    """Whether its version is too old or too new."""
    latency: int | None = None
    """Milliseconds for all hops together."""
    native: bool | None = None
    """Whether it is a plain Hysteria 2 server without a mesh."""
    nested: bool | None = None
    """Whether the peers behind it are shown and used."""
    rate_in: int | None = None
    """Bytes per second to this node."""
    rate_out: int | None = None
    """Bytes per second from this node."""
    unsupported: bool | None = None
    """Whether it does not support what this node requires."""
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Peer):
    """The topology's data of an outbound connection. The tunnel has the same id.

    The tunnel contains whether it is enabled and connected.
    """

    kind: ClassVar[str] = "link"
    part_of: ClassVar[str | None] = "tunnel"


@dataclass(frozen=True, slots=True, kw_only=True)
class MayHaveExit(Resource):
    """A resource that may have a selectable exit path for its traffic.

    exit_path: the path of a peer, "" for this node; the first one if there are several.
    exits: all paths that can be selected, except this node.
    exits_down: those that do not work at the moment.
    has_exit: whether it has an exit path of its own; this does not change.
    """

    exit_path: str | None = None
    exits: tuple[str, ...] = ()
    exits_down: tuple[str, ...] = ()
    has_exit: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class User(MayHaveExit):
    """A user who can connect to the node."""

    kind: ClassVar[str] = "user"

    conflicts: tuple[str, ...] | None = None
    """Names of users with the same password, if only the password identifies users."""
    enabled: bool | None = None
    expires: datetime | None = None
    """When the user loses access; None also for never."""
    traffic_limit: int | None = None
    """Bytes; None also for no limit."""
    traffic_usage: float | None = None
    """Percent of the limit."""
    traffic_used: int | None = None
    """Bytes of closed connections since the last reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A connected device of a user.

    key: identifies it for kicking.
    traffic: bytes.
    """

    key: str
    address: str | None
    protocol: str | None
    since: datetime | None
    connections: int | None
    traffic_in: int | None
    traffic_out: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSessions(Resource):
    """The connected devices of a user."""

    kind: ClassVar[str] = "user_sessions"
    part_of: ClassVar[str | None] = "user"

    locked_until: datetime | None = None
    """Until when a kicked device cannot connect; None if it can."""
    sessions: tuple[Session, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(MayHaveExit):
    """A routing rule that sends targets over a path."""

    kind: ClassVar[str] = "rule"

    enabled: bool | None = None
    priority: int | None = None
    targets: tuple[str, ...] | None = None
    """Addresses with a prefix length, or domains."""
    tun_active: bool | None = None
    """Whether TUN routes it now."""
    type: str | None = None
    """"ip" or "domain"."""
    unavailable: bool | None = None
    """Whether the node cannot apply rules in its environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy(MayHaveExit):
    """A SOCKS5, HTTP or Shadowsocks server of the node."""

    kind: ClassVar[str] = "proxy"

    enabled: bool | None = None
    listen: str | None = None
    """host:port."""
    method: str | None = None
    """The cipher of Shadowsocks."""
    protocol: str | None = None
    """"socks5", "http" or "ss"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireGuard(Resource):
    """The node's WireGuard server."""

    kind: ClassVar[str] = "wireguard"
    part_of: ClassVar[str | None] = "account"

    wireguard_connected: int | None = None
    """Connected peers."""
    wireguard_enabled: bool | None = None
    wireguard_peers: int | None = None
    wireguard_port: int | None = None
    wireguard_running: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WireGuardPeer(MayHaveExit):
    """A device that may connect with WireGuard; the id is its name."""

    kind: ClassVar[str] = "wireguard_peer"

    address: str | None = None
    """Inside the VPN, with a prefix length."""
    fingerprint: str | None = None
    """A digest of its configuration file, which reveals nothing of it."""
    keepalive: int | None = None
    """Seconds; None for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpn(Resource):
    """The node's L2TP and IKEv2 servers: whether they can run, and whether they are running."""

    kind: ClassVar[str] = "vpn"
    part_of: ClassVar[str | None] = "account"

    ikev2_capable: bool | None = None
    ikev2_enabled: bool | None = None
    ikev2_reason: str | None = None
    """Why it cannot run, in the service's words; None if it can."""
    l2tp_capable: bool | None = None
    l2tp_enabled: bool | None = None
    l2tp_reason: str | None = None
    """Why it cannot run, in the service's words; None if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade(Resource):
    """The newest version of the node's program, and the state of an upgrade."""

    kind: ClassVar[str] = "upgrade"
    part_of: ClassVar[str | None] = "account"

    current: str | None = None
    installable: bool | None = None
    """Whether the node can upgrade itself."""
    latest: str | None = None
    progress: float | None = None
    """The percentage of the download."""
    state: UpgradeState | None = None


class VpnServer(StrEnum):
    """A VPN server with a switch.

    A configuration that cannot be read completely must not be written.
    """

    L2TP = "l2tp"
    WIREGUARD = "wireguard"


type PeerKind = type[Link | Peer | Tunnel]
"""The class of a peer. A tunnel is the connection to one and has the same id as its link."""

type Edited = type[Proxy | Rule | Tunnel | User | WireGuardPeer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kick:
    """The result of kicking.

    keys: of the kicked sessions.
    locked_until: the earliest time when they can connect again; None if there were none.
    """

    keys: tuple[str, ...]
    locked_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientUpdate:
    """An outbound connection to create or change; None leaves a value unchanged.

    addresses: host:port, also with port ranges.
    ca: PEM.
    max_rate_in, max_rate_out: bytes per second, 0 for no limit.
    insecure: whether the server's certificate is not verified.
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
class ExitUpdate:
    """The exit paths of traffic; None leaves a value unchanged.

    exit_paths: () for this node.
    exit_mode: how to choose one of several, "quality", "aggregate" or "".
    """

    exit_paths: tuple[str, ...] | None = None
    exit_mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdate(ExitUpdate):
    """A user to create or change.

    traffic_limit: bytes, 0 for none.
    expires: the first day without access, date.max for never.
    """

    name: str | None = None
    password: str | None = field(default=None, repr=False)
    enabled: bool | None = None
    traffic_limit: int | None = None
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUpdate(ExitUpdate):
    """A rule to create or change.

    id: only for a new one.
    type: "ip" or "domain".
    """

    id: str | None = None
    name: str | None = None
    type: str | None = None
    targets: tuple[str, ...] | None = None
    enabled: bool | None = None
    priority: int | None = None
    use_tun: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyUpdate(ExitUpdate):
    """A proxy to create or change.

    id: only for a new one.
    protocol: "socks5", "http" or "ss".
    listen: host:port.
    method: the cipher of Shadowsocks.
    certificate: the id of a certificate for HTTPS.
    """

    id: str | None = None
    protocol: str | None = None
    listen: str | None = None
    enabled: bool | None = None
    method: str | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WireGuardPeerUpdate(ExitUpdate):
    """A WireGuard peer to create or change.

    address: inside the VPN, with a prefix length.
    keepalive: seconds, 0 for never.

    The node creates keys for a new peer without keys.
    """

    name: str | None = None
    address: str | None = None
    keepalive: int | None = None
    public_key: str | None = None
    private_key: str | None = field(default=None, repr=False)


type MeshUpdate = ClientUpdate | ProxyUpdate | RuleUpdate | UserUpdate | WireGuardPeerUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of the node's machine.

    protocol: "tcp" or "udp".
    """

    port: int
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySample:
    """A latency at a time.

    latency: milliseconds; None while there was no link.
    """

    time: datetime
    latency: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHistory:
    """The history of a link since it was established.

    rebinds: how often streams were moved to a new connection.
    samples: the latencies of the last minutes, the oldest first.
    """

    connected: bool | None
    rebinds: int | None
    samples: tuple[LatencySample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAfterRestart:
    """A node that has restarted.

    name: its name in the mesh.
    """

    name: str | None
    version: str | None
    version_before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position in the graph of the console."""

    x: float
    y: float
