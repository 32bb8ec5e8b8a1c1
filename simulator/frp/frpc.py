"""frpc, the client: its proxies in the file and in the store, and its admin API.

The answers are those of version 0.70, see tests/real_answers. A request for a name with a slash
does not reach its handler, because the router uses the decoded path.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web

from simulator.service import Answer, Call, RefusedError, Route

from .wire import ROUTES, nothing, refuse, require_password, text

if TYPE_CHECKING:
    from .service import FrpService

type Block = dict[str, Any]
"""The fields of a proxy or visitor, below the name of its type."""
type Kind = Literal["proxy", "visitor"]

PROXY_TYPES = ("tcp", "udp", "http", "https", "tcpmux", "stcp", "sudp", "xtcp")
VISITOR_TYPES = ("stcp", "sudp", "xtcp")
TYPES: Mapping[Kind, tuple[str, ...]] = {"proxy": PROXY_TYPES, "visitor": VISITOR_TYPES}
WITH_PORT = ("tcp", "udp")
WITH_DOMAIN = ("http", "https", "tcpmux")
FIRST_FREE_PORT = 20_000
"""The port that the server assigns to a proxy without one."""

_DOMAIN = {"customDomains": list, "subdomain": str}
_SECRET = {"secretKey": str, "allowUsers": list}
_COMMON: Mapping[str, type | tuple[type, ...]] = {
    "enabled": bool,
    "annotations": dict,
    "transport": dict,
    "metadatas": dict,
    "loadBalancer": dict,
    "healthCheck": dict,
    "localIP": str,
    "localPort": int,
    "plugin": (dict, type(None)),
}
_OF_TYPE: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "tcp": {"remotePort": int},
    "udp": {"remotePort": int},
    "http": {
        **_DOMAIN,
        "locations": list,
        "httpUser": str,
        "httpPassword": str,
        "hostHeaderRewrite": str,
        "requestHeaders": dict,
        "responseHeaders": dict,
        "routeByHTTPUser": str,
    },
    "https": _DOMAIN,
    "tcpmux": {
        **_DOMAIN,
        "httpUser": str,
        "httpPassword": str,
        "routeByHTTPUser": str,
        "multiplexer": str,
    },
    "stcp": _SECRET,
    "sudp": _SECRET,
    "xtcp": {**_SECRET, "natTraversal": dict},
}
_VISITOR: Mapping[str, type | tuple[type, ...]] = {
    "enabled": bool,
    "transport": dict,
    "secretKey": str,
    "serverUser": str,
    "serverName": str,
    "bindAddr": str,
    "bindPort": int,
    "plugin": (dict, type(None)),
}
_PARTS: Mapping[str, Mapping[str, object]] = {
    "transport": {"bandwidthLimit": ""},
    "loadBalancer": {"group": ""},
    "healthCheck": {"type": "", "intervalSeconds": 0},
}
"""Fields that these objects always contain."""
_HEADERS = ("requestHeaders", "responseHeaders")
_NOT_OMITTED = frozenset({"plugin", *_PARTS, *_HEADERS})
"""Fields that are returned although they are empty."""
_KEY_EXPECTED = "looking for beginning of object key string"
_VALUE_EXPECTED = "looking for beginning of value"

CONFIG = """\
serverAddr = "frp.example.com"
serverPort = 7000
user = "alice"
clientID = "ha"
auth.token = "the-token-of-the-server"
loginFailExit = false
webServer.addr = "127.0.0.1"
webServer.port = 7400
webServer.user = "admin"
webServer.password = "frpc-password"
store.path = "/var/lib/frpc/store.json"
"""
_HOME = """
[[proxies]]
localIP = "{host}"
localPort = {local}
"""
_FILE = tuple(
    _HOME + proxy
    for proxy in (
        'name = "nas{lap}"\ntype = "tcp"\nremotePort = 6{more:02}1\n',
        'name = "game{lap}"\ntype = "udp"\nremotePort = 6{more:02}2\n',
        'name = "web{lap}"\ntype = "http"\nsubdomain = "web{lap}"\n',
        'name = "shop{lap}"\ntype = "https"\ncustomDomains = ["shop{lap}.example.com"]\n',
    )
)
"""The proxies of the file, repeated; the simulated frps has them, too."""
_STORED = ("camera", "desktop", "printer")


@dataclass(slots=True)
class Frpc:
    """The state of frpc.

    config: the text of its file, which applies after the next start or reload.
    file: the proxies of the file by name, as they were when it was read; each with its type.
    store, visitors: by name, each with its type; those that the user has added.
    has_store: whether the file sets `store.path`; versions before 0.68 have no store.
    username, password: of the admin API; not required if both are "".
    user, client_id: its identity at frps. server: the address of frps in the file.
    is_connected: whether it is connected to frps.
    subdomain_host, http_port, https_port: the configuration of frps.
    phases: (status, err) of proxies with problems.
    """

    config: str = CONFIG
    file: dict[str, Block] = field(default_factory=dict)
    store: dict[str, Block] = field(default_factory=dict)
    visitors: dict[str, Block] = field(default_factory=dict)
    has_store: bool = True
    username: str = "admin"
    password: str = "frpc-password"
    user: str = "alice"
    client_id: str = "ha"
    server: str = "frp.example.com"
    is_connected: bool = True
    subdomain_host: str = "example.test"
    http_port: int = 8088
    https_port: int = 8443
    phases: dict[str, tuple[str, str]] = field(default_factory=dict)

    def read_file(self) -> None:
        """Apply the file; raises ValueError for invalid TOML."""
        read = tomllib.loads(self.config)
        self.server = read.get("serverAddr", "0.0.0.0")
        self.file = {row["name"]: dict(row) for row in read.get("proxies", ())}

    def entries(self, kind: Kind) -> dict[str, Block]:
        """Return the store by name."""
        return self.store if kind == "proxy" else self.visitors

    def running(self) -> dict[str, Block]:
        """Return the running proxies by name; those of the store replace those of the file."""
        if not self.is_connected:
            # There are no running proxies before frpc is connected to frps.
            return {}
        store = self.store if self.has_store else {}
        known = {**self.file, **store}
        return {
            name: completed(known[name])
            for name in sorted(known)
            if known[name].get("enabled") is not False
        }


def first_state(tunnels: int) -> Frpc:
    """Return a client with some proxies in its file, and half as many in its store."""
    client = Frpc()
    for number in range(tunnels):
        sample, lap = _FILE[number % len(_FILE)], number // len(_FILE)
        client.config += sample.format(
            lap=lap + 1 if lap else "", host=f"192.0.2.{number + 1}", local=8001 + number, more=lap
        )
    client.read_file()
    for number in range(tunnels // 2):
        name = f"{_STORED[number % len(_STORED)]}{number // len(_STORED) or ''}"
        client.store[name] = {
            "name": name,
            "type": "tcp",
            "localIP": "192.0.2.100",
            "localPort": 9001 + number,
            "remotePort": 6101 + number,
        }
    return client


def completed(block: Block) -> Block:
    """Return a proxy with the defaults that frpc adds."""
    whole = deepcopy(block)
    whole["localIP"] = whole.get("localIP") or "127.0.0.1"
    transport = whole.setdefault("transport", {})
    transport["bandwidthLimitMode"] = transport.get("bandwidthLimitMode") or "client"
    return whole


def guard(client: Frpc, call: Call, route: Route) -> None:
    """Raise RefusedError for a call that is not authorized."""
    if route.path == "/healthz":
        return
    is_missing = route.path.startswith("/api/store/") and not client.has_store
    # The router uses the decoded path, in which a slash is a separator.
    if is_missing or "/" in call.params.get("name", ""):
        raise RefusedError(text("404 page not found", 404))
    require_password(call, client.username, client.password)


# Status


@ROUTES.on("GET", "/healthz", "frpc")
def healthz(_: FrpService, __: Call) -> Answer:
    """Report that the program is running; requires no password."""
    return nothing()


@ROUTES.on("GET", "/api/status", "frpc")
def status(service: FrpService, _: Call) -> Answer:
    """Return the running proxies by type."""
    rows: dict[str, list[dict[str, object]]] = {}
    for name, block, phase, error, address in running_proxies(service.state.client):
        row = {
            "name": name,
            "type": block["type"],
            "status": phase,
            "err": error,
            "local_addr": _local_address(block),
            "plugin": (block.get("plugin") or {}).get("type", ""),
            "remote_addr": "" if error else address,
        }
        if service.state.client.has_store and name in service.state.client.store:
            row["source"] = "store"
        rows.setdefault(block["type"], []).append(row)
    return {type_: sorted(rows[type_], key=lambda row: str(row["name"])) for type_ in sorted(rows)}


def running_proxies(state: Frpc) -> Iterator[tuple[str, Block, str, str, str]]:
    """Return name, fields, status, error and remote address of each running proxy."""
    taken = set[object]()
    running = state.running()
    # Those of the file were started first.
    for name in sorted(running, key=lambda name: (name in state.store, name)):
        block = running[name]
        phase, error = state.phases.get(name, ("running", ""))
        places = _places(state, block)
        if name not in state.phases and taken & set(places):
            what = "port already used" if block["type"] in WITH_PORT else "router config conflict"
            phase, error = "start error", what
        elif phase == "running":
            taken |= set(places)
        was_started = phase in ("running", "check failed")
        yield name, block, phase, error, ",".join(places) if was_started else ""


def open_addresses(state: Frpc) -> Iterator[str]:
    """Return the public addresses of running proxies with a port; frps returns domains."""
    for _, block, phase, _, address in running_proxies(state):
        if phase == "running" and block["type"] in WITH_PORT:
            yield address


def _places(state: Frpc, block: Block) -> list[str]:
    """Return the addresses that the server assigns to a proxy."""
    kind = block["type"]
    if kind in WITH_PORT:
        port = block.get("remotePort") or FIRST_FREE_PORT + sum(map(ord, block["name"]))
        return [f"{state.server}:{port}"]
    if kind not in WITH_DOMAIN:
        return []
    domains = list(block.get("customDomains", ()))
    if subdomain := block.get("subdomain"):
        domains.append(f"{subdomain}.{state.subdomain_host}")
    port = state.https_port if kind == "https" else state.http_port
    return [name if port in (80, 443) else f"{name}:{port}" for name in domains]


@ROUTES.on("GET", "/api/proxy/{name}/config", "frpc")
def proxy_config(service: FrpService, call: Call) -> Answer:
    """Return the configuration of a proxy that runs or is in the store."""
    name = call.params["name"]
    block = service.state.client.running().get(name)
    if block is None and service.state.client.has_store:
        block = service.state.client.store.get(name)
    if block is None:
        raise refuse(404, f'proxy "{name}" not found')
    return _definition(block)


# The configuration file


@ROUTES.on("GET", "/api/config", "frpc")
def config(service: FrpService, _: Call) -> Answer:
    """Return the file, including the token."""
    return web.Response(text=service.state.client.config)


@ROUTES.on("PUT", "/api/config", "frpc")
def put_config(service: FrpService, call: Call) -> Answer:
    """Replace the file."""
    if not (raw := _raw(call)):
        raise refuse(400, "body can't be empty")
    service.state.client.config = raw.decode()
    return nothing()


@ROUTES.on("GET", "/api/reload", "frpc")
def reload(service: FrpService, _: Call) -> Answer:
    """Reload the file."""
    try:
        service.state.client.read_file()
    except ValueError as err:
        raise refuse(400, f"invalid argument: toml: {err}") from None
    return nothing()


@ROUTES.on("POST", "/api/stop", "frpc")
def stop(service: FrpService, _: Call) -> Answer:
    """Stop frpc; the simulated one only disconnects from its server."""
    service.state.client.is_connected = False
    return nothing()


# The store


def _list(kind: Kind, key: str, service: FrpService, _: Call) -> Answer:
    rows = service.state.client.entries(kind)
    return {key: [_definition(rows[name]) for name in sorted(rows)]}


def _get(kind: Kind, service: FrpService, call: Call) -> Answer:
    name = call.params["name"]
    if (block := service.state.client.entries(kind).get(name)) is None:
        raise refuse(404, f'not found: {kind} "{name}"')
    return _definition(block)


def _create(kind: Kind, service: FrpService, call: Call) -> Answer:
    block = _read(kind, call)
    if block["name"] in service.state.client.entries(kind):
        raise refuse(409, f'conflict: already exists: {kind} "{block["name"]}"')
    service.state.client.entries(kind)[block["name"]] = block
    return _definition(block)


def _update(kind: Kind, service: FrpService, call: Call) -> Answer:
    name = call.params["name"]
    block = _read(kind, call, name)
    if name not in service.state.client.entries(kind):
        raise refuse(404, f'not found: not found: {kind} "{name}"')
    service.state.client.entries(kind)[name] = block
    return _definition(block)


def _delete(kind: Kind, service: FrpService, call: Call) -> Answer:
    name = call.params["name"]
    if service.state.client.entries(kind).pop(name, None) is None:
        raise refuse(404, f'not found: not found: {kind} "{name}"')
    return nothing()


_COLLECTIONS: tuple[tuple[Kind, str], ...] = (("proxy", "proxies"), ("visitor", "visitors"))
for _kind, _key in _COLLECTIONS:
    for _method, _path, _handler in (
        ("GET", "", partial(_list, _kind, _key)),
        ("POST", "", partial(_create, _kind)),
        ("GET", "/{name}", partial(_get, _kind)),
        ("PUT", "/{name}", partial(_update, _kind)),
        ("DELETE", "/{name}", partial(_delete, _kind)),
    ):
        ROUTES.on(_method, f"/api/store/{_key}{_path}", "frpc")(_handler)


# Requests


def _raw(call: Call) -> bytes:
    return call.body if isinstance(call.body, bytes) else json.dumps(call.body).encode()


def _parsed(call: Call) -> Block:
    """Return the JSON object of a body, or refuse it with the messages of Go's parser."""
    raw = _raw(call).decode(errors="replace")
    try:
        body = json.loads(raw)
    except json.JSONDecodeError as err:
        if err.pos >= len(raw):
            raise refuse(400, "parse JSON error: unexpected end of JSON input") from None
        expected = _KEY_EXPECTED if "property name" in err.msg else _VALUE_EXPECTED
        raise refuse(
            400, f"parse JSON error: invalid character '{raw[err.pos]}' {expected}"
        ) from None
    if not isinstance(body, dict):
        raise refuse(400, "parse JSON error: json: cannot unmarshal value into Go value")
    return body


