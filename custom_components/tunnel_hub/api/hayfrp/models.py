"""Converts the rows of HayFrp to resources."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .. import coerce, days
from ..age import Stamp
from ..days import SHANGHAI
from ..models.account import Account
from ..models.nodes import Node, NodeLoad
from ..models.service import Download, Release, ServiceTotals
from ..models.tunnels import Tunnel, TunnelState
from ..rows import Row, RowParser, field

_MOST_MIRRORS = 20
_MOST_FILES = 500

_NEVER = (None, "", 0, "0")
"""The date of the last sign-in of an account that has never signed in."""

_LOADS = {
    "无负荷": NodeLoad.IDLE,
    "低负荷": NodeLoad.LOW,
    "中负荷": NodeLoad.MEDIUM,
    "高负荷": NodeLoad.HIGH,
}


def _last_sign_in(row: Row) -> datetime | None:
    """When the account signed in last: seconds, milliseconds or a date of the service's day."""
    return coerce.moment(row.get("signdate"), SHANGHAI)


def _signed_in_today(row: Row) -> bool | None:
    """Return whether the last sign-in was today at the service; null means never."""
    if (last := _last_sign_in(row)) is None:
        return False if row.get("signdate", "unknown") in _NEVER else None
    return days.day_of(last, SHANGHAI) == days.today(SHANGHAI)


def banned(row: Row) -> bool | None:
    """Return whether the service has banned the account."""
    status = coerce.boolean(row.get("status"))
    return None if status is None else not status


def _local_address(row: Row) -> str | None:
    return coerce.host_port(coerce.text(row.get("local_ip")), coerce.count(row.get("local_port")))


def _public_address(row: Row) -> str | None:
    """Return the address of a tunnel: its domain, or its node's host with the port."""
    host = coerce.text(row.get("node_domain"))
    match coerce.text(row.get("proxy_type")):
        case "http" | "https":
            return coerce.text(row.get("domain")) or host
        case "stcp" | "xtcp":
            return None
        case _:
            return coerce.host_port(host, coerce.count(row.get("remote_port")))


ACCOUNT = RowParser(
    Account,
    id=lambda _: "account",
    name=field("username", coerce.text),
    banned=banned,
    last_sign_in=_last_sign_in,
    service_provider=field("sprovider", coerce.boolean),
    sign_in_days=field("totalsign", coerce.count),
    sign_in_traffic=field("totaltraffic", coerce.gigabytes),
    signed_in_today=_signed_in_today,
    traffic_left=field("traffic", coerce.megabytes),
    traffic_today=field("todaytraffic", coerce.count),
    tunnels_allowed=field("proxies", coerce.count),
    tunnels_used=field("useproxies", coerce.count),
    verified=field("realname", coerce.boolean),
)

TUNNEL = RowParser(
    Tunnel,
    id=field("id", coerce.identifier),
    name=field("proxy_name", coerce.text),
    compression=field("use_compression", coerce.boolean),
    enabled=field("status", coerce.boolean),
    encryption=field("use_encryption", coerce.boolean),
    last_edit=field("lastupdate", coerce.epoch),
    local_address=_local_address,
    node_id=field("node", coerce.text),
    node_name=field("node_name", coerce.text),
    protocol=field("proxy_type", coerce.text),
    public_address=_public_address,
)

NODE = RowParser(
    Node,
    id=field("id", coerce.identifier),
    name=field("name", coerce.text),
    clients=field("client_counts", coerce.count),
    connections=field("cur_conns", coerce.count),
    cpu_usage=field("cpu_usage", coerce.percentage),
    disk_usage=field("disk_usage", coerce.percentage),
    load=lambda row: _LOADS.get(coerce.text(row.get("status")) or ""),
    memory_usage=field("ram_usage", coerce.percentage),
    online=lambda _: True,
    traffic_in_today=field("total_traffic_in", coerce.count),
    traffic_out_today=field("total_traffic_out", coerce.count),
    version=field("version", coerce.text),
)

LISTED_NODE = RowParser(
    Node,
    id=field("id", coerce.identifier),
    name=field("name", coerce.text),
    description=field("description", coerce.text),
    online=lambda _: True,
)

SERVICE = RowParser(
    ServiceTotals,
    id=lambda _: "service",
    clients=field("oclient", coerce.count),
    runs=field("totalrun", coerce.count),
    runs_today=field("todayrun", coerce.count),
    traffic=field("aflow", coerce.megabytes),
    traffic_in=field("aflowin", coerce.megabytes),
    traffic_in_today=field("eflowin", coerce.megabytes),
    traffic_out=field("aflowout", coerce.megabytes),
    traffic_out_today=field("eflowout", coerce.megabytes),
    traffic_today=field("eflow", coerce.megabytes),
)

RELEASE = RowParser(
    Release,
    id=lambda _: "service",
    frpc_version=field("ver_frpc", coerce.text),
    frps_version=field("ver_hayfrps", coerce.text),
)

READING_FIELDS = frozenset({"checked_at", "online", "state"})


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of one probe: the data, the time, and whether the tunnel was enabled then.

    checked_at: None if the state is that of a disabled tunnel, before the first probe since then.
    """

    state: TunnelState
    enabled: bool | None
    checked_at: datetime | None
    read: Stamp


def with_reading(tunnel: Tunnel, reading: Reading | None) -> Tunnel:
    """Add the last result to a tunnel. A disabled tunnel without one is offline."""
    state = reading.state if reading else None
    if tunnel.enabled is False and state is not TunnelState.ONLINE:
        state = TunnelState.DISABLED
    return replace(
        tunnel,
        checked_at=reading.checked_at if reading else None,
        online=None if state is None else state is TunnelState.ONLINE,
        state=state,
    )


def downloads(mirrors: Sequence[Row], files: Sequence[Row]) -> tuple[Download, ...]:
    """Return the client programs, with one URL for each mirror."""
    bases = [
        base.rstrip("/")
        for mirror in mirrors[:_MOST_MIRRORS]
        if (base := coerce.text(mirror.get("url")))
    ]
    return tuple(
        Download(
            name=coerce.text(file.get("name")) or path,
            version=coerce.text(file.get("version")),
            platform=coerce.text(file.get("platform")),
            architecture=coerce.text(file.get("arch")),
            urls=urls(path, bases),
        )
        for file in files[:_MOST_FILES]
        if (path := coerce.text(file.get("url")))
    )


def urls(path: str, bases: Iterable[str]) -> tuple[str, ...]:
    """Return the URLs of a file: its own, or one for each mirror."""
    whole = (path, *(f"{base}/{path.lstrip('/')}" for base in bases))
    known = tuple(url for each in whole if (url := coerce.web_address(each)))
    return known[:1] if coerce.web_address(path) else known
