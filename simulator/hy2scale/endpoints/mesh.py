"""The endpoints for the node, its peers, its outbound clients and the topology."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict, dataclass
import re
from typing import TYPE_CHECKING, Any

from simulator.hy2scale.events import EventStream
from simulator.hy2scale.state import Client, Peer, PeerFlags, Server
from simulator.hy2scale.table import ROUTES
from simulator.hy2scale.wire import OK, decode, given, object_of, refuse, shown
from simulator.service import Answer, Call

from .shared import Toggle

if TYPE_CHECKING:
    from simulator.hy2scale.service import Hy2ScaleService

NEW_LATENCY = 42
"""The latency in milliseconds to the server of a new client."""
PROTOCOL = 3
"""The version of the protocol between nodes."""

FLAGS = ("native", "incompatible", "conflict", "unsupported", "tun_capable")
"""Fields that a peer's row only contains when they are true."""
UNREADABLE = ("native", "incompatible", "conflict", "unsupported")
"""Reasons for which the peers of a peer cannot be shown."""
ADDRESS = re.compile(r".+:\d+(-\d+)?(,\d+(-\d+)?)*")


@dataclass(slots=True)
class NodeForm:
    """The fields of the node that can be changed."""

    node_id: str = ""
    name: str = ""
    exit_node: bool = False
    hy2_user_auth: bool = False
    server: Server | None = None


@dataclass(slots=True)
class Disabled:
    """Whether a peer is disabled."""

    disabled: bool = False


