"""The initial state: a node, its mesh, its users and their traffic."""

from datetime import UTC, datetime
from hashlib import sha256
from itertools import cycle, islice
from random import Random

from .keys import issue, new_wireguard_key, wireguard_public_key
from .state import (
    Client,
    Hy2ScaleState,
    Ikev2,
    L2tp,
    Peer,
    PeerFlags,
    Proxy,
    Rule,
    Server,
    Session,
    TunMode,
    User,
    WireGuard,
    WireGuardPeer,
)

DAY = 86400
GIGABYTE = 1024**3

USERNAME = "admin"
PASSWORD = "hub-password"

OUTBOUND_PEERS = ("us", "jp", "kr", "sg", "de", "hk", "au", "uk")
INBOUND_PEERS = ("office", "cabin", "phone", "studio")


def hashed(password: str) -> str:
    """Return the SHA-256 of a console password, which clients send and the service stores."""
    return sha256(password.encode()).hexdigest()


def device_key(username: str, remote_ip: str, protocol: str) -> str:
    """Return the key of a device's session."""
    return f"{username}|{remote_ip}|{protocol}"


def first_state(random: Random, now: float, tunnels: int, nodes: int) -> Hy2ScaleState:
    """Return a node with `tunnels` outbound clients in a mesh of `nodes` other peers.

    Of five clients, the first is nested, the second has two addresses, the third is a plain
    Hysteria 2 server, the fourth cannot be reached and the fifth is disabled. A third of the other
    peers, or all without clients, are inbound (the first one with unknown latency). The others are
    nested below the nested clients.
    """
    state = Hy2ScaleState(
        username=USERNAME, password_hash=hashed(PASSWORD), tx_bytes=1.2e9, rx_bytes=9.9e9
    )
    state.server = Server(
        "0.0.0.0:5565", _secret(random), "/data/tls/default.crt", "/data/tls/default.key"
    )
    for number in range(1, tunnels + 1):
        _add_client(state, random, number)
    others = max(nodes - tunnels, 0)
    hosts = [path for path, flags in state.peer_flags.items() if flags.nested]
    inbound = -(-others // 3) if hosts else others
    for number in range(inbound):
        state.peers[_numbered(INBOUND_PEERS, number)] = _peer(
            random, direction="inbound", latency_ms=-1 if number == 0 else random.randrange(5, 90)
        )
    for path, parent in _nested(hosts, others - inbound):
        state.peer_flags.setdefault(parent, PeerFlags()).nested = True
        state.peers[path] = _peer(random, latency_ms=random.randrange(80, 300))
    exit_via = next(iter(state.clients), "")
    state.active_paths = {exit_via: exit_via} if exit_via else {}
    _add_users(state, random, now, exit_via)
    _add_traffic(state, random, exit_via)
    _add_certificates(state, random, now)
    state.busy_ports = ["22/tcp", "53/udp"]
    state.names = {"example.com": ["192.0.2.80", "2001:db8::80"]}
    return state


def new_installation(random: Random, now: float) -> Hy2ScaleState:
    """Return a node after its installation, with the default password."""
    state = Hy2ScaleState(username="admin", password_hash=hashed("admin"))
    state.name = state.node_id
    state.server = Server(
        "0.0.0.0:5565", _secret(random), "/data/tls/default.crt", "/data/tls/default.key"
    )
    certificate = issue(random, now, "default", domains=[state.node_id], days=3650, name="Default")
    state.certificates = {certificate.id: certificate}
    state.l2tp = L2tp("1701", False, "192.168.25.1/24", "", 12345, 1280)
    state.ikev2 = Ikev2(
        mode="mschapv2",
        pool="192.168.26.1/24",
        local_id=state.node_id,
        proxy_port=12350,
        mtu=1400,
    )
    state.wireguard = WireGuard(False, 51820, new_wireguard_key(random), "10.0.0.1/24", "", 1420)
    state.names = {"localhost": ["127.0.0.1"]}
    state.ui.dns_resolver_enabled = True
    return state


def _add_client(state: Hy2ScaleState, random: Random, number: int) -> None:
    name = _numbered(OUTBOUND_PEERS, number - 1)
    place = number % 5
    host = f"{name}.example.com"
    addresses = [f"{host}:5565", f"{name}2.example.com:5565"] if place == 2 else [f"{host}:5565"]
    state.clients[name] = Client(
        name=name,
        addr=addresses[0],
        addrs=addresses,
        password=_secret(random),
        sni=host,
        max_tx=12_500_000 if place == 1 else 0,
        disabled=place == 0,
    )
    state.peers[name] = _peer(
        random, latency_ms=random.randrange(5, 180), online=place != 4, native=place == 3
    )
    if place == 1:
        state.peer_flags[name] = PeerFlags(nested=True)


def _peer(random: Random, *, latency_ms: int, **fields: object) -> Peer:
    peer = Peer(
        latency_ms=latency_ms,
        tx_rate=random.randrange(1000, 100_000),
        rx_rate=random.randrange(1000, 500_000),
        version="1.3.4",
        exit_node=True,
        tun_capable=True,
    )
    for name, value in fields.items():
        setattr(peer, name, value)
    if peer.native:
        peer.version, peer.tun_capable = "", False
    return peer


def _nested(hosts: list[str], count: int) -> list[tuple[str, str]]:
    """Return paths and their parents: below each host, chains of two peers."""
    rows: list[tuple[str, str]] = []
    above = {host: host for host in hosts}
    for number, host in enumerate(islice(cycle(hosts), count)):
        lap = number // len(hosts)
        parent = above[host] if lap % 2 else host
        path = f"{parent}/{parent.rpartition('/')[2]}-r{lap // 2 + 1}"
        above[host] = path
        rows.append((path, parent))
    return rows


def _add_users(state: Hy2ScaleState, random: Random, now: float, exit_via: str) -> None:
    """Add users: one with a limit, one with an expiry, one disabled, two with one password."""
    shared = _secret(random)
    rows = (
        User(
            username="alice",
            password=_secret(random),
            exit_via=exit_via,
            exit_paths=[exit_via] if exit_via else [],
            traffic_limit=500 * GIGABYTE,
            traffic_used=123 * GIGABYTE,
            enabled=True,
        ),
        User(
            username="bob",
            password=_secret(random),
            proxy_passwords={"hy2": _secret(random)},
            expiry_date=date(now + 30 * DAY),
            traffic_used=4_567_890,
            enabled=True,
        ),
        User(username="carol", password=shared, traffic_limit=GIGABYTE),
        User(username="dave", password=shared, enabled=True),
    )
    for user in rows:
        user.id = f"{random.getrandbits(32):08x}"
        state.users[user.id] = user
    devices = (
        Session("alice", "203.0.113.10", "hy2", now - 7200, conn_count=2),
        Session("alice", "203.0.113.11", "socks5", now - 600),
        Session("bob", "203.0.113.20", "l2tp", now - 60),
    )
    for device in devices:
        key = device_key(device.username, device.remote_ip, device.protocol)
        state.sessions[key] = device


def _add_traffic(state: Hy2ScaleState, random: Random, exit_via: str) -> None:
    """Add proxies, rules and the VPN servers."""
    for proxy in (
        Proxy("socks5", "socks5", "0.0.0.0:1080", enabled=True),
        Proxy("http", "http", "0.0.0.0:8080", tls_cert="web"),
        Proxy("ss", "ss", "0.0.0.0:8388", enabled=True, method="aes-256-gcm"),
    ):
        state.proxies[proxy.id] = proxy
    for rule in (
        Rule("video", "Video", "domain", ["video.example.com"], exit_via, enabled=True),
        Rule("office", "Office", "ip", ["198.51.100.0/24"], exit_via, enabled=True, use_tun=True),
        Rule("games", "Games", "domain", ["games.example.com"], exit_via, priority=5),
    ):
        rule.exit_paths = [exit_via] if exit_via else []
        state.rules[rule.id] = rule
    state.tun_mode = TunMode(enabled=True, mode="mixed")
    state.l2tp = L2tp("1701", True, "192.168.25.1/24", _secret(random), 12345, 1280)
    state.ikev2 = Ikev2(
        enabled=True,
        mode="psk",
        pool="192.168.26.1/24",
        psk=_secret(random),
        local_id=state.node_id,
        psk_user_mode=True,
        default_exit=exit_via,
        default_exit_mode="quality",
        default_exit_paths=[exit_via] if exit_via else [],
        dns="192.0.2.53",
        proxy_port=12350,
        mtu=1400,
    )
    state.wireguard = WireGuard(
        True, 51820, new_wireguard_key(random), "10.0.0.1/24", "192.0.2.53", 1420
    )
    for number, name in enumerate(("phone", "laptop"), 2):
        key = new_wireguard_key(random)
        state.wireguard.peers.append(
            WireGuardPeer(name, wireguard_public_key(key), key, f"10.0.0.{number}/32", 25, exit_via)
        )
    state.wireguard_connected = ["phone"]


def _add_certificates(state: Hy2ScaleState, random: Random, now: float) -> None:
    """Add the default certificate, a CA and a certificate signed by it, valid for loopback."""
    default = issue(random, now, "default", domains=[state.node_id], days=3650, name="Default")
    authority = issue(
        random, now, "mesh-ca", domains=["Mesh CA"], days=3650, name="Mesh CA", is_ca=True
    )
    web = issue(random, now, "web", domains=["localhost", "127.0.0.1"], days=40, issuer=authority)
    state.certificates = {row.id: row for row in (default, authority, web)}


def date(at: float) -> str:
    """Return the UTC date of a time in the service's format."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def _secret(random: Random) -> str:
    return f"{random.getrandbits(96):024x}"


def _numbered(names: tuple[str, ...], index: int) -> str:
    """Return the name at an index; repeated names have a number."""
    lap, place = divmod(index, len(names))
    return f"{names[place]}{lap + 1 if lap else ''}"
