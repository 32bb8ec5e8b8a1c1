"""Converts the rows of ChmlFrp to resources."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
import re
from statistics import fmean

from .. import coerce
from ..days import SHANGHAI
from ..models.account import Account, AccountTraffic, Message, SignInStatistics
from ..models.certificates import Certificate, Certificates
from ..models.nodes import DayUptime, Node, NodeEndpoint, NodeState, NodeUptime
from ..models.service import Download, Release, ServiceTotals
from ..models.tunnels import Tunnel, TunnelState
from ..rows import Row, RowParser, field, rows_of

WEB_PROTOCOLS = ("http", "https")
FREE_GROUP = "免费用户"
VIP = "vip"
_VERIFIED = {"已实名": True, "未实名": False}
_BANNED_GROUP = "封禁"
_ENDED = frozenset({"expired", "failed", "revoked"})
"""States of a certificate that does not expire any more."""
_NEVER_STARTED = "尚未启动"
_NODE_STATES = {"online": NodeState.ONLINE, "offline": NodeState.OFFLINE}
_TUNNEL_STATES_BY_NODE = {
    NodeState.OFFLINE: TunnelState.NODE_OFFLINE,
    NodeState.MAINTENANCE: TunnelState.NODE_MAINTENANCE,
}
_NEWEST_MESSAGES = 20
_NUMBERS = re.compile(r"\d{1,9}", re.ASCII)
_MOST_NUMBERS = 8


def _verified(row: Row) -> bool | None:
    verified = _VERIFIED.get(coerce.text(row.get("realname")) or "")
    return coerce.boolean(row.get("realname")) if verified is None else verified


def banned(row: Row) -> bool | None:
    """Return whether an account is in the group of banned accounts."""
    group = coerce.text(row.get("usergroup"))
    return None if group is None else _BANNED_GROUP in group


def node_state(row: Row, name: str = "state") -> NodeState | None:
    """Return a node's state; any word except online and offline means maintenance."""
    word = coerce.text(row.get(name))
    return _NODE_STATES.get(word, NodeState.MAINTENANCE) if word else None


def _tunnel_state(row: Row) -> TunnelState | None:
    """Return a tunnel's state; a problem of its node takes precedence.

    The tunnel of a removed node has no address; a node without a state only has an address.
    """
    node = node_state(row, "nodestate")
    if node in (None, NodeState.OFFLINE) and coerce.text(row.get("ip")) is None:
        return TunnelState.NODE_REMOVED
    node = node or NodeState.MAINTENANCE
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
    """Return the port at the node; `dorp` is port or domain."""
    return None if _protocol(row) in WEB_PROTOCOLS else coerce.count(row.get("dorp"))


def public_domain(row: Row) -> str | None:
    """Return the domain; `dorp` is port or domain."""
    return coerce.text(row.get("dorp")) if _protocol(row) in WEB_PROTOCOLS else None


def _public_address(row: Row) -> str | None:
    """Return the address of a tunnel: its domain, or its node's address with the port."""
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


def is_older(version: str | None, newest: str | None) -> bool | None:
    """Compare versions such as 0.51.2_251023 by their numbers; None if one has none."""
    ours, theirs = (
        tuple(map(int, _NUMBERS.findall(words or "")[:_MOST_NUMBERS]))
        for words in (version, newest)
    )
    return ours < theirs if ours and theirs else None


def traffic_is_of(row: Row, today: date) -> bool | None:
    """Return whether a tunnel's counters are of today; None if the day in the row is invalid."""
    if (named := row.get("traffic_date")) is None:
        return True
    day = coerce.day(named)
    return None if day is None else day == today


ACCOUNT = RowParser(
    Account,
    id=lambda _: "account",
    name=field("username", coerce.text),
    banned=banned,
    bandwidth=field("bandwidth", coerce.count),
    connections=field("totalCurConns", coerce.count),
    group=field("usergroup", coerce.text),
    group_expires=field("term", coerce.day),
    points=field("integral", coerce.count),
    traffic_in=field("total_download", coerce.count),
    traffic_out=field("total_upload", coerce.count),
    tunnels_allowed=field("tunnel", coerce.count),
    tunnels_used=field("tunnelCount", coerce.count),
    verified=_verified,
)

SIGN_IN = RowParser(
    SignInStatistics,
    id=lambda _: "account",
    last_sign_in=field("last_sign_in_time", lambda value: coerce.iso(value, SHANGHAI)),
    sign_in_points=field("total_points", coerce.count),
    sign_ins=field("total_sign_ins", coerce.count),
    signed_in_today=field("is_signed_in_today", coerce.boolean),
)

