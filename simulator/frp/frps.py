"""frps, the server: its state, and its dashboard's API."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from simulator.service import Answer, Call, Options, RefusedError, Route, as_response

from .wire import ROUTES, nothing, refuse

if TYPE_CHECKING:
    from .service import FrpService

DAY = 86400
DAYS = 7
"""Days of traffic that are kept."""
PAGE_SIZE, LARGEST_PAGE = 50, 200
WITH_CLIENTS, WITH_VERSION_2 = (0, 68), (0, 70)
"""Versions of frps that brought parts of the API."""


class Sample(NamedTuple):
    """A proxy of the demo."""

    name: str
    type: str
    remote_port: int = 0
    custom_domains: tuple[str, ...] = ()
    subdomain: str = ""


DEMO = (
    Sample("nas", "tcp", 6001),
    Sample("web", "http", subdomain="web"),
    Sample("game", "udp", 6002),
    Sample("shop", "https", custom_domains=("shop.example.com",)),
    Sample("backup", "tcp", 6003),
)
"""Repeated as needed. The client of the last one is disconnected."""


@dataclass(slots=True)
class Settings:
    """The configuration of frps.

    version: the one that it reports. ahead: its offset from UTC in seconds.
    username, password: of the dashboard; not required if both are empty.
    """

    username: str = "admin"
    password: str = "demo-password"
    version: str = "0.70.1"
    ahead: int = 0
    bind_port: int = 7000
    vhost_http_port: int = 8088
    vhost_https_port: int = 8443
    tcpmux_port: int = 0
    kcp_port: int = 0
    quic_port: int = 0
    subdomain_host: str = "example.test"
    heartbeat_timeout: int = -1

    def is_at_least(self, version: tuple[int, int]) -> bool:
        """Return whether this is a version or a newer one."""
        return tuple(int(part) for part in self.version.split(".")[:2]) >= version


@dataclass(slots=True)
class Client:
    """A client.

    run_id: of its current run. Times are seconds since 1970, 0 for never.
    """

    user: str
    client_id: str
    run_id: str
    hostname: str
    ip: str
    version: str = "0.70.1"
    online: bool = True
    first_connected: float = 0
    last_connected: float = 0
    disconnected: float = 0

    @property
    def key(self) -> str:
        """Its unique key."""
        return ".".join(filter(None, (self.user, self.client_id)))


@dataclass(slots=True)
class Proxy:
    """A proxy.

    traffic_in, traffic_out: of today and the days before. rate: bytes per second.
    name: with the user as prefix.
    """

    name: str
    type: str
    user: str
    client_id: str
    remote_port: int = 0
    custom_domains: list[str] = field(default_factory=list)
    subdomain: str = ""
    local_ip: str = "127.0.0.1"
    online: bool = True
    connections: int = 0
    last_start: float = 0
    last_close: float = 0
    traffic_in: list[float] = field(default_factory=lambda: [0.0] * DAYS)
    traffic_out: list[float] = field(default_factory=lambda: [0.0] * DAYS)
    rate: float = 0

    @property
    def client(self) -> str:
        """The key of its client."""
        return ".".join(filter(None, (self.user, self.client_id)))


@dataclass(slots=True)
class Frps:
    """A server.

    clients: by key. proxies: by name. types: the types of all proxies so far.
    traffic_in, traffic_out: of all proxies today, including removed ones.
    """

    settings: Settings = field(default_factory=Settings)
    clients: dict[str, Client] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    types: list[str] = field(default_factory=list)
    traffic_in: float = 0
    traffic_out: float = 0


def first_state(random: Random, now: float, options: Options) -> Frps:
    """Return a server with a connected client and a disconnected one, and their proxies."""
    server = Frps()
    for number, name in enumerate(("ha", "attic")):
        online = number == 0
        client = Client(
            "alice",
            name,
            f"{random.getrandbits(64):016x}" if online else "",
            f"{name}-host",
            f"198.51.100.{7 + number}",
            online=online,
            first_connected=now - 3 * DAY,
            last_connected=now - DAY,
            disconnected=0 if online else now - 3600,
        )
        server.clients[client.key] = client
    for number in range(options.tunnels):
        sample, lap = DEMO[number % len(DEMO)], number // len(DEMO)
        online = sample is not DEMO[-1]
        proxy = Proxy(
            f"alice.{sample.name}{lap + 1 if lap else ''}",
            sample.type,
            "alice",
            "ha" if online else "attic",
            remote_port=sample.remote_port and sample.remote_port + 10 * lap,
            custom_domains=list(sample.custom_domains),
            subdomain=sample.subdomain and f"{sample.subdomain}{lap + 1 if lap else ''}",
            online=online,
            connections=number % 3 if online else 0,
            last_start=now - DAY,
            last_close=0 if online else now - 3600,
            rate=100 * (1 + number % 7) if online else 0,
        )
        proxy.traffic_in = [float(random.randrange(10**6, 10**8)) for _ in range(DAYS)]
        proxy.traffic_out = [4 * amount for amount in proxy.traffic_in]
        add(server, proxy)
    server.traffic_in = sum(proxy.traffic_in[0] for proxy in server.proxies.values())
    server.traffic_out = sum(proxy.traffic_out[0] for proxy in server.proxies.values())
    return server


def add(server: Frps, proxy: Proxy) -> None:
    """Add a proxy of a connected client."""
    server.proxies[proxy.name] = proxy
    if proxy.type not in server.types:
        server.types.append(proxy.type)


def restart(server: Frps) -> None:
    """Clear everything in memory; running clients connect again."""
    server.traffic_in = server.traffic_out = 0
    server.types.clear()
    server.clients = {key: client for key, client in server.clients.items() if client.online}
    online = [proxy for proxy in server.proxies.values() if proxy.online]
    server.proxies = {}
    for proxy in online:
        proxy.traffic_in, proxy.traffic_out = [0.0] * DAYS, [0.0] * DAYS
        add(server, proxy)


def go_offline(server: Frps, key: str, now: float) -> None:
    """Disconnect a client with its proxies."""
    client = server.clients[key]
    client.online, client.run_id, client.disconnected = False, "", now
    for proxy in server.proxies.values():
        if proxy.client == key and proxy.online:
            close(proxy, now)


def close(proxy: Proxy, now: float) -> None:
    """Take a proxy offline."""
    proxy.online, proxy.connections, proxy.last_close = False, 0, now


def open_addresses(server: Frps, host: str) -> Iterator[str]:
    """Return the public addresses of online proxies.

    host: of the server.
    """
    settings = server.settings
    ports = {"http": settings.vhost_http_port, "https": settings.vhost_https_port}
    for proxy in server.proxies.values():
        if proxy.online and proxy.remote_port:
            yield f"{host}:{proxy.remote_port}"
        elif proxy.online and proxy.type in ports:
            names = [*proxy.custom_domains]
            if proxy.subdomain:
                names.append(f"{proxy.subdomain}.{settings.subdomain_host}")
            yield from (f"{name}:{ports[proxy.type]}" for name in names)


def elapse(server: Frps, start: float, end: float) -> None:
    """Advance traffic, and days by the server's clock."""
    while start < end:
        local = start + server.settings.ahead
        midnight = start + DAY - local % DAY
        stop = min(midnight, end)
        for proxy in server.proxies.values():
            if proxy.online and proxy.rate:
                amount = proxy.rate * (stop - start)
                proxy.traffic_in[0] += amount
                proxy.traffic_out[0] += 4 * amount
                server.traffic_in += amount
                server.traffic_out += 4 * amount
        if end >= midnight:
            server.traffic_in = server.traffic_out = 0
            for proxy in server.proxies.values():
                for days in (proxy.traffic_in, proxy.traffic_out):
                    days[:] = [0.0, *days[: DAYS - 1]]
        start = stop


