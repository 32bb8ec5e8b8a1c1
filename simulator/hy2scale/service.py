"""The simulated node: authentication, time and the state in memory."""

import asyncio
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
import re
from typing import ClassVar, override

from aiohttp import web

from simulator.service import Answer, Call, Options, RefusedError, Route, Service

from . import documented
from .endpoints import ROUTES
from .initial_state import (
    PASSWORD,
    USERNAME,
    date,
    device_key,
    first_state,
    hashed,
    new_installation,
)
from .keys import issue, server_context
from .state import Certificate, Client, Hy2ScaleState, Peer, Proxy, Session, Upgrade, User
from .wire import refuse, text

HOUR = 3600
LOCKOUT = 60
LATENCY_INTERVAL = 5
"""Seconds between two samples of the latency to a peer."""
SAMPLES = 120
TICK = 1
"""Seconds between two computations of the rates."""
HANDSHAKE = 2
"""Seconds that it takes to connect."""
RECONNECT = 1
"""Seconds until a reachable peer is connected."""
PEERS_INTERVAL = 7
"""Seconds between two reads of a peer's own peers."""
SILENCE = 6
"""Seconds after which a killed peer has no latency."""
INBOUND_RECONNECT = 20
"""Seconds until inbound peers reconnect."""

PUBLIC = frozenset({"/api/login", "/api/internal/peers", "/api/build-id"})
PAGES = frozenset({"", "login", "nodes", "proxies", "users", "tls", "rules", "settings"})
PAGE = "<!DOCTYPE html><html><head><title>HY2 SCALE</title></head><body></body></html>"