def _read(kind: Kind, call: Call, path_name: str | None = None) -> Block:
    """Return a proxy or visitor as it will be stored, or refuse it."""
    body = _parsed(call)
    name, type_ = body.get("name", ""), body.get("type", "")
    if not isinstance(name, str) or not isinstance(type_, str):
        raise refuse(400, "parse JSON error: json: cannot unmarshal number into Go struct field")
    if not name.strip():
        raise refuse(400, f"{kind} name is required")
    if type_ not in TYPES[kind]:
        raise refuse(400, f"invalid {kind} type: {type_}")
    if path_name is not None and path_name != name:
        raise refuse(400, f"{kind} name in URL must match name in body")
    blocks = [known for known in TYPES[kind] if body.get(known) is not None]
    if len(blocks) != 1:
        raise refuse(400, f"exactly one {kind} type block is required")
    if blocks != [type_]:
        raise refuse(400, f'{kind} type block "{blocks[0]}" does not match type "{type_}"')
    block = _known_fields(kind, type_, body[type_])
    if kind == "proxy" and (problem := _problem(type_, completed(block))):
        raise refuse(400, f"invalid argument: validation error: {problem}")
    return {"name": name, "type": type_, **block}


def _known_fields(kind: Kind, type_: str, sent: object) -> Block:
    """Return the known fields; frpc drops others."""
    if not isinstance(sent, dict):
        raise refuse(400, "parse JSON error: json: cannot unmarshal value into Go struct field")
    fields = _VISITOR if kind == "visitor" else {**_COMMON, **_OF_TYPE[type_]}
    block = {}
    for name, value in sent.items():
        if name not in fields or (value is None and name != "plugin"):
            continue
        if not isinstance(value, fields[name]) or (fields[name] is int and value is True):
            raise refuse(
                400, f"parse JSON error: json: cannot unmarshal value into Go struct field .{name}"
            )
        block[name] = deepcopy(value)
    return block