def has_route(settings: Settings, route: Route) -> bool:
    """Return whether this version has a route."""
    if route.path.startswith("/api/v2/"):
        return settings.is_at_least(WITH_VERSION_2)
    if route.path in ("/api/clients", "/api/proxies/{name}") and route.method == "GET":
        return settings.is_at_least(WITH_CLIENTS)
    return True


# Answers


def _moment(seconds: float, name: str) -> dict[str, int]:
    """Return a time in the format of version 2; missing if it never happened."""
    return {name: int(seconds)} if seconds else {}


def _short(server: Frps, seconds: float) -> str:
    """Return a time in the format of version 1: in the server's time zone, without a year."""
    if not seconds:
        return ""
    local = datetime.fromtimestamp(seconds, UTC) + timedelta(seconds=server.settings.ahead)
    return f"{local:%m-%d %H:%M:%S}"


def _address(proxy: Proxy) -> dict[str, object]:
    """Return the fields of a proxy's configuration for its address."""
    known = {
        "remotePort": proxy.remote_port,
        "customDomains": proxy.custom_domains,
        "subdomain": proxy.subdomain,
    }
    return {name: value for name, value in known.items() if value}


_OF_TYPE: Mapping[str, Mapping[str, object]] = {
    "http": {"locations": None, "hostHeaderRewrite": ""},
}
"""Additional fields in version 1 for a type."""


