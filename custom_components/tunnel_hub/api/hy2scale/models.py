"""Converts HY2 SCALE's rows to resources, with the names of both generations."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, time
from hashlib import sha256
from itertools import islice

from .. import coerce
from ..models.certificates import Certificate, Certificates
from ..models.mesh import (
    Address,
    Hub,
    Link,
    Peer,
    PeerDirection,
    Proxy,
    Rule,
    Session,
    TunMode,
    Upgrade,
    UpgradeState,
    User,
    Vpn,
    WireGuard,
    WireGuardPeer,
)
from ..models.tunnels import Tunnel, TunnelState
from ..rows import Row, RowParser, Source, field, rows_of
from ..time_slices import iterate

ACCOUNT = "account"
"""The id of the node's own resource."""
SHADOWSOCKS = "ss"
NOT_SENT = "~"
"""The prefix of field names that the node does not have."""
ID, TITLE = f"{NOT_SENT}id", f"{NOT_SENT}title"
ABOVE, EXIT_PATH = f"{NOT_SENT}above", f"{NOT_SENT}exit_path"
"""A resource's id and name, where what the node calls it is no id."""

_FLAGS = ("conflict", "incompatible", "native", "unsupported")
"""Fields that a peer's row only contains if they are true."""


def _account(_: Row) -> str:
    return ACCOUNT


def flag(name: str) -> Source:
    """Return a field that a row only contains if it is true."""
    return lambda row: bool(coerce.boolean(row.get(name)))


def progress(value: object) -> float | None:
    """Return the progress of a download, in percent."""
    percent = coerce.percentage(value)
    return None if percent is None else min(percent, 100.0)


def _choice[E: (PeerDirection, UpgradeState)](kind: type[E], value: object) -> E | None:
    words = coerce.text(value)
    return kind(words) if words in set(kind) else None


# The node


def _paths(row: Row) -> tuple[tuple[str, str], ...] | None:
    paths = row.get("active_paths")
    if not isinstance(paths, dict):
        return None
    known = (
        (exit_, path)
        for name, value in sorted(paths.items())
        if (exit_ := coerce.text(name)) and (path := coerce.text(value))
    )
    return tuple(islice(known, coerce.MAX_ITEMS))


HUB = RowParser(
    Hub,
    id=_account,
    name=lambda row: coerce.text(row.get("name")) or coerce.text(row.get("node_id")),
    active_paths=_paths,
    compat=field("compat", coerce.boolean),
    connections=field("conns", coerce.count),
    exit_clients=field("exit_clients", coerce.count),
    exit_node=field("exit_node", coerce.boolean),
    limited=field("limited", coerce.boolean),
    rate_in=field("rx_rate", coerce.count),
    rate_out=field("tx_rate", coerce.count),
    sessions=field("sessions", coerce.count),
    traffic_in=field("rx_bytes", coerce.count),
    traffic_out=field("tx_bytes", coerce.count),
    version=field("version", coerce.text),
)

TUN_MODE = RowParser(
    TunMode,
    id=_account,
    tun_mode=lambda row: (
        coerce.text(row.get("mode")) if coerce.boolean(row.get("enabled")) else "off"
    ),
)

WIREGUARD = RowParser(
    WireGuard,
    id=_account,
    wireguard_connected=field("connected", coerce.count),
    wireguard_enabled=field("enabled", coerce.boolean),
    wireguard_peers=lambda row: len(rows_of(row.get("peers"))),
    wireguard_port=field("listen_port", coerce.count),
    wireguard_running=field("running", coerce.boolean),
)

VPN = RowParser(
    Vpn,
    id=_account,
    **{
        f"{server}_{name}": field(f"{server}_{raw}", read)
        for server in ("ikev2", "l2tp")
        for name, raw, read in (
            ("capable", "capable", coerce.boolean),
            ("enabled", "enabled", coerce.boolean),
            ("reason", "reason", coerce.text),
        )
    },
)

