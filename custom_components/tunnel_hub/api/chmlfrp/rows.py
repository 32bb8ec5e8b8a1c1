"""From ChmlFrp's rows to resources."""

from datetime import UTC, datetime, timedelta, timezone
from statistics import fmean

from .. import coerce
from ..resource import (
    Account,
    AccountTraffic,
    Certificate,
    Certificates,
    Message,
    Node,
    NodeState,
    NodeUptime,
    ServiceTotals,
    SignInRecord,
    Tunnel,
    TunnelState,
)
from ..rows import Row, RowMap, at, rows_of

SHANGHAI = timezone(timedelta(hours=8))
"""Where the service's clocks stand."""

WEB_PROTOCOLS = ("http", "https")
FREE_GROUP = "免费用户"
VIP = "vip"
_VERIFIED = {"已实名": True, "未实名": False}
_NEVER_STARTED = "尚未启动"
_NODE_STATES = {"online": NodeState.ONLINE, "offline": NodeState.OFFLINE}
_TUNNEL_STATES_BY_NODE = {
    NodeState.OFFLINE: TunnelState.NODE_OFFLINE,
    NodeState.MAINTENANCE: TunnelState.NODE_MAINTENANCE,
}
_NEWEST_MESSAGES = 20


def _verified(row: Row) -> bool | None:
    return _VERIFIED.get(coerce.text(row.get("realname")) or "")


def node_state(row: Row, name: str = "state") -> NodeState | None:
    """Read a node's state; any word but online and offline means maintenance."""
    word = coerce.text(row.get(name))
    return _NODE_STATES.get(word, NodeState.MAINTENANCE) if word else None


def _tunnel_state(row: Row) -> TunnelState | None:
    """Read a tunnel's state; that of its node, where it has one, counts first."""
    node = node_state(row, "nodestate")
    if node is None:
        return TunnelState.NODE_REMOVED
    online = coerce.boolean(row.get("state"))
    if node is not NodeState.ONLINE or online is None:
        return _TUNNEL_STATES_BY_NODE.get(node)
    return TunnelState.ONLINE if online else TunnelState.OFFLINE


def _online(row: Row) -> bool | None:
    state = _tunnel_state(row)
    return None if state is None else state is TunnelState.ONLINE


def _local_address(row: Row) -> str | None:
    return coerce.host_port(coerce.text(row.get("localip")), coerce.count(row.get("nport")))


def public_port(row: Row) -> int | None:
    """Read the port at the node; `dorp` is port or domain."""
    return None if _protocol(row) in WEB_PROTOCOLS else coerce.count(row.get("dorp"))


def public_domain(row: Row) -> str | None:
    """Read the domain; `dorp` is port or domain."""
    return coerce.text(row.get("dorp")) if _protocol(row) in WEB_PROTOCOLS else None


def _public_address(row: Row) -> str | None:
    """Where the tunnel is reached: its domain, or its node's address with the port."""
    if (domain := public_domain(row)) is not None:
        return domain
    port = public_port(row)
    return coerce.host_port(coerce.text(row.get("ip")), port) if port else None


def _protocol(row: Row) -> str | None:
    protocol = coerce.text(row.get("type"))
    return protocol.lower() if protocol else None


def _client_version(row: Row) -> str | None:
    version = coerce.text(row.get("client_version"))
    return None if version == _NEVER_STARTED else version


ACCOUNT = RowMap(
    Account,
    id=lambda _: "account",
    name=at("username", coerce.text),
    bandwidth=at("bandwidth", coerce.count),
    connections=at("totalCurConns", coerce.count),
    group=at("usergroup", coerce.text),
    group_expires=at("term", coerce.day),
    points=at("integral", coerce.count),
    traffic_in=at("total_download", coerce.count),
    traffic_out=at("total_upload", coerce.count),
    tunnels_allowed=at("tunnel", coerce.count),
    tunnels_used=at("tunnelCount", coerce.count),
    verified=_verified,
)

SIGN_IN = RowMap(
    SignInRecord,
    id=lambda _: "account",
    last_sign_in=at("last_sign_in_time", lambda value: coerce.iso(value, SHANGHAI)),
    sign_in_points=at("total_points", coerce.count),
    sign_ins=at("total_sign_ins", coerce.count),
    signed_in_today=at("is_signed_in_today", coerce.boolean),
)

ACCOUNT_TRAFFIC = RowMap(
    AccountTraffic,
    id=lambda _: "account",
    traffic_in_today=at("traffic_in", coerce.count),
    traffic_out_today=at("traffic_out", coerce.count),
)

TUNNEL = RowMap(
    Tunnel,
    id=at("id", coerce.identifier),
    name=at("name", coerce.text),
    client_version=_client_version,
    compression=at("compression", coerce.boolean),
    connections=at("cur_conns", coerce.count),
    encryption=at("encryption", coerce.boolean),
    last_start=at("uptime", coerce.iso),
    local_address=_local_address,
    node_name=at("node", coerce.text),
    online=_online,
    protocol=_protocol,
    public_address=_public_address,
    state=_tunnel_state,
    traffic_in_today=at("today_traffic_in", coerce.count),
    traffic_out_today=at("today_traffic_out", coerce.count),
)