@ROUTES.on("GET", "/api/node")
def get_node(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the node."""
    state = service.state
    return {
        "node_id": state.node_id,
        "name": state.name,
        "exit_node": state.exit_node,
        "server": state.server and asdict(state.server),
        "version": state.version,
        "limited": not state.settings.kernel_right,
        "compat": state.compat,
        "hy2_user_auth": state.hy2_user_auth,
        "active_paths": state.active_paths,
    }


@ROUTES.on("PUT", "/api/node")
def put_node(service: Hy2ScaleService, call: Call) -> Answer:
    """Change the given fields. A server without address and password is removed."""
    form = decode(NodeForm, call)
    changes = given(form, call)
    if form.server:
        _check(service, form.server)
        if not (form.server.listen or form.server.password):
            changes["server"] = None
    if form.node_id:
        changes.setdefault("name", form.node_id)
    before = service.state.node_id, service.state.name
    for name, value in changes.items():
        setattr(service.state, name, value)
    if (service.state.node_id, service.state.name) != before:
        service.reconnect_all()
    return OK


def _check(service: Hy2ScaleService, server: Server) -> None:
    if server.listen and len(server.password) < 6:
        raise refuse(400, "the server password is too short")
    for user in service.state.users.values():
        if user.password == server.password:
            raise refuse(400, f'user "{user.username}" has the same password')


@ROUTES.on("GET", "/api/stats")
def get_stats(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the traffic of the node since its start."""
    state = service.state
    linked = [
        (path, peer)
        for path, peer in state.peers.items()
        if "/" not in path and service.connected(path)
    ]
    return {
        "tx_bytes": int(state.tx_bytes),
        "rx_bytes": int(state.rx_bytes),
        "tx_rate": sum(peer.tx_rate for _, peer in linked),
        "rx_rate": sum(peer.rx_rate for _, peer in linked),
        "conns": sum(session.conn_count for session in state.sessions.values()),
        "exit_clients": sum(peer.direction == "inbound" for _, peer in linked),
    }


@ROUTES.on("GET", "/api/topology")
def get_topology(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the tree: this node with its inbound peers, then the outbound clients by name."""
    state, below = service.state, _children(service)
    inbound = [
        _nested_row(service, path, below, state.node_id)
        for path in below[""]
        if service.inbound(path) and service.connected(path)
    ]
    server = state.server
    this = {
        "name": state.node_id,
        **({"addr": server.listen} if server else {}),
        "exit_node": False,
        "direction": "local",
        "connected": True,
        "disabled": not (server and server.listen),
        "nested": False,
        **({"tun_capable": True} if state.settings.kernel_right else {}),
        "latency_ms": 0,
        "tx_rate": 0,
        "rx_rate": 0,
        "is_self": True,
        **({"children": inbound} if inbound else {}),
    }
    # Clients with the same name share one row.
    clients = {client.name: client for client in state.clients.values()}
    return [this, *(_client_row(service, clients[name], below) for name in sorted(clients))]


def _children(service: Hy2ScaleService) -> Mapping[str, list[str]]:
    below: dict[str, list[str]] = defaultdict(list)
    for path in sorted(service.state.peers):
        below[path.rpartition("/")[0]].append(path)
    return below


def _client_row(
    service: Hy2ScaleService, client: Client, below: Mapping[str, list[str]]
) -> dict[str, object]:
    connected = service.connected(client.name)
    peer = service.state.peers[client.name] if connected else Peer()
    tx_rate, rx_rate = service.rates(client.name)
    several = len(client.addrs) > 1
    max_rate = max(client.max_tx, client.max_rx)
    return {
        "name": client.name,
        "addr": client.addrs[0],
        **({"addrs": client.addrs, "ip_statuses": _statuses(client, peer)} if several else {}),
        # Only peers that connect to this node report it.
        "exit_node": False,
        "direction": "outbound",
        "connected": connected,
        "disabled": client.disabled,
        "nested": service.nested(client.name),
        **_facts(peer),
        "latency_ms": service.latency_to(client.name) if connected else -1,
        "tx_rate": tx_rate,
        "rx_rate": rx_rate,
        **({"max_rate": max_rate} if max_rate else {}),
        **_subtree(service, client.name, below),
    }


def _nested_row(
    service: Hy2ScaleService, path: str, below: Mapping[str, list[str]], via: str
) -> dict[str, object]:
    peer = service.state.peers[path]
    flags = service.state.peer_flags.get(path, PeerFlags())
    tx_rate, rx_rate = service.rates(path)
    connected = service.connected(path)
    return {
        "name": path.rpartition("/")[2],
        "exit_node": peer.exit_node and peer.direction == "inbound",
        "direction": peer.direction,
        "via": via,
        "latency_ms": service.latency_to(path) if connected else 0,
        "nested": flags.nested,
        **({"disabled": True} if flags.disabled else {}),
        **(_facts(peer) if connected else {}),
        "tx_rate": tx_rate,
        "rx_rate": rx_rate,
        "connected": connected,
        **_subtree(service, path, below),
    }


def _subtree(
    service: Hy2ScaleService, path: str, below: Mapping[str, list[str]]
) -> dict[str, object]:
    """Return the children of a peer, if the node may and can show them."""
    if not (service.nested(path) and service.lists(path)):
        return {}
    if any(getattr(service.state.peers[path], flag) for flag in UNREADABLE):
        return {}
    via = path.rpartition("/")[2]
    rows = [_nested_row(service, child, below, via) for child in _listed(service, path, below)]
    return {"children": rows} if rows else {}


def _listed(service: Hy2ScaleService, path: str, below: Mapping[str, list[str]]) -> list[str]:
    """Return the peers in a peer's response: connected ones first, then unreachable ones."""
    peers = service.state.peers
    linked = [child for child in below.get(path, ()) if service.connected(child)]
    others = [child for child in below.get(path, ()) if child not in linked]
    return linked + [child for child in others if peers[child].direction == "outbound"]


def _facts(peer: Peer) -> dict[str, object]:
    return {
        **({"version": peer.version} if peer.version else {}),
        **{flag: True for flag in FLAGS if getattr(peer, flag)},
    }


def _statuses(client: Client, peer: Peer) -> list[dict[str, object]]:
    return [
        {
            "addr": address,
            "status": peer.address_status.get(address, "online"),
            "latency_ms": -1 if address in peer.address_status else peer.latency_ms,
        }
        for address in client.addrs
    ]


# Peers


@ROUTES.on("GET", "/api/peers")
def get_peers(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the directly connected peers."""
    return [
        {
            "name": path,
            "exit_node": peer.exit_node,
            "direction": peer.direction,
            "nested": service.nested(path),
        }
        for path, peer in service.state.peers.items()
        if "/" not in path and service.connected(path)
    ]


@ROUTES.on("GET", "/api/peers/{name}/peers")
def get_peers_of(service: Hy2ScaleService, call: Call) -> Answer:
    """Return the peers of a peer, even if the topology hides them."""
    path, state = call.params["name"], service.state
    if not service.connected(path):
        raise refuse(400, f'relay: peer "{path}" not connected')
    children = _listed(service, path, _children(service))
    rows = [(service.connected(child), _peer_info(service, child)) for child in children]
    if not service.inbound(path) and "/" not in path:
        this = Peer("inbound", version=state.version, exit_node=state.exit_node, latency_ms=0)
        rows.append((True, {"name": state.name, **_info(this, state.node_id)}))
    return [row for _, row in sorted(rows, key=lambda row: not row[0])]


@ROUTES.on("GET", "/api/internal/peers")
def get_internal_peers(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the direct peers and the nodes below them, for other nodes."""
    below = _children(service)
    return [
        {**_peer_info(service, path), **_subtree(service, path, below)}
        for path in service.state.peers
        if "/" not in path and service.connected(path)
    ]


def _peer_info(service: Hy2ScaleService, path: str) -> dict[str, object]:
    name, peer = path.rpartition("/")[2], service.state.peers[path]
    if not service.connected(path):
        peer = Peer(latency_ms=0)
        return {"name": name, **_info(peer, "")}
    return {"name": name, **_info(peer, peer.node_id or name)}


def _info(peer: Peer, node_id: str) -> dict[str, object]:
    return {
        "exit_node": peer.exit_node and peer.direction == "inbound",
        "direction": peer.direction,
        "native": peer.native,
        "latency_ms": peer.latency_ms,
        **_facts(peer),
        **({"node_id": node_id, "pv": PROTOCOL} if node_id and not peer.native else {}),
    }


@ROUTES.on("PUT", "/api/peers/{name}/nested")
def put_nested(service: Hy2ScaleService, call: Call) -> Answer:
    """Show or hide a peer's own peers and all below; any path is accepted."""
    flags, path = service.state.peer_flags, _own_path(service, call)
    known, enabled = service.nested(path), decode(Toggle, call).enabled
    flags.setdefault(path, PeerFlags()).nested = enabled
    if enabled and not known and path in service.state.peers:
        service.read_peers(path)
    if not enabled:
        for below in [other for other in flags if other.startswith(f"{path}/")]:
            del flags[below]
    return OK


@ROUTES.on("PUT", "/api/peers/{name}/disable")
def put_peer_disable(service: Hy2ScaleService, call: Call) -> Answer:
    """Disable or enable a peer; any path is accepted."""
    flags = service.state.peer_flags.setdefault(_own_path(service, call), PeerFlags())
    flags.disabled = decode(Disabled, call).disabled
    return OK


def _own_path(service: Hy2ScaleService, call: Call) -> str:
    """Return a path without this node, which the console puts before inbound peers."""
    path = call.params["name"]
    for name in (service.state.node_id, service.state.name):
        path = path.removeprefix(f"{name}/")
    return path


# Outbound clients


@ROUTES.on("GET", "/api/clients")
def get_clients(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the outbound clients."""
    return [
        {**shown(client), "connected": service.connected(client.name)}
        for client in service.state.clients.values()
    ]


@ROUTES.on("GET", "/api/clients/{name}")
def get_client(service: Hy2ScaleService, call: Call) -> Answer:
    """Return one client."""
    client = _find(service, call)
    if client is None:
        raise refuse(404, "not found")
    return shown(client)


def _find(service: Hy2ScaleService, call: Call) -> Client | None:
    """Return a client by its name or its primary address."""
    wanted, clients = call.params["name"], service.state.clients.values()
    return next((one for one in clients if wanted in (one.name, one.addr)), None)


@ROUTES.on("POST", "/api/clients")
def post_client(service: Hy2ScaleService, call: Call) -> Answer:
    """Add a client. One with a known address is ignored."""
    client = _client(call, "name", "addr", "password")
    clients, peers = service.state.clients, service.state.peers
    if client.addr not in {other.addr for other in clients.values()}:
        # Several clients can have the same name: their addresses are unique.
        key = client.name if client.name not in clients else f"{client.name} {client.addr}"
        clients[key] = client
        peers.setdefault(client.name, Peer(latency_ms=NEW_LATENCY, version=service.state.version))
        service.dial(client)
    return OK


@ROUTES.on("PUT", "/api/clients/{name}")
def put_client(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace a client except its primary address, and reconnect; an unknown one is ignored."""
    changed, old = _client(call, "addr", "password"), _find(service, call)
    if old:
        changed.name = changed.name or old.name
        changed.addr = old.addr
        service.replace(old, changed)
    return OK


@ROUTES.on("DELETE", "/api/clients/{name}")
def delete_client(service: Hy2ScaleService, call: Call) -> Answer:
    """Remove a client, but not the peer behind it; an unknown one is ignored."""
    gone, clients = _find(service, call), service.state.clients
    service.state.clients = {key: one for key, one in clients.items() if one is not gone}
    return OK


@ROUTES.on("PUT", "/api/clients/{name}/disable")
def put_client_disable(service: Hy2ScaleService, call: Call) -> Answer:
    """Disconnect or reconnect a client; an unknown one is ignored."""
    disabled = decode(Disabled, call).disabled
    if client := _find(service, call):
        client.disabled = disabled
        if not disabled and service.state.peers[client.name].online:
            service.reconnect(client.name)
    return OK


def _client(call: Call, *required: str) -> Client:
    client = decode(Client, call)
    client.addrs = client.addrs or [client.addr]
    client.addr = client.addrs[0]
    if not all(getattr(client, name) for name in required):
        raise refuse(400, f"{', '.join(required)} required")
    for address in client.addrs:
        if not ADDRESS.fullmatch(address):
            raise refuse(400, f'invalid address format "{address}"')
    return client


# The layout of the graph


@ROUTES.on("GET", "/api/graph-layout")
def get_graph_layout(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the positions of the graph's nodes."""
    return _layout(service)


@ROUTES.on("PUT", "/api/graph-layout")
def put_graph_layout(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace the layout and send it to all streams."""
    body = object_of(call)
    service.state.layout = body if service.documented else body.get("positions") or {}
    for queue in service.layout_watchers:
        queue.put_nowait(_layout(service))
    return OK


@ROUTES.on("GET", "/api/graph-layout/stream")
def stream_graph_layout(service: Hy2ScaleService, _: Call) -> Answer:
    """Stream the layout now and after each change."""
    return EventStream(_layouts(service))


def _layout(service: Hy2ScaleService) -> dict[str, Any]:
    layout = service.state.layout
    return dict(layout) if service.documented else {"positions": dict(layout)}


async def _layouts(service: Hy2ScaleService) -> AsyncGenerator[object]:
    queue: asyncio.Queue[object] = asyncio.Queue()
    service.layout_watchers.add(queue)
    try:
        yield _layout(service)
        while True:
            yield await queue.get()
    finally:
        service.layout_watchers.discard(queue)