UPGRADE = RowParser(
    Upgrade,
    id=_account,
    current=field("current", coerce.text),
    installable=field("in_docker", coerce.boolean),
    latest=field("latest", coerce.text),
    progress=field("progress", progress),
    state=lambda row: _choice(UpgradeState, row.get("state")),
)


# The mesh


def _addresses(row: Row) -> tuple[Address, ...]:
    return tuple(
        Address(
            address=address,
            status=coerce.text(status.get("status")),
        )
        for status in rows_of(row.get("ip_statuses"))[: coerce.MAX_ITEMS]
        if (address := coerce.text(status.get("addr")))
    )


def is_exit(row: Row) -> bool | None:
    """Return whether a peer is an exit. For outbound peers, nodes always return false."""
    said = coerce.boolean(row.get("exit_node"))
    return None if row.get("direction") == PeerDirection.OUTBOUND and not said else said


def latency(row: Row) -> int | None:
    """Return milliseconds; 0 of a disconnected peer means none."""
    connected = coerce.boolean(row.get("connected"))
    return None if connected is False else coerce.count(row.get("latency_ms"))


_LINK: dict[str, Source] = {
    "id": field(ID, coerce.identifier),
    "name": field(TITLE, coerce.text),
    "above": field(ABOVE, coerce.text),
    "addresses": _addresses,
    "direction": lambda row: _choice(PeerDirection, row.get("direction")),
    "exit_node": is_exit,
    "exit_path": field(EXIT_PATH, coerce.text),
    "latency": latency,
    "nested": field("nested", coerce.boolean),
    "rate_in": field("rx_rate", coerce.count),
    "rate_out": field("tx_rate", coerce.count),
    "version": field("version", coerce.text),
    **{name: flag(name) for name in _FLAGS},
}

LINK = RowParser(Link, **_LINK)
PEER = RowParser(
    Peer,
    **_LINK,
    connected=field("connected", coerce.boolean),
    enabled=lambda row: not coerce.boolean(row.get("disabled")),
)


def _tunnel_state(row: Row) -> TunnelState | None:
    if coerce.boolean(row.get("disabled")):
        return TunnelState.DISABLED
    connected = coerce.boolean(row.get("connected"))
    if connected is None:
        return None
    return TunnelState.ONLINE if connected else TunnelState.OFFLINE


TUNNEL = RowParser(
    Tunnel,
    id=field(ID, coerce.identifier),
    name=field(TITLE, coerce.text),
    enabled=lambda row: not coerce.boolean(row.get("disabled")),
    online=field("connected", coerce.boolean),
    protocol=lambda _: "hysteria2",
    public_address=field("addr", coerce.text),
    state=_tunnel_state,
)


# Users, rules and servers


def _limit(row: Row) -> int | None:
    """Return bytes; the documented generation uses units of 1024**3."""
    if "traffic_limit" in row:
        return coerce.count(row["traffic_limit"]) or None
    return coerce.gigabytes(row.get("traffic_limit_gb")) or None


def _usage(row: Row) -> float | None:
    usage = coerce.percentage_of(coerce.count(row.get("traffic_used")), _limit(row))
    return None if usage is None else round(usage, 1)


def _expires(row: Row) -> datetime | None:
    """Return the beginning of the first day (UTC) without access."""
    day = coerce.day(row.get("expiry_date")) or coerce.day(row.get("expiry"))
    return None if day is None else datetime.combine(day, time(), UTC)


def exit_path(row: Row) -> str | None:
    """Return the first path, "" for the node itself, which some rows omit.

    None for a path that is unknown or cannot be shown.
    """
    path = row.get("exit_via", "")
    return "" if path == "" else coerce.text(path)


_EXIT: dict[str, Source] = {
    "exit_path": exit_path,
    "exits": lambda row: row["exits"],
    "exits_down": lambda row: row["exits_down"],
}