NODE = RowMap(
    Node,
    id=at("id", coerce.identifier),
    name=at("node_name", coerce.text),
    bandwidth_usage=at("bandwidth_usage_percent", coerce.percentage),
    clients=at("client_counts", coerce.count),
    connections=at("cur_counts", coerce.count),
    cpu_usage=at("cpu_usage", coerce.percentage),
    online=lambda row: None if (state := node_state(row)) is None else state is NodeState.ONLINE,
    state=node_state,
    traffic_in_today=at("total_traffic_in", coerce.count),
    traffic_out_today=at("total_traffic_out", coerce.count),
    tunnels=at("tunnel_counts", coerce.count),
)

LISTED_NODE = RowMap(
    Node,
    id=at("id", coerce.identifier),
    name=at("name", coerce.text),
    description=at("notes", coerce.text),
)


def _protocols(row: Row) -> tuple[str, ...]:
    """TCP runs over every node, the others over some."""
    udp = ("udp",) if coerce.boolean(row.get("udp")) else ()
    web = WEB_PROTOCOLS if coerce.boolean(row.get("web")) else ()
    return ("tcp", *udp, *web)


def _coordinate(row: Row, index: int, limit: float) -> float | None:
    """Read one of "longitude,latitude", in degrees."""
    parts = (coerce.text(row.get("coordinates")) or "").split(",")
    degrees = coerce.number(parts[index]) if len(parts) == 2 else None
    return degrees if degrees is not None and abs(degrees) <= limit else None


def _started(row: Row) -> datetime | None:
    """Read when the machine was started, out of the seconds since."""
    seconds = coerce.amount(row.get("uptime_seconds"))
    now = datetime.now(UTC).timestamp()
    return None if seconds is None else coerce.epoch(round(now - seconds))


def _storage_usage(row: Row) -> float | None:
    return coerce.share(
        coerce.amount(row.get("storage_used")), coerce.amount(row.get("storage_total"))
    )


NODE_DETAILS = RowMap(
    Node,
    id=at("id", coerce.identifier),
    disk_usage=_storage_usage,
    group=at("nodegroup", coerce.text),
    latitude=lambda row: _coordinate(row, 1, 90),
    load_1=at("load1", coerce.amount),
    load_15=at("load15", coerce.amount),
    load_5=at("load5", coerce.amount),
    longitude=lambda row: _coordinate(row, 0, 180),
    memory_total=at("memory_total", coerce.count),
    place=at("area", coerce.text),
    protocols=_protocols,
    started=_started,
    version=at("version", coerce.text),
)


def _mean_uptime(row: Row) -> float | None:
    """The mean of the days that were recorded."""
    days = [coerce.percentage(day.get("uptime")) for day in rows_of(row.get("history_uptime"))]
    known = [day for day in days if day is not None]
    return fmean(known) if known else None


NODE_UPTIME = RowMap(
    NodeUptime,
    id=at("id", coerce.identifier),
    name=at("node_name", coerce.text),
    uptime_30_days=_mean_uptime,
)

SERVICE = RowMap(
    ServiceTotals,
    id=lambda _: "service",
    name=lambda _: "ChmlFrp",
    nodes=at("node_amount", coerce.count),
    tunnels=at("tunnel_amount", coerce.count),
    users=at("user_amount", coerce.count),
)


def certificates(rows: list[Row]) -> Certificates:
    """Read the certificates: the next to expire first, those without an end, those expired."""
    found = [
        Certificate(
            domains=coerce.text(row.get("domains")) or "?",
            status=coerce.text(row.get("status")),
            expires=coerce.iso(row.get("expiresAt")),
        )
        for row in rows
    ]
    now, never = datetime.now(UTC), datetime.max.replace(tzinfo=UTC)

    def _order(certificate: Certificate) -> tuple[bool, datetime]:
        expires = certificate.expires or never
        return expires <= now, expires

    ordered = sorted(found, key=_order)
    return Certificates(id="account", certificates=tuple(ordered[: coerce.MAX_ITEMS]))


def newest_messages(messages: list[Row], notices: list[Row]) -> tuple[Message, ...]:
    """Read messages (HTML) and notices (Markdown, with a title), the oldest first."""
    found = [
        Message(sent=sent, text=coerce.plain_text(words))
        for row in messages
        if (sent := coerce.iso(row.get("time"), SHANGHAI))
        and (words := coerce.verbatim(row.get("content")))
    ] + [
        Message(sent=sent, title=coerce.text(row.get("title")), text=words)
        for row in notices
        if (sent := coerce.iso(row.get("publishTime") or row.get("createdAt"), SHANGHAI))
        and (words := coerce.lines(row.get("contentMd")))
    ]
    return tuple(sorted(found, key=lambda message: message.sent)[-_NEWEST_MESSAGES:])