def _row(server: Frps, proxy: Proxy) -> dict[str, object]:
    """Return a proxy as in version 1."""
    configuration = {
        "name": proxy.name,
        "type": proxy.type,
        "transport": {"bandwidthLimit": "", "bandwidthLimitMode": "client"},
        "loadBalancer": {"group": ""},
        "healthCheck": {"type": "", "intervalSeconds": 0},
        "localIP": proxy.local_ip,
        "plugin": None,
        **_address(proxy),
        **_OF_TYPE.get(proxy.type, {}),
    }
    owner = {"user": proxy.user, "clientID": proxy.client_id}
    return {
        "name": proxy.name,
        "conf": configuration if proxy.online else None,
        **(owner if server.settings.is_at_least(WITH_CLIENTS) else {}),
        "todayTrafficIn": int(proxy.traffic_in[0]),
        "todayTrafficOut": int(proxy.traffic_out[0]),
        "curConns": proxy.connections,
        "lastStartTime": _short(server, proxy.last_start),
        "lastCloseTime": _short(server, proxy.last_close),
        "status": "online" if proxy.online else "offline",
    }


def _row_v2(proxy: Proxy) -> dict[str, object]:
    """Return a proxy as in version 2."""
    transport = {
        "useEncryption": False,
        "useCompression": False,
        "bandwidthLimit": "",
        "bandwidthLimitMode": "client",
    }
    specification = {"transport": transport, "loadBalancer": {"group": ""}, **_address(proxy)}
    return {
        "name": proxy.name,
        "user": proxy.user,
        "clientID": proxy.client_id,
        "spec": {"type": proxy.type, proxy.type: specification if proxy.online else {}},
        "status": {
            "phase": "online" if proxy.online else "offline",
            "todayTrafficIn": int(proxy.traffic_in[0]),
            "todayTrafficOut": int(proxy.traffic_out[0]),
            "curConns": proxy.connections,
            **_moment(proxy.last_start, "lastStartAt"),
            **_moment(proxy.last_close, "lastCloseAt"),
        },
    }


def _client_row(client: Client) -> dict[str, object]:
    return {
        "key": client.key,
        "user": client.user,
        "clientID": client.client_id,
        "runID": client.run_id,
        "version": client.version,
        "wireProtocol": "v1",
        "hostname": client.hostname,
        "clientIP": client.ip,
        "firstConnectedAt": int(client.first_connected),
        "lastConnectedAt": int(client.last_connected),
        **({} if client.online else _moment(client.disconnected, "disconnectedAt")),
        "online": client.online,
    }


def _configuration(server: Frps) -> dict[str, object]:
    settings = server.settings
    return {
        "bindPort": settings.bind_port,
        "vhostHTTPPort": settings.vhost_http_port,
        "vhostHTTPSPort": settings.vhost_https_port,
        "tcpmuxHTTPConnectPort": settings.tcpmux_port,
        "kcpBindPort": settings.kcp_port,
        "quicBindPort": settings.quic_port,
        "subdomainHost": settings.subdomain_host,
        "maxPoolCount": 5,
        "maxPortsPerClient": 0,
        "heartbeatTimeout": settings.heartbeat_timeout,
    }


