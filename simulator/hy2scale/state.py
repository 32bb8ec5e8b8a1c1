"""The state of the simulated HY2 SCALE node: plain data that tests read and change.

The rows that the service stores and returns unchanged (`Client`, `User`, `Rule`, ...) have its own
field names. Their defaults are the meanings of missing fields.
"""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(slots=True)
class Settings:
    """The differences between versions and installations.

    generation: "1.3" for the real routes and fields, "documented" for those of the document.
    missing_routes: routes that this version lacks, as "/api/ss" or "GET /api/ss".
    kernel_right: whether it has the capability for L2TP, IKEv2 and TUN; otherwise it is limited.
    host_network: whether it uses the host's network, which routing rules require.
    in_docker: whether it can upgrade itself.
    internet: whether it can check for the newest release.
    published_for_platform: whether the release has a file for this machine.
    forgets_peers_after: seconds until the peers of a silent peer are no longer shown.
    notices_after: seconds until a silent peer is reported as disconnected.
    """

    generation: str = "1.3"
    missing_routes: list[str] = field(default_factory=list)
    kernel_right: bool = True
    host_network: bool = True
    in_docker: bool = True
    internet: bool = True
    published_for_platform: bool = True
    forgets_peers_after: float = 1
    notices_after: float = 14


@dataclass(slots=True)
class Server:
    """The node's own Hysteria 2 server, for inbound peers."""

    listen: str = ""
    password: str = ""
    tls_cert: str = ""
    tls_key: str = ""


@dataclass(slots=True)
class Client:
    """A configured outbound connection; `max_tx` and `max_rx` are bytes per second."""

    OMITTED: ClassVar = ("addrs", "conn_mode")

    name: str = ""
    addr: str = ""
    addrs: list[str] = field(default_factory=list)
    password: str = ""
    sni: str = ""
    insecure: bool = False
    ca: str = ""
    max_tx: int = 0
    max_rx: int = 0
    init_stream_window: int = 0
    max_stream_window: int = 0
    init_conn_window: int = 0
    max_conn_window: int = 0
    conn_mode: str = ""
    fast_open: bool = False
    disabled: bool = False


@dataclass(slots=True)
class PeerFlags:
    """The settings of the peer at a path."""

    nested: bool = False
    disabled: bool = False


@dataclass(slots=True)
class User:
    """A user; traffic in bytes, a limit of 0 is none."""

    OMITTED: ClassVar = ("proxy_passwords", "exit_paths", "exit_mode")

    id: str = ""
    username: str = ""
    password: str = ""
    proxy_passwords: dict[str, str] = field(default_factory=dict)
    exit_via: str = ""
    exit_paths: list[str] = field(default_factory=list)
    exit_mode: str = ""
    traffic_limit: int = 0
    traffic_used: int = 0
    expiry_date: str = ""
    enabled: bool = False


@dataclass(slots=True)
class Proxy:
    """A listener. Protocol "ss" is the only Shadowsocks server and the only one with a `method`."""

    OMITTED: ClassVar = ("method", "tls_cert", "exit_via", "exit_paths", "exit_mode")

    id: str = ""
    protocol: str = ""
    listen: str = ""
    enabled: bool = False
    method: str = ""
    tls_cert: str = ""
    exit_via: str = ""
    exit_paths: list[str] = field(default_factory=list)
    exit_mode: str = ""


@dataclass(slots=True)
class Rule:
    """A rule that sends targets through an exit."""

    OMITTED: ClassVar = ("exit_paths", "exit_mode", "priority", "use_tun")

    id: str = ""
    name: str = ""
    type: str = ""
    targets: list[str] = field(default_factory=list)
    exit_via: str = ""
    exit_paths: list[str] = field(default_factory=list)
    exit_mode: str = ""
    enabled: bool = False
    priority: int = 0
    use_tun: bool = False


@dataclass(slots=True)
class TunMode:
    """The switch of the documented generation; mode is "mixed" or "full"."""

    enabled: bool = False
    mode: str = ""


@dataclass(slots=True)
class L2tp:
    """The L2TP server."""

    listen: str = ""
    enabled: bool = False
    pool: str = ""
    psk: str = ""
    proxy_port: int = 0
    mtu: int = 0


@dataclass(slots=True)
class Ikev2:
    """The IKEv2 server. A GET hides the fields in `HIDDEN`; a PUT sets all fields."""

    HIDDEN: ClassVar = ("psk_user_mode", "dns", "default_exit_mode", "default_exit_paths")

    enabled: bool = False
    mode: str = ""
    pool: str = ""
    cert_id: str = ""
    psk: str = ""
    local_id: str = ""
    remote_id: str = ""
    psk_user_mode: bool = False
    default_exit: str = ""
    default_exit_mode: str = ""
    default_exit_paths: list[str] = field(default_factory=list)
    dns: str = ""
    proxy_port: int = 0
    mtu: int = 0


@dataclass(slots=True)
class WireGuardPeer:
    """A WireGuard peer."""

    OMITTED: ClassVar = ("exit_paths", "exit_mode")

    name: str = ""
    public_key: str = ""
    private_key: str = ""
    allowed_ips: str = ""
    keepalive: int = 0
    exit_via: str = ""
    exit_paths: list[str] = field(default_factory=list)
    exit_mode: str = ""


@dataclass(slots=True)
class WireGuard:
    """The WireGuard server."""

    enabled: bool = False
    listen_port: int = 0
    private_key: str = ""
    address: str = ""
    dns: str = ""
    mtu: int = 0
    peers: list[WireGuardPeer] = field(default_factory=list)


