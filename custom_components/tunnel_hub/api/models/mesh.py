"""What a node of a mesh tells: itself, its peers, and who and what goes through it.

The node stands in the account's place. Outbound connections that the user has configured are
tunnels; what the topology tells of them is their `Link`. All other peers are `Peer`s.
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
    """How far an upgrade of the node's program is."""

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
    """(exit, path) for each exit: the path that leads there now."""
    compat: bool | None = None
    """Whether it runs in a mode for old systems, with less than it could do."""
    connections: int | None = None
    exit_clients: int | None = None
    """Inbound peers that may leave here."""
    exit_node: bool | None = None
    """Whether traffic of other nodes may leave here."""
    limited: bool | None = None
    """Whether the kernel keeps rights from it that VPN servers and TUN need."""
    rate_in: int | None = None
    """Bytes per second to the node."""
    rate_out: int | None = None
    """Bytes per second from the node."""
    sessions: int | None = None
    """Devices that are connected."""
    traffic_in: int | None = None
    """Bytes to the node since its program started."""
    traffic_out: int | None = None
    """Bytes from the node since its program started."""
    version: str | None = None


TUN_OFF = "off"

TUN_MODES = ("full", "mixed", TUN_OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class TunMode(Resource):
    """Whether a node routes by TUN as a whole; newer versions leave that to each rule."""

    kind: ClassVar[str] = "tun_mode"
    part_of: ClassVar[str | None] = "account"

    tun_mode: str | None = None
    """One of TUN_MODES: all traffic, what rules apply to, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One of several addresses of a peer. status: in the service's words."""

    address: str
    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer(Resource):
    """Another node of the mesh, at the end of a path such as "us/us-r1", its id and name."""

    kind: ClassVar[str] = "peer"

    above: str | None = None
    """Kind and id of the peer that shows it, such as "link:us"; None for a direct one."""
    addresses: tuple[Address, ...] = ()
    """Where there are several."""
    conflict: bool | None = None
    """Whether its name clashes with another node's."""
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
    """Milliseconds from here, all hops together."""
    native: bool | None = None
    """Whether it is a plain Hysteria 2 server, which knows nothing of the mesh."""
    nested: bool | None = None
    """Whether its own peers are shown and used."""
    rate_in: int | None = None
    """Bytes per second to this node."""
    rate_out: int | None = None
    """Bytes per second from this node."""
    unsupported: bool | None = None
    """Whether it does not do what this node asks of it."""
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Peer):
    """What the topology tells of an outbound connection: the tunnel has the same id.

    Whether it is enabled and connected is told by the tunnel.
    """

    kind: ClassVar[str] = "link"
    part_of: ClassVar[str | None] = "tunnel"