USER = RowParser(
    User,
    **_EXIT,
    id=field("id", coerce.identifier),
    name=field("username", coerce.text),
    conflicts=lambda row: row["conflicts"],
    enabled=field("enabled", coerce.boolean),
    expires=_expires,
    traffic_limit=_limit,
    traffic_usage=_usage,
    traffic_used=field("traffic_used", coerce.count),
)

RULE = RowParser(
    Rule,
    **_EXIT,
    id=field("id", coerce.identifier),
    name=lambda row: coerce.text(row.get("name")) or coerce.identifier(row.get("id")),
    enabled=field("enabled", coerce.boolean),
    priority=lambda row: coerce.count(row.get("priority", 0)),
    targets=lambda row: coerce.texts(row.get("targets")),
    tun_active=flag("tun_active"),
    type=field("type", coerce.text),
    unavailable=lambda row: row["unavailable"],
)

PROXY = RowParser(
    Proxy,
    **_EXIT,
    id=field("id", coerce.identifier),
    name=field("id", coerce.text),
    enabled=field("enabled", coerce.boolean),
    listen=field("listen", coerce.text),
    method=field("method", coerce.text),
    protocol=field("protocol", coerce.text),
)


def joined(values: Iterable[object]) -> str:
    """Return several values as one text that changes with each of them."""
    return "\n".join(coerce.verbatim(value) or "" for value in values)


def _fingerprint(row: Row) -> str:
    """Return the values that a peer's file consists of, including those of the server."""
    names = ("name", "public_key", "private_key", "allowed_ips", "keepalive", "server")
    content = joined(row.get(name) for name in names)
    return sha256(content.encode()).hexdigest()[:16]


WIREGUARD_PEER = RowParser(
    WireGuardPeer,
    **_EXIT,
    id=field(ID, coerce.identifier),
    name=field("name", coerce.text),
    address=field("allowed_ips", coerce.text),
    fingerprint=_fingerprint,
    keepalive=lambda row: coerce.count(row.get("keepalive")) or None,
)


def conflicts(row: Row) -> Mapping[str, tuple[str, ...]]:
    """Return the users with the same password, by username."""
    return {
        username: tuple(
            sorted({name for names in by_proxy.values() for name in coerce.texts(names)})
        )[: coerce.MAX_ITEMS]
        for username, by_proxy in row.items()
        if isinstance(by_proxy, dict)
    }


def session(row: Row) -> Session | None:
    """Return a connected device; in the documented generation its key is `id`."""
    key = coerce.text(row.get("key")) or coerce.identifier(row.get("id"))
    if key is None:
        return None
    return Session(
        key=key,
        address=coerce.text(row.get("remote_ip")),
        protocol=coerce.text(row.get("protocol")),
        since=coerce.epoch(row.get("connect_at")) or coerce.iso(row.get("connect_at")),
        connections=coerce.count(row.get("conn_count")),
        traffic_in=coerce.count(row.get("rx_bytes")),
        traffic_out=coerce.count(row.get("tx_bytes")),
    )


# Certificates


async def certificates(rows: Collection[Row]) -> Certificates:
    """Return all certificates, sorted by expiry date."""
    found = [
        Certificate(
            id=id_,
            domains=coerce.text(row.get("subject")) or coerce.text(row.get("name")) or id_,
            status=None,
            expires=_end(row),
        )
        async for row in iterate(rows)
        if (id_ := coerce.identifier(row.get("id")))
    ]
    never = datetime.max.replace(tzinfo=UTC)
    ordered = sorted(found, key=lambda c: c.expires or never)
    return Certificates(id=ACCOUNT, certificates=tuple(ordered[: coerce.MAX_ITEMS]))


def _end(row: Row) -> datetime | None:
    day = coerce.day(row.get("not_after"))
    return None if day is None else datetime.combine(day, time(), UTC)