class Hy2ScaleService(Service[Hy2ScaleState]):
    """A HY2 SCALE node. `state.settings` selects its generation and environment."""

    NAME = "hy2scale"
    ROUTES: ClassVar = ROUTES

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.layout_watchers: set[asyncio.Queue[object]] = set()

    @property
    @override
    def credentials(self) -> Mapping[str, str]:
        return {"username": USERNAME, "password": PASSWORD}

    @property
    def api_url(self) -> str:
        """The URL that the documented paths are appended to."""
        return f"{self.url}{self.base_path}/api"

    @property
    def documented(self) -> bool:
        """Whether it is the documented generation, not 1.3."""
        return self.state.settings.generation == documented.GENERATION

    @override
    def new_state(self) -> Hy2ScaleState:
        options = self.options
        return first_state(self.random, self.now(), options.tunnels, options.nodes)

    @override
    async def start(self, port: int = 0) -> None:
        ui = self.state.ui
        base_path = ui.base_path.strip("/")
        self.base_path = f"/{base_path}" if base_path else ""
        certificate = self.state.certificates.get(ui.https_cert_id) if ui.force_https else None
        self.ssl_context = server_context(certificate) if certificate else None
        await super().start(port)

    async def restart(self) -> None:
        """Restart the process, which clears its memory."""
        await self.stop()
        self.reboot()
        await self.start()

    def reboot(self) -> None:
        """Clear the process's memory."""
        state = self.state
        devices = list(state.sessions)
        state.tokens.clear()
        state.sessions.clear()
        state.locked.clear()
        state.tx_bytes = state.rx_bytes = 0
        state.upgrade = Upgrade()
        for peer in state.peers.values():
            peer.rebinds, peer.linked_at = 0, 0
            peer.latencies.clear()
            # It read them immediately before it answered.
            self._interrupt(peer, outbound_for=-TICK)
        self._return(devices, self.now())

    # Authentication

    @override
    def guard(self, call: Call) -> None:
        path = self._below_base(call)
        if path is None or not path.startswith("/api/"):
            return
        if path not in PUBLIC:
            self._authorize(call)
        if call.route and not self.serves(call.route):
            raise RefusedError(self.fallback(call))

    def _authorize(self, call: Call) -> None:
        header = call.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") or call.query.get("token", "")
        if self.state.tokens.get(token, 0) <= self.now():
            raise refuse(401, "unauthorized")
        self.state.tokens[token] = self.token_end()

    def token_end(self) -> float:
        """Return the expiry of a token that is used now."""
        return self.now() + self.state.ui.session_timeout_h * HOUR

    def serves(self, route: Route) -> bool:
        """Return whether this version has the route."""
        missing = self.state.settings.missing_routes
        return not (
            route.path in missing
            or f"{route.method} {route.path}" in missing
            or (self.documented and f"{route.method} {route.path}" in documented.MISSING)
        )

    @override
    def perform(self, call: Call) -> Answer:
        if self.documented:
            return documented.perform(super().perform, call)
        return super().perform(call)

    @override
    def fallback(self, call: Call) -> Answer:
        path = self._below_base(call)
        if path is None:
            return text("404 page not found", 404)
        if not path:
            return _moved(301, f"{self.base_path}/")
        if path.startswith("/api/"):
            return self._unknown(path)
        if path.removeprefix("/") in PAGES:
            return web.Response(text=PAGE, content_type="text/html")
        return _moved(302, f"{self.base_path}/login")

    def _below_base(self, call: Call) -> str | None:
        """Return the path below the base path, or None."""
        path = call.path.removeprefix(self.base_path)
        inside = call.path.startswith(self.base_path) and path[:1] in {"", "/"}
        return path if inside else None

    def _unknown(self, path: str) -> Answer:
        allowed = [
            route.method
            for route in ROUTES
            if self.serves(route) and _pattern(route.path).fullmatch(path)
        ]
        if allowed:
            return text("Method Not Allowed", 405, Allow=", ".join(sorted(allowed)))
        return text("404 page not found", 404)

    # Time

    @override
    def elapse(self, start: float, end: float) -> None:
        state, seconds = self.state, end - start
        for path, peer in state.peers.items():
            if peer.returns_at is not None and end >= peer.returns_at:
                self.revive(path)
        self._apply_new_names()
        for path, peer in state.peers.items():
            if "/" not in path and self.connected(path):
                state.tx_bytes += peer.tx_rate * seconds
                state.rx_bytes += peer.rx_rate * seconds
            self._probe(path, peer, start, end)
        for session in state.sessions.values():
            session.open_tx += session.tx_rate * seconds
            session.open_rx += session.rx_rate * seconds
        for key, until in list(state.locked.items()):
            if until <= end:
                del state.locked[key]
                self._return([key], until)
        self._download(seconds)

    def _probe(self, path: str, peer: Peer, start: float, end: float) -> None:
        if not self.connected(path) or peer.direction == "inbound":
            # A new connection has a new history.
            peer.latencies.clear()
            return
        latency = self.latency_to(path)
        probes = range(int(start // LATENCY_INTERVAL) + 1, int(end // LATENCY_INTERVAL) + 1)[
            -SAMPLES:
        ]
        peer.latencies += [(probe * LATENCY_INTERVAL, latency) for probe in probes]
        del peer.latencies[:-SAMPLES]

    def _download(self, seconds: float) -> None:
        upgrade = self.state.upgrade
        if upgrade.state == "downloading":
            upgrade.bytes_done += self.state.download_rate * seconds
            if upgrade.bytes_done >= upgrade.bytes_total:
                upgrade.state, upgrade.bytes_done = "ready", upgrade.bytes_total

    # The mesh

    def connected(self, path: str) -> bool:
        """Return whether there is a connection to the peer, as far as this node has noticed."""
        chain = [self.state.peers.get(hop) for hop in accumulate(path.split("/"), "{}/{}".format)]
        if not all(peer and self._is_up(peer) for peer in chain):
            return False
        client = self.state.clients.get(path.partition("/")[0])
        return not client.disabled if client else self.inbound(path)

    def _is_silent(self, peer: Peer, seconds: float) -> bool:
        return peer.killed_at is not None and self.now() >= peer.killed_at + seconds

    def _is_up(self, peer: Peer) -> bool:
        noticed = self._is_silent(peer, self.state.settings.notices_after)
        now = self.now()
        return peer.online and now >= peer.back_at and not noticed

    def latency_to(self, path: str) -> int:
        """Return the latency to a peer that the node considers connected."""
        peer = self.state.peers[path]
        return -1 if self._is_silent(peer, SILENCE) else peer.latency_ms

    def lists(self, path: str) -> bool:
        """Return whether the node knows the peers of a peer; it forgets those of a silent one."""
        peer = self.state.peers[path]
        forgotten = self._is_silent(peer, self.state.settings.forgets_peers_after)
        return self.connected(path) and not forgotten and self.now() >= peer.listed_at

    def inbound(self, path: str) -> bool:
        """Return whether the peer, or the first one of its path, connected to this node."""
        return self.state.peers[path.partition("/")[0]].direction == "inbound"

    def nested(self, path: str) -> bool:
        """Return whether the node shows the peers behind the peer."""
        flags = self.state.peer_flags.get(path)
        return bool(flags and flags.nested)

    def rates(self, path: str) -> tuple[int, int]:
        """Return the rates to and from a peer.

        In the first tick after a reconnect the counters are lower than before, and the difference
        underflows.
        """
        peer = self.state.peers.get(path)
        if peer is None or not self.connected(path):
            return 0, 0
        if self.now() < peer.linked_at + TICK:
            return 2**64 - max(peer.tx_rate, 1), 2**64 - max(peer.rx_rate, 1)
        return peer.tx_rate, peer.rx_rate

    def drop(self, path: str) -> None:
        """Disconnect a peer; the node notices it immediately."""
        self.state.peers[path].online = False

    def kill(self, path: str) -> None:
        """Make a peer silent: first its own peers disappear, then its latency, then the peer."""
        self.state.peers[path].killed_at = self.now()

    def revive(self, path: str) -> None:
        """Reconnect a silent peer."""
        peer, lost = self.state.peers[path], not self.connected(path)
        peer.killed_at = peer.returns_at = None
        peer.back_at = self.now() + (RECONNECT if lost else 0)
        peer.listed_at = peer.back_at + PEERS_INTERVAL
        self.reconnect(path)

    def rename(self, path: str, name: str) -> None:
        """Rename a node on its own console, which interrupts its connections."""
        self.kill(path)
        peer = self.state.peers[path]
        peer.node_id = self.state.new_names[path] = name
        peer.returns_at = self.now() + self.state.settings.notices_after

    def reconnect(self, path: str) -> None:
        """Reconnect a peer."""
        peer = self.state.peers[path]
        peer.online, peer.linked_at = True, self.now()
        peer.rebinds += 1

    def dial(self, client: Client) -> None:
        """Connect a client with a delay. Its name becomes that of the node that it reaches."""
        state, peer, address = self.state, self.state.peers[client.name], client.addrs[0]
        remote = state.remotes.get(address, _host_name(address) or client.name)
        peer.online = remote is not None and peer.online
        if peer.online:
            self.reconnect(client.name)
            peer.back_at = self.now() + HANDSHAKE
        if remote not in (None, client.name):
            state.new_names[client.name] = remote

    def replace(self, old: Client, new: Client) -> None:
        """Replace a client by another, and reconnect."""
        state = self.state
        state.clients = {
            key: new if client is old else client for key, client in state.clients.items()
        }
        if new.name != old.name:
            self._move(old.name, new.name)
        self.dial(new)

    def read_peers(self, path: str) -> None:
        """Read the peers of a peer, with a delay."""
        self.state.peers[path].listed_at = self.now() + HANDSHAKE

    def reconnect_all(self) -> None:
        """Reconnect all peers, as after a rename of this node."""
        for path, peer in self.state.peers.items():
            if "/" not in path:
                self._interrupt(peer, outbound_for=RECONNECT + HANDSHAKE)

    def _interrupt(self, peer: Peer, *, outbound_for: float) -> None:
        peer.killed_at = peer.returns_at = None
        away = INBOUND_RECONNECT if peer.direction == "inbound" else outbound_for
        peer.back_at = self.now() + away
        peer.listed_at = peer.back_at + PEERS_INTERVAL

    def _apply_new_names(self) -> None:
        """Rename peers that have reconnected: the node renames its clients."""
        for path, name in list(self.state.new_names.items()):
            peer = self.state.peers.get(path)
            if peer is not None and peer.killed_at is None and self.now() >= peer.back_at:
                del self.state.new_names[path]
                if name in self._direct_names() - {path} and "/" not in path:
                    # Names are unique: the second one is rejected.
                    peer.online, self.state.peers[name].conflict = False, True
                else:
                    self._move(path, f"{path.rpartition('/')[0]}/{name}".removeprefix("/"))

    def _direct_names(self) -> set[str]:
        return {client.name for client in self.state.clients.values()}

    def _move(self, old: str, new: str) -> None:
        """Rename a peer and its references, as far as the node does."""
        state = self.state
        state.peers = {_moved_path(path, old, new): p for path, p in state.peers.items()}
        state.peer_flags = {_moved_path(p, old, new): f for p, f in state.peer_flags.items()}
        state.clients = {_moved_path(key, old, new): c for key, c in state.clients.items()}
        for client in state.clients.values():
            client.name = new if client.name == old else client.name
        rows: list[User | Proxy] = [*state.users.values(), *state.proxies.values()]
        for row in rows:
            row.exit_via = _moved_path(row.exit_via, old, new)
            row.exit_paths = [_moved_path(path, old, new) for path in row.exit_paths]

    # Devices and users

    def connect(self, username: str, remote_ip: str, protocol: str = "hy2") -> str | None:
        """Connect a device; return the session's key, None if it is refused."""
        return self._connect(device_key(username, remote_ip, protocol), self.now())

    def disconnect(self, key: str) -> None:
        """Close one connection of a device. Its bytes are counted only now."""
        session = self.state.sessions[key]
        tx, rx = (int(open_ / session.conn_count) for open_ in (session.open_tx, session.open_rx))
        session.open_tx -= tx
        session.open_rx -= rx
        session.tx_bytes += tx
        session.rx_bytes += rx
        user = self._user(session.username)
        if user is not None:
            user.traffic_used += tx + rx
        session.conn_count -= 1
        if session.conn_count == 0:
            del self.state.sessions[key]

    def kick(self, key: str) -> bool:
        """Close all connections of a device and lock it out for a minute; False if unknown."""
        if key not in self.state.sessions:
            return False
        while key in self.state.sessions:
            self.disconnect(key)
        self.state.locked[key] = self.now() + LOCKOUT
        return True

    def may_connect(self, user: User) -> bool:
        """Return whether the user is enabled, not expired and below the limit."""
        return (
            user.enabled
            and not (user.expiry_date and user.expiry_date <= date(self.now()))
            and not 0 < user.traffic_limit <= user.traffic_used
        )

    def _connect(self, key: str, at: float) -> str | None:
        username, remote_ip, protocol = key.split("|")
        user = self._user(username)
        if user is None or not self.may_connect(user) or key in self.state.locked:
            return None
        session = self.state.sessions.get(key)
        if session:
            session.conn_count += 1
        else:
            self.state.sessions[key] = Session(username, remote_ip, protocol, at)
        return key

    def _return(self, keys: list[str], at: float) -> None:
        for key in keys:
            self._connect(key, at)

    def _user(self, username: str) -> User | None:
        users = self.state.users.values()
        return next((user for user in users if user.username == username), None)

    # For tests

    def reset_to_new_installation(self) -> None:
        """Reset the node to a new installation."""
        self.state = new_installation(self.random, self.now())

    def set_password(self, password: str) -> None:
        """Set another password of the console, which invalidates all session tokens."""
        self.state.password_hash = hashed(password)
        self.state.tokens.clear()

    def issue_certificate(self, identifier: str, *, days: float) -> Certificate:
        """Add a certificate that expires in `days` days."""
        certificate = issue(
            self.random, self.now(), identifier, domains=[f"{identifier}.example.com"], days=days
        )
        self.state.certificates[identifier] = certificate
        return certificate


@cache
def _pattern(path: str) -> re.Pattern[str]:
    """Return a pattern that matches the concrete paths of a route."""
    return re.compile(re.sub(r"{\w+}", "[^/]+", path))


def _host_name(address: str) -> str:
    """Return the first label of a host name; an IP address has none."""
    host = address.rpartition(":")[0].strip("[]")
    return "" if host[:1].isdigit() or ":" in host else host.partition(".")[0]


def _moved_path(path: str, old: str, new: str) -> str:
    return new + path.removeprefix(old) if path == old or path.startswith(f"{old}/") else path


def _moved(status: int, location: str) -> web.Response:
    return web.Response(status=status, headers={"Location": location})