@dataclass(frozen=True, slots=True, kw_only=True)
class HasExit(Resource):
    """Something whose traffic leaves by a chosen path.

    exit_path: a peer's path, "" for this node itself; the first one where there are several.
    exits: all paths that may be chosen, without this node itself.
    exits_down: those of them by which nothing gets through now.
    has_exit: whether it has one of its own; it does not come and go.
    """

    exit_path: str | None = None
    exits: tuple[str, ...] = ()
    exits_down: tuple[str, ...] = ()
    has_exit: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class User(HasExit):
    """A user who can connect to the node."""

    kind: ClassVar[str] = "user"

    conflicts: tuple[str, ...] | None = None
    """Names of the users who have the same password where only that tells users apart."""
    enabled: bool | None = None
    expires: datetime | None = None
    """From when on the user may no longer connect; None also for never."""
    traffic_limit: int | None = None
    """Bytes; None also for no limit."""
    traffic_usage: float | None = None
    """Percent of the limit."""
    traffic_used: int | None = None
    """Bytes of connections that were closed since the last reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A device of a user that is connected. key: what kicks it out. traffic: bytes."""

    key: str
    address: str | None
    protocol: str | None
    since: datetime | None
    connections: int | None
    traffic_in: int | None
    traffic_out: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSessions(Resource):
    """The devices with which a user is connected."""

    kind: ClassVar[str] = "user_sessions"
    part_of: ClassVar[str | None] = "user"

    locked_until: datetime | None = None
    """Until when a device that we kicked out cannot come back; None once it can."""
    sessions: tuple[Session, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(HasExit):
    """A rule that routes targets through a path."""

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
    """Whether the node cannot apply rules where it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy(HasExit):
    """A SOCKS5, HTTP or Shadowsocks server of the node."""

    kind: ClassVar[str] = "proxy"

    enabled: bool | None = None
    listen: str | None = None
    """host:port."""
    method: str | None = None
    """Shadowsocks' cipher."""
    protocol: str | None = None
    """"socks5", "http" or "ss"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireGuard(Resource):
    """The node's WireGuard server."""

    kind: ClassVar[str] = "wireguard"
    part_of: ClassVar[str | None] = "account"

    wireguard_connected: int | None = None
    """Peers that are connected."""
    wireguard_enabled: bool | None = None
    wireguard_peers: int | None = None
    wireguard_port: int | None = None
    wireguard_running: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WireGuardPeer(HasExit):
    """Someone who may connect by WireGuard; the id is the name."""

    kind: ClassVar[str] = "wireguard_peer"

    address: str | None = None
    """Inside the VPN, with a prefix length."""
    fingerprint: str | None = None
    """Changes with everything that stands in its configuration file, and tells nothing of it."""
    keepalive: int | None = None
    """Seconds; None for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpn(Resource):
    """The node's L2TP and IKEv2 servers: whether they can run and whether they do."""

    kind: ClassVar[str] = "vpn"
    part_of: ClassVar[str | None] = "account"

    ikev2_capable: bool | None = None
    ikev2_enabled: bool | None = None
    ikev2_reason: str | None = None
    """Why it cannot run, in the service's words; None where it can."""
    l2tp_capable: bool | None = None
    l2tp_enabled: bool | None = None
    l2tp_reason: str | None = None
    """Why it cannot run, in the service's words; None where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade(Resource):
    """The newest version of the node's program, and how far an upgrade is."""

    kind: ClassVar[str] = "upgrade"
    part_of: ClassVar[str | None] = "account"

    current: str | None = None
    installable: bool | None = None
    """Whether the node can upgrade itself."""
    latest: str | None = None
    progress: float | None = None
    """Percent of the download."""
    state: UpgradeState | None = None


class VpnServer(StrEnum):
    """A VPN server that can be switched: what cannot be read whole must not be written."""

    L2TP = "l2tp"
    WIREGUARD = "wireguard"


type Around = type[Link | Peer | Tunnel]
"""A node of the mesh: a tunnel is the connection to one, with the same id as its link."""

type Edited = type[Proxy | Rule | Tunnel | User | WireGuardPeer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kick:
    """What a kick did. keys: of the sessions. locked_until: when they may come back at the soonest.

    None if there was none to kick.
    """

    keys: tuple[str, ...]
    locked_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientUpdate:
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
class ExitUpdate:
    """By which paths traffic leaves; None leaves it as it is.

    exit_paths: () for this node itself. exit_mode: how to choose among several, "quality",
    "aggregate" or "".
    """

    exit_paths: tuple[str, ...] | None = None
    exit_mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdate(ExitUpdate):
    """What a person says of a user.

    traffic_limit: bytes, 0 for none. expires: the first day without access, date.max for never.
    """

    name: str | None = None
    password: str | None = field(default=None, repr=False)
    enabled: bool | None = None
    traffic_limit: int | None = None
    expires: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUpdate(ExitUpdate):
    """What a person says of a rule. id: only of a new one. type: "ip" or "domain"."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    targets: tuple[str, ...] | None = None
    enabled: bool | None = None
    priority: int | None = None
    use_tun: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyUpdate(ExitUpdate):
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
class WireGuardPeerUpdate(ExitUpdate):
    """What a person says of a WireGuard peer.

    address: inside the VPN, with a prefix length. keepalive: seconds, 0 for never. A new peer
    without keys gets a pair that the node makes.
    """

    name: str | None = None
    address: str | None = None
    keepalive: int | None = None
    public_key: str | None = None
    private_key: str | None = field(default=None, repr=False)


type MeshUpdate = ClientUpdate | ProxyUpdate | RuleUpdate | UserUpdate | WireGuardPeerUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of the node's machine. protocol: "tcp" or "udp"."""

    port: int
    protocol: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAfterRestart:
    """What a node that has come back is. name: by which the mesh knows it."""

    name: str | None
    version: str | None
    version_before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position in the graph of the console."""

    x: float
    y: float
