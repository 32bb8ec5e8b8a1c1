"""Converts the node manager's rows to resources."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
import re

from .. import coerce
from ..models.account import Account
from ..models.directory import (
    Finding,
    PublicNode,
    Reachability,
    Region,
    RelayNode,
    RelayNodeConnection,
    ReportResult,
)
from ..models.service import ServiceTotals
from ..rows import Row, RowParser, Source, field, rows_of
from ..time_slices import iterate
from . import recent_status

FOREVER = date(2999, 12, 31)
"""The date that the service's own page enters for a node that does not expire."""

_COMMA = re.compile("[,，、]")
_STATUSES = {"online": True, "offline": False}
_CHECKABLE = ("tcp://", "ws://", "wss://")


def _region(value: object) -> Region | None:
    word = coerce.text(value)
    return Region(word) if word in tuple(Region) else None


def _online(row: Row) -> bool | None:
    return _STATUSES.get(coerce.text(row.get("status")) or "")


def _tags(value: object) -> tuple[str, ...] | None:
    """Return words that are separated by ASCII or Chinese commas, or None."""
    if not isinstance(value, str):
        return None
    words = _COMMA.split(value[: coerce.MAX_TEXT])
    return tuple(tag for word in words if (tag := coerce.text(word))) or None


def _limit[T: float](read: Callable[[object], T | None]) -> Callable[[object], T | None]:
    """Return a limit; 0 means none."""
    return lambda value: read(value) or None


def _usage(used: str, allowed: str) -> Callable[[Row], float | None]:
    """Return the used percentage of a limit, which can be exceeded."""

    def _percent(row: Row) -> float | None:
        usage = coerce.percentage_of(coerce.amount(row.get(used)), coerce.amount(row.get(allowed)))
        return None if usage is None else round(usage, 2)

    return _percent


_bandwidth_usage = _usage("current_bandwidth", "tier_bandwidth")
_connections_usage = _usage("connection_count", "max_connections")
_traffic_usage = _usage("used_traffic", "max_traffic")


def _load(row: Row) -> float | None:
    """Return the load of a node: the highest use of bandwidth, connections and traffic.

    Unknown while the node is offline or does not report.
    """
    if _online(row) is False or recent_status.is_silent(row):
        return None
    usages = (_bandwidth_usage(row), _connections_usage(row), _traffic_usage(row))
    return max((usage for usage in usages if usage is not None), default=None)


def valid_until(row: Row) -> date | None:
    """Return the last day of a node."""
    day = coerce.day(row.get("valid_until"))
    return None if day is None or day >= FOREVER else day


_PUBLIC: Mapping[str, Source] = {
    "id": field("id", coerce.identifier),
    "name": field("node_name", coerce.text),
    "allow_relay": field("allow_relay", coerce.boolean),
    "availability_24_hours": lambda row: recent_status.availability(row, reports=144),
    "availability_30_days": lambda row: recent_status.availability(row, reports=4320),
    "bandwidth": field("current_bandwidth", coerce.amount),
    "bandwidth_maximum": field("max_bandwidth", coerce.amount),
    # It is 0 until the first report.
    "bandwidth_tier": field("tier_bandwidth", _limit(coerce.amount)),
    "connections": field("connection_count", coerce.count),
    "connections_allowed": field("max_connections", coerce.count),
    "load": _load,
    "online": _online,
    "place": field("region_detail", coerce.text),
    "region": field("region_type", _region),
    "tags": field("tags", _tags),
    "traffic_allowed": field("max_traffic", _limit(coerce.gigabytes)),
    "traffic_reset": field("reset_date", coerce.iso),
    "traffic_usage": _traffic_usage,
    "traffic_used": field("used_traffic", coerce.gigabytes),
}

PUBLIC_NODE = RowParser(PublicNode, **_PUBLIC)

NODE = RowParser(
    RelayNode,
    **_PUBLIC,
    last_report=field("last_report_at", coerce.iso),
    valid_until=valid_until,
)

ACCOUNT = RowParser(
    Account,
    id=lambda _: "account",
    administrator=field("is_admin", coerce.boolean),
)


def _either[T](read: Callable[[object], T], *names: str) -> Source:
    """Return the first of several fields with a value."""
    return lambda row: next((v for name in names if (v := read(row.get(name))) is not None), None)


SERVICE = RowParser(
    ServiceTotals,
    id=lambda _: "service",
    name=lambda _: "EasyTier",
    bandwidth=_either(coerce.amount, "current_bandwidth_total", "total_bandwidth"),
    connections=field("connection_count_total", coerce.count),
    nodes=field("total_nodes", coerce.count),
    nodes_domestic=field("domestic_nodes", coerce.count),
    nodes_online=field("online_nodes", coerce.count),
    nodes_overseas=field("overseas_nodes", coerce.count),
)


def connections(row: Row) -> tuple[RelayNodeConnection, ...]:
    """Parse the addresses of a node."""
    return tuple(
        RelayNodeConnection(type=type_, host=host, port=port)
        for way in rows_of(row.get("connections"))[: coerce.MAX_ITEMS]
        if (type_ := coerce.text(way.get("type")))
        and (host := coerce.text(way.get("ip")))
        and (port := coerce.count(way.get("port")))
    )


def addresses(row: Row) -> tuple[str, ...]:
    """Return the addresses of a node in EasyTier's format: tcp://host:port."""
    return tuple(
        f"{way.type.lower()}://{coerce.host_port(way.host, way.port)}" for way in connections(row)
    )


def is_checkable(address: str) -> bool:
    """Return whether an address can be checked."""
    return address.startswith(_CHECKABLE)


def finding(address: str, row: Row) -> Finding:
    """Return the result of a check; a latency of -1 means none."""
    reachable = coerce.boolean(row.get("is_online"))
    return Finding(
        address=address,
        reachable=reachable,
        latency=coerce.count(row.get("latency_ms")) if reachable else None,
        connections=coerce.count(row.get("connection_count")) if reachable else None,
        message=coerce.text(row.get("error")),
    )


def reachability(node_id: str, findings: Sequence[Finding]) -> Reachability:
    """Return the reachability of a node: that of its best connection."""
    reached = [found.latency for found in findings if found.latency is not None]
    known = [found.reachable for found in findings if found.reachable is not None]
    return Reachability(
        id=node_id,
        findings=tuple(findings),
        latency=min(reached, default=None),
        reachable=any(known) if known else None,
    )


def owner(row: Row) -> str | None:
    """Return the email address of a node's owner, or None if the service does not provide it."""
    return coerce.verbatim(row.get("user_email"))


async def namesakes(found: Iterable[Row]) -> tuple[str, ...]:
    """Return the names that several nodes of one account have, compared as the server does."""
    count: Counter[tuple[str | None, str | None]] = Counter()
    async for row in iterate(found):
        count[owner(row), coerce.text(row.get("node_name"))] += 1
    return tuple(sorted({name for (_, name), times in count.items() if name and times > 1}))


def report_result(row: Row) -> ReportResult:
    """Parse the traffic of a node after a report."""
    return ReportResult(
        traffic_used=coerce.gigabytes(row.get("used_traffic")),
        traffic_allowed=_limit(coerce.gigabytes)(row.get("max_traffic")),
        traffic_reset=coerce.iso(row.get("reset_date")),
    )