ACCOUNT_TRAFFIC = RowParser(
    AccountTraffic,
    id=lambda _: "account",
    traffic_in_today=field("traffic_in", coerce.count),
    traffic_out_today=field("traffic_out", coerce.count),
)

TUNNEL = RowParser(
    Tunnel,
    id=field("id", coerce.identifier),
    name=field("name", coerce.text),
    client_version=_client_version,
    compression=field("compression", coerce.boolean),
    connections=field("cur_conns", coerce.count),
    encryption=field("encryption", coerce.boolean),
    last_start=field("uptime", coerce.iso),
    local_address=_local_address,
    node_name=field("node", coerce.text),
    online=_online,
    protocol=_protocol,
    public_address=_public_address,
    state=_tunnel_state,
    traffic_in_today=field("today_traffic_in", coerce.count),
    traffic_out_today=field("today_traffic_out", coerce.count),
)

NODE = RowParser(
    Node,
    id=field("id", coerce.identifier),
    name=field("node_name", coerce.text),
    bandwidth_usage=field("bandwidth_usage_percent", coerce.percentage),
    clients=field("client_counts", coerce.count),
    connections=field("cur_counts", coerce.count),
    cpu_usage=field("cpu_usage", coerce.percentage),
    online=lambda row: None if (state := node_state(row)) is None else state is NodeState.ONLINE,
    state=node_state,
    traffic_in_today=field("total_traffic_in", coerce.count),
    traffic_out_today=field("total_traffic_out", coerce.count),
    tunnels=field("tunnel_counts", coerce.count),
)


def _protocols(row: Row) -> tuple[str, ...] | None:
    """Return a node's protocols: always TCP, others by the row; None if it has none."""
    udp, web = coerce.boolean(row.get("udp")), coerce.boolean(row.get("web"))
    if udp is None and web is None:
        return None
    return ("tcp", *(("udp",) if udp else ()), *(WEB_PROTOCOLS if web else ()))


def _ipv6(row: Row) -> bool | None:
    """Return whether a node has IPv6: from a flag, or from an IPv6 address."""
    if "ipv6" not in row:
        return None
    flag = coerce.boolean(row["ipv6"])
    return bool(coerce.text(row["ipv6"])) if flag is None else flag


LISTED_NODE = RowParser(
    Node,
    id=field("id", coerce.identifier),
    name=field("name", coerce.text),
    defended=field("fangyu", coerce.boolean),
    description=field("notes", coerce.text),
    group=field("nodegroup", coerce.text),
    ipv6=_ipv6,
    mainland=field("china", coerce.boolean),
    place=field("area", coerce.text),
    protocols=_protocols,
)


_PORT_RANGE = re.compile(r"(\d{1,5})-(\d{1,5})")


def node_ports(row: Row) -> range | None:
    """Return the range of remote ports in the details of a node."""
    ports = _PORT_RANGE.fullmatch(coerce.text(row.get("rport")) or "")
    return range(int(ports[1]), int(ports[2]) + 1) if ports else None


def node_endpoint(row: Row) -> NodeEndpoint:
    """Return the address for clients in the details of a node."""
    address = coerce.host_port(coerce.text(row.get("ip")), coerce.count(row.get("port")))
    return NodeEndpoint(address=address, ports=node_ports(row))


def _coordinate(row: Row, index: int, limit: float) -> float | None:
    """Return one of "longitude,latitude", in degrees."""
    parts = (coerce.text(row.get("coordinates")) or "").split(",")
    degrees = coerce.number(parts[index]) if len(parts) == 2 else None
    return degrees if degrees is not None and abs(degrees) <= limit else None


def _started(row: Row) -> datetime | None:
    """Return the start time of a machine from its uptime in seconds."""
    seconds = coerce.amount(row.get("uptime_seconds"))
    now = datetime.now(UTC).timestamp()
    return None if seconds is None else coerce.epoch(round(now - seconds))


def _storage_usage(row: Row) -> float | None:
    return coerce.percentage_of(
        coerce.amount(row.get("storage_used")), coerce.amount(row.get("storage_total"))
    )


NODE_DETAILS = RowParser(
    Node,
    id=field("id", coerce.identifier),
    disk_usage=_storage_usage,
    latitude=lambda row: _coordinate(row, 1, 90),
    load_1=field("load1", coerce.amount),
    load_15=field("load15", coerce.amount),
    load_5=field("load5", coerce.amount),
    longitude=lambda row: _coordinate(row, 0, 180),
    memory_total=field("memory_total", coerce.count),
    started=_started,
    version=field("version", coerce.text),
)