def _problem(type_: str, block: Block) -> str | None:
    """Return why a proxy is invalid, or None."""
    port, plugin = block.get("localPort", 0), block.get("plugin")
    if not plugin and not 0 <= port <= 65535:
        return f"localPort: localPort: port number {port} must be in the range 0..65535"
    if type_ in WITH_DOMAIN and not (block.get("customDomains") or block.get("subdomain")):
        return "subdomain and custom domains should not be both empty"
    if type_ == "tcpmux" and block.get("multiplexer") != "httpconnect":
        return f"not support multiplexer: {block.get('multiplexer', '')}"
    return None


# Answers


def _definition(block: Block) -> Block:
    """Return a proxy or visitor as frpc does: name and type twice, and many empty fields."""
    name, type_ = block["name"], block["type"]
    row = {"plugin": None, **{part: {} for part in _PARTS}, **deepcopy(block)}
    if type_ == "http":
        row = {**{part: {} for part in _HEADERS}, **row}
    for part, least in _PARTS.items():
        row[part] = {**least, **_without_empty(row[part])}
    whole = {key: value for key, value in row.items() if key in _NOT_OMITTED or _is_returned(value)}
    return {"name": name, "type": type_, type_: {**whole, "name": name, "type": type_}}


def _is_returned(value: object) -> bool:
    return value is False or bool(value)


def _without_empty(fields: Block) -> Block:
    return {key: value for key, value in fields.items() if value}


def _local_address(block: Block) -> str:
    if not (port := block.get("localPort")):
        return ""
    host = block["localIP"]
    return f"[{host}]:{port}" if re.search(":", host) else f"{host}:{port}"