def _totals(server: Frps) -> dict[str, object]:
    online = [proxy for proxy in server.proxies.values() if proxy.online]
    return {
        "totalTrafficIn": int(server.traffic_in),
        "totalTrafficOut": int(server.traffic_out),
        "curConns": sum(proxy.connections for proxy in online),
        "clientCounts": sum(client.online for client in server.clients.values()),
        "proxyTypeCount": {
            name: sum(proxy.type == name for proxy in online) for name in sorted(server.types)
        },
    }


def _sorted(proxies: Iterable[Proxy]) -> list[Proxy]:
    return sorted(proxies, key=lambda proxy: (proxy.type, proxy.name))


# Version 1


@ROUTES.on("GET", "/healthz", "frps")
def healthz(_: FrpService, __: Call) -> Answer:
    """Report that the program is running."""
    return nothing()


@ROUTES.on("GET", "/api/serverinfo", "frps")
def serverinfo(service: FrpService, _: Call) -> Answer:
    """Return the server."""
    server = service.state.server
    return {"version": server.settings.version, **_configuration(server), **_totals(server)}


@ROUTES.on("GET", "/api/clients", "frps")
def clients(service: FrpService, _: Call) -> Answer:
    """Return all clients."""
    return [_client_row(client) for client in service.state.server.clients.values()]


@ROUTES.on("GET", "/api/proxy/{name}", "frps")
def proxies_of(service: FrpService, call: Call) -> Answer:
    """Return the proxies of a type, which need not exist."""
    server = service.state.server
    found = [proxy for proxy in server.proxies.values() if proxy.type == call.params["name"]]
    return {"proxies": [_row(server, proxy) for proxy in _sorted(found)]}


def _found(service: FrpService, call: Call) -> Proxy:
    try:
        return service.state.server.proxies[call.params["name"]]
    except KeyError:
        raise refuse(404, "no proxy info found") from None


@ROUTES.on("GET", "/api/proxies/{name}", "frps")
def proxy(service: FrpService, call: Call) -> Answer:
    """Return a proxy."""
    return _row(service.state.server, _found(service, call))


@ROUTES.on("GET", "/api/traffic/{name}", "frps")
def traffic(service: FrpService, call: Call) -> Answer:
    """Return the traffic of a proxy, today's first."""
    found = _found(service, call)
    return {
        "name": found.name,
        "trafficIn": list(map(int, found.traffic_in)),
        "trafficOut": list(map(int, found.traffic_out)),
    }


@ROUTES.on("DELETE", "/api/proxies", "frps")
def delete_offline_proxies(service: FrpService, call: Call) -> Answer:
    """Remove the proxies that are offline."""
    if call.query.get("status") != "offline":
        raise refuse(400, "status only support offline")
    _forget_offline(service.state.server)
    return {"Code": 200, "Msg": "success"}


def _forget_offline(server: Frps) -> tuple[int, int]:
    """Remove the offline proxies; return their number, and the total number."""
    total = len(server.proxies)
    server.proxies = {name: proxy for name, proxy in server.proxies.items() if proxy.online}
    return total - len(server.proxies), total


# Version 2


def _data(data: Mapping[str, object]) -> Answer:
    return {"code": 200, "msg": "success", "data": data}


def _refuse(status: int, words: str) -> RefusedError:
    return RefusedError(as_response({"code": status, "msg": words, "data": None}, status))


def _page(call: Call, rows: Sequence[object]) -> Answer:
    """Return a page of a list."""
    number, size = (
        int(call.query.get(name, usual)) for name, usual in (("page", 1), ("pageSize", PAGE_SIZE))
    )
    if not 1 <= size <= LARGEST_PAGE:
        raise _refuse(400, f"pageSize must be between 1 and {LARGEST_PAGE}")
    items = rows[(number - 1) * size : number * size]
    return _data({"total": len(rows), "page": number, "pageSize": size, "items": items})