def day_uptimes(row: Row) -> tuple[DayUptime, ...]:
    """Return the recorded days of a node, the oldest first."""
    found = (
        DayUptime(day=day, uptime=uptime)
        for recorded in rows_of(row.get("history_uptime"))
        if (day := coerce.day(recorded.get("recorded_at"))) is not None
        and (uptime := coerce.percentage(recorded.get("uptime"))) is not None
    )
    return tuple(sorted(found, key=lambda day: day.day))


def _mean_uptime(row: Row) -> float | None:
    days = [coerce.percentage(day.get("uptime")) for day in rows_of(row.get("history_uptime"))]
    known = [day for day in days if day is not None]
    return fmean(known) if known else None


NODE_UPTIME = RowParser(
    NodeUptime,
    id=field("id", coerce.identifier),
    name=field("node_name", coerce.text),
    uptime_30_days=_mean_uptime,
)

SERVICE = RowParser(
    ServiceTotals,
    id=lambda _: "service",
    name=lambda _: "ChmlFrp",
    nodes=field("node_amount", coerce.count),
    tunnels=field("tunnel_amount", coerce.count),
    users=field("user_amount", coerce.count),
)


RELEASE = RowParser(
    Release,
    id=lambda _: "service",
    frpc_version=field("version", coerce.text),
)


def downloads(info: Row) -> tuple[Download, ...]:
    """Return the client programs. The answer has a list of paths for each operating system."""
    base = coerce.web_address(info.get("link"))
    systems = info.get("system")
    if base is None or not isinstance(systems, dict):
        return ()
    return tuple(
        Download(
            name=path.rpartition("/")[2],
            version=coerce.text(info.get("version")),
            platform=coerce.text(system),
            architecture=coerce.text(file.get("architecture")),
            urls=(f"{base.rstrip('/')}/{path.lstrip('/')}",),
        )
        for system, files in systems.items()
        for file in rows_of(files)
        if (path := coerce.text(file.get("route")))
    )


def certificates(rows: list[Row]) -> Certificates:
    """Return the certificates: by expiry date, then those that do not expire, then expired ones."""
    found = [
        Certificate(
            domains=coerce.text(row.get("domains")) or "?",
            status=status,
            expires=None if status in _ENDED else coerce.iso(row.get("expiresAt")),
        )
        for row in rows
        for status in [coerce.text(row.get("status"))]
    ]
    now, never = datetime.now(UTC), datetime.max.replace(tzinfo=UTC)

    def _order(certificate: Certificate) -> tuple[bool, datetime]:
        expires = certificate.expires or never
        return expires <= now, expires

    ordered = sorted(found, key=_order)
    return Certificates(id="account", certificates=tuple(ordered[: coerce.MAX_ITEMS]))


def notice_text(row: Row) -> str | None:
    """Return the text of a notice, or None if only its title was listed."""
    return coerce.human_text(coerce.lines(row.get("contentMd")))


def newest_messages(
    messages: list[Row], notices: list[Row], texts: Mapping[str, str]
) -> tuple[Message, ...]:
    """Return messages (HTML) and notices (Markdown, with a title), the oldest first.

    texts: of notices that are listed without, by id.
    """
    dated = [
        (sent, "message", row)
        for row in messages
        if (sent := coerce.iso(row.get("time"), SHANGHAI))
    ] + [
        (sent, "notice", row)
        for row in notices
        if (sent := coerce.iso(row.get("publishTime") or row.get("createdAt"), SHANGHAI))
    ]
    dated.sort(key=lambda each: each[0])
    found: list[Message] = []
    for sent, kind, row in reversed(dated):
        title, text = None, None
        if kind == "message":
            text = coerce.human_text(coerce.plain_text(coerce.verbatim(row.get("content")) or ""))
        else:
            title = coerce.text(row.get("title"))
            text = notice_text(row) or texts.get(coerce.text(row.get("id")) or "")
        if title or text:
            found.append(
                Message(id=_message_id(kind, row), sent=sent, title=title, text=text or "")
            )
        if len(found) == _NEWEST_MESSAGES:
            break
    return tuple(reversed(found))


def _message_id(kind: str, row: Row) -> str | None:
    """Return a unique id of a message. Both kinds count from 1."""
    id_ = coerce.text(row.get("id"))
    return id_ and f"{kind}:{id_}"
