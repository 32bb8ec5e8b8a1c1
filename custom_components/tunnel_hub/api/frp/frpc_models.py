"""Converts the proxies of frpc to tunnels."""

from collections.abc import Mapping

from .. import coerce
from ..models.tunnels import Tunnel, TunnelPhase, TunnelSource
from ..rows import Row, RowParser, field
from .frpc_client import is_usable

PROXY_TYPES = ("tcp", "udp", "http", "https", "tcpmux", "stcp", "sudp", "xtcp")
WITH_PORT = frozenset({"tcp", "udp"})
"""Types with a port at the server."""
WITH_DOMAIN = frozenset({"http", "https", "tcpmux"})
WITH_SECRET = frozenset({"stcp", "sudp", "xtcp"})
"""Types that are reached through a visitor with the secret key."""

_PHASES: Mapping[object, TunnelPhase] = {
    "new": TunnelPhase.NEW,
    "wait start": TunnelPhase.WAIT_START,
    "start error": TunnelPhase.START_ERROR,
    "running": TunnelPhase.RUNNING,
    "check failed": TunnelPhase.CHECK_FAILED,
    "closed": TunnelPhase.CLOSED,
}
_NO_SERVER = frozenset({"", "::", ".".join("0000")})
"""The value of a server address that is not in frpc's file."""
REMEMBERED = ("type", "local_addr", "remote_addr", "source")
"""Fields that are remembered while frpc does not list a proxy."""


def fields_of(stored: Row) -> Row:
    """Return the fields of a proxy of the store, which are below the name of its type."""
    block = stored.get(coerce.text(stored.get("type")) or "")
    return block if isinstance(block, dict) else {}


def is_enabled(stored: Row) -> bool:
    """Return whether a proxy of the store is enabled, which is the default."""
    return coerce.boolean(fields_of(stored).get("enabled")) is not False


def server_in(running: Row) -> str | None:
    """Return the server address in the status of a proxy, or None."""
    if coerce.text(running.get("type")) not in WITH_PORT:
        return None
    host = _split(running.get("remote_addr"))[0]
    return None if host in _NO_SERVER else host


def proxy_row(
    name: str, *, running: Row | None, stored: Row | None, known: Row | None, server: str | None
) -> Row:
    """Return everything that is known of a proxy as one row.

    running, stored, known: from the status, from the store, as last listed; None if it is not
    there.
    server: the public host of the server, if it is known.
    """
    values = {**(known or {}), **_not_empty(stored), **_not_empty(running)}
    is_stored = stored is not None or (running or {}).get("source") == TunnelSource.STORE
    row: dict[str, object] = {
        "name": name,
        "type": coerce.text(values.get("type")),
        "local_addr": values.get("local_addr"),
        "remote_addr": values.get("remote_addr"),
        "server": server,
        "source": TunnelSource.STORE if is_stored else TunnelSource.FILE,
        "editable": stored is not None and is_usable(name),
        "enabled": None,
        "phase": TunnelPhase.OFFLINE,
        "err": (running or {}).get("err"),
    }
    if stored is not None:
        row["enabled"] = is_enabled(stored)
        if not row["enabled"]:
            row["phase"] = TunnelPhase.DISABLED
    if running is not None:
        row["phase"] = _PHASES.get(coerce.text(running.get("status")))
    if stored is not None and not (running or {}).get("remote_addr"):
        row |= _addresses(fields_of(stored), row)
    return row


def _not_empty(row: Row | None) -> Row:
    return {name: value for name, value in (row or {}).items() if value not in (None, "")}


def _addresses(block: Row, row: Row) -> Row:
    """Return the addresses of a proxy in the store, which are used while it does not run."""
    port = coerce.count(block.get("localPort"))
    host = coerce.text(block.get("localIP")) or "127.0.0.1"
    found: dict[str, object] = {"local_addr": coerce.host_port(host, port) if port else None}
    if row["type"] in WITH_PORT and (port := coerce.count(block.get("remotePort"))):
        host = _split(row["remote_addr"])[0]
        found["remote_addr"] = f"{host}:{port}"
    elif row["type"] in WITH_DOMAIN and not row["remote_addr"]:
        found["remote_addr"] = next(iter(coerce.texts(block.get("customDomains"))), None)
    return found


def _split(address: object) -> tuple[str, int | None]:
    """Return host and port of "host:port" or ":port". An IPv6 host has no brackets."""
    host, _, port = (coerce.text(address) or "").rpartition(":")
    return host.strip("[]"), coerce.count(port)


def _public_address(row: Row) -> str | None:
    """Return the address of a tunnel: the server's port, or the first of its domains."""
    if coerce.text(row.get("type")) not in WITH_PORT:
        return (coerce.text(row.get("remote_addr")) or "").partition(",")[0].strip() or None
    host, port = _split(row.get("remote_addr"))
    host = coerce.text(row.get("server")) or ("" if host in _NO_SERVER else host)
    return coerce.host_port(host, port) if host and port else None


PROXY = RowParser(
    Tunnel,
    id=lambda row: row["name"],
    name=field("name", coerce.text),
    editable=lambda row: row["editable"],
    enabled=lambda row: row["enabled"],
    error=field("err", coerce.text),
    local_address=field("local_addr", coerce.text),
    online=lambda row: None if row["phase"] is None else row["phase"] is TunnelPhase.RUNNING,
    phase=lambda row: row["phase"],
    protocol=lambda row: row["type"],
    public_address=_public_address,
    source=lambda row: row["source"],
)