@ROUTES.on("GET", "/api/v2/system/info", "frps")
def system_info(service: FrpService, _: Call) -> Answer:
    """Return the server."""
    server = service.state.server
    return _data(
        {
            "version": server.settings.version,
            "config": {**_configuration(server), "allowPortsStr": "", "tlsForce": False},
            "status": _totals(server),
        }
    )


@ROUTES.on("GET", "/api/v2/clients", "frps")
def clients_v2(service: FrpService, call: Call) -> Answer:
    """Return a page of the clients."""
    return _page(call, [_client_row(client) for client in service.state.server.clients.values()])


@ROUTES.on("GET", "/api/v2/clients/{name}", "frps")
def client_v2(service: FrpService, call: Call) -> Answer:
    """Return a client."""
    server, key = service.state.server, call.params["name"]
    if (found := server.clients.get(key)) is None:
        raise _refuse(404, f"client {key} not found")
    own = [proxy for proxy in server.proxies.values() if proxy.client == key]
    status = {
        "phase": "online" if found.online else "offline",
        "curConns": sum(proxy.connections for proxy in own),
        "proxyCount": sum(proxy.online for proxy in own),
    }
    return _data({**_client_row(found), "status": status})


@ROUTES.on("GET", "/api/v2/users", "frps")
def users(service: FrpService, call: Call) -> Answer:
    """Return a page of the users."""
    server = service.state.server
    names = sorted({client.user for client in server.clients.values()})
    rows = [
        {
            "user": name,
            "clientCount": sum(client.user == name for client in server.clients.values()),
            "proxyCount": sum(proxy.user == name for proxy in server.proxies.values()),
        }
        for name in names
    ]
    return _page(call, rows)


_FILTERS: Mapping[str, Callable[[Proxy, str], bool]] = {
    "status": lambda proxy, wanted: ("online" if proxy.online else "offline") == wanted,
    "type": lambda proxy, wanted: proxy.type == wanted,
    "user": lambda proxy, wanted: proxy.user == wanted,
    "q": lambda proxy, wanted: wanted in proxy.name,
}


@ROUTES.on("GET", "/api/v2/proxies", "frps")
def proxies_v2(service: FrpService, call: Call) -> Answer:
    """Return a page of the requested proxies."""
    wanted = {name: call.query[name] for name in _FILTERS.keys() & call.query.keys()}
    found = [
        proxy
        for proxy in service.state.server.proxies.values()
        if all(_FILTERS[name](proxy, value) for name, value in wanted.items())
    ]
    return _page(call, [_row_v2(proxy) for proxy in _sorted(found)])


def _found_v2(service: FrpService, call: Call) -> Proxy:
    try:
        return service.state.server.proxies[call.params["name"]]
    except KeyError:
        raise _refuse(404, "no proxy info found") from None


@ROUTES.on("GET", "/api/v2/proxies/{name}", "frps")
def proxy_v2(service: FrpService, call: Call) -> Answer:
    """Return a proxy."""
    return _data(_row_v2(_found_v2(service, call)))


@ROUTES.on("GET", "/api/v2/proxies/{name}/traffic", "frps")
def traffic_v2(service: FrpService, call: Call) -> Answer:
    """Return the traffic of a proxy, the oldest day first."""
    found, server = _found_v2(service, call), service.state.server
    today = datetime.fromtimestamp(service.now() + server.settings.ahead, UTC).date()
    history = [
        {
            "date": f"{today - timedelta(days=ago)}",
            "trafficIn": int(found.traffic_in[ago]),
            "trafficOut": int(found.traffic_out[ago]),
        }
        for ago in reversed(range(DAYS))
    ]
    return _data({"name": found.name, "unit": "bytes", "granularity": "day", "history": history})


@ROUTES.on("POST", "/api/v2/system/prune", "frps")
def prune(service: FrpService, call: Call) -> Answer:
    """Remove the proxies that are offline."""
    if call.query.get("type") != "offline_proxies":
        raise _refuse(400, "type must be one of offline_proxies")
    cleared, total = _forget_offline(service.state.server)
    return _data({"type": "offline_proxies", "cleared": cleared, "total": total})