@dataclass(slots=True)
class Certificate:
    """A certificate and its key, if known, as PEM. ca_parent_id: the certificate that signed it."""

    id: str = ""
    name: str = ""
    cert: str = ""
    key: str = ""
    ca_parent_id: str = ""


@dataclass(slots=True)
class UiSettings:
    """The settings page. A restart applies listen address, base path and HTTPS."""

    OMITTED: ClassVar = ("dns_resolver_upstream",)

    listen: str = "0.0.0.0:5565"
    base_path: str = "/scale"
    dns: str = "8.8.8.8,1.1.1.1"
    force_https: bool = False
    https_cert_id: str = ""
    session_timeout_h: int = 12
    max_nested_depth: int = 5
    max_response_nodes: int = 1024
    max_cache_entries: int = 5000
    max_response_bytes: int = 1_048_576
    max_fetch_fan_out: int = 8
    relay_admin_passthrough: bool = False
    dns_resolver_enabled: bool = False
    dns_resolver_upstream: str = ""
    dns_resolver_cache_ttl: int = 0
    dns_resolver_negative_ttl: int = 0
    dns_resolver_cache_size: int = 0
    dns_resolver_query_timeout_ms: int = 0


@dataclass(slots=True)
class Config:
    """The data that a restart keeps and a backup contains.

    Peers are by full path, as in "us/us-r1". `password_hash` is the SHA-256 of the web password.
    """

    username: str = "admin"
    password_hash: str = ""
    node_id: str = "ea1b2adb"
    name: str = "sg-home"
    exit_node: bool = True
    hy2_user_auth: bool = False
    server: Server | None = None
    clients: dict[str, Client] = field(default_factory=dict)
    peer_flags: dict[str, PeerFlags] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    tun_mode: TunMode = field(default_factory=TunMode)
    l2tp: L2tp = field(default_factory=L2tp)
    ikev2: Ikev2 = field(default_factory=Ikev2)
    wireguard: WireGuard = field(default_factory=WireGuard)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    layout: dict[str, dict[str, float]] = field(default_factory=dict)
    ui: UiSettings = field(default_factory=UiSettings)


@dataclass(slots=True)
class Peer:
    """Another node of the mesh, as seen by this one; rates in bytes per second.

    node_id: the id that it reports; its name if empty.
    online: whether it can be reached. An outbound peer is connected if its client is also
    enabled; an inbound peer that is not online is not listed.
    killed_at: when it became silent without a disconnect, which is noticed later.
    returns_at: when it reconnects, None for never.
    back_at: when it can be reached again, after a restart or a rename.
    latency_ms: from this node, all hops together; -1 is unknown.
    linked_at: when the connection was established, 0 for long ago.
    listed_at: when its own peers are known; they are read every few seconds.
    address_status: for addresses that are not "online": "offline", "mismatch" or "native".
    latencies: the newest samples, as (time, ms).
    """

    direction: str = "outbound"
    node_id: str = ""
    online: bool = True
    killed_at: float | None = None
    returns_at: float | None = None
    back_at: float = 0.0
    latency_ms: int = -1
    tx_rate: int = 0
    rx_rate: int = 0
    version: str = ""
    exit_node: bool = False
    native: bool = False
    incompatible: bool = False
    conflict: bool = False
    unsupported: bool = False
    tun_capable: bool = False
    linked_at: float = 0.0
    listed_at: float = 0.0
    rebinds: int = 0
    address_status: dict[str, str] = field(default_factory=dict)
    latencies: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Session:
    """A connected device with `conn_count` connections.

    Its bytes are those of closed connections. The bytes of open ones are in `open_tx` and `open_rx`
    and grow by the rates in bytes per second.
    """

    username: str
    remote_ip: str
    protocol: str
    connect_at: float
    conn_count: int = 1
    tx_bytes: int = 0
    rx_bytes: int = 0
    open_tx: float = 0.0
    open_rx: float = 0.0
    tx_rate: float = 2048.0
    rx_rate: float = 16_384.0


@dataclass(slots=True)
class Upgrade:
    """The current upgrade: idle, checking, downloading, ready, applying or error."""

    state: str = "idle"
    latest: str = ""
    asset: str = ""
    download_url: str = ""
    bytes_done: float = 0.0
    bytes_total: int = 0
    error: str = ""


@dataclass(slots=True)
class Hy2ScaleState(Config):
    """The whole state: the configuration, the mesh, and the data in memory.

    tokens: the expiry of each session token.
    sessions, locked: by "user|ip|protocol"; `locked` is when the device may reconnect.
    wireguard_connected: names of the connected WireGuard peers.
    new_names: the new names of peers that will reconnect, by path.
    busy_ports: ports that other programs use, as "22/tcp".
    names: the records of the DNS.
    remotes: the node that answers at an address, None for none; by default one with the name of
    the client, or of the host.
    files: the files on the node's disk, for `import-path`.
    download_rate: bytes per second of an upgrade's download.
    """

    settings: Settings = field(default_factory=Settings)
    version: str = "1.3.4"
    compat: bool = False
    active_paths: dict[str, str] = field(default_factory=dict)
    tx_bytes: float = 0.0
    rx_bytes: float = 0.0
    tokens: dict[str, float] = field(default_factory=dict)
    peers: dict[str, Peer] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    locked: dict[str, float] = field(default_factory=dict)
    wireguard_connected: list[str] = field(default_factory=list)
    new_names: dict[str, str] = field(default_factory=dict)
    busy_ports: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    remotes: dict[str, str | None] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    latest_version: str = "1.3.5"
    upgrade: Upgrade = field(default_factory=Upgrade)
    download_rate: float = 4_194_304.0
