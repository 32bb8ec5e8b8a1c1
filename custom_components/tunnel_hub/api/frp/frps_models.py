"""Converts the rows of frps to resources.

Version 2 of the API groups the fields that version 1 has at the top level: both are read in the
same way.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
import re
from typing import NamedTuple

from .. import coerce
from ..models.account import DayTraffic
from ..models.server import Client, Server
from ..models.tunnels import Tunnel
from ..rows import Row, RowParser, field

_PORTS = {
    "http": "vhostHTTPPort",
    "https": "vhostHTTPSPort",
    "tcpmux": "tcpmuxHTTPConnectPort",
    "kcp": "kcpBindPort",
    "quic": "quicBindPort",
}
"""Other ports of a server; the first three by types of proxies."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FURTHEST = timedelta(hours=14)
"""The largest distance of a time zone from UTC."""
_QUARTER_OF_AN_HOUR = timedelta(minutes=15)
_RUN_ID = re.compile(r"[0-9a-f]{16}")


def _row(value: object) -> Row:
    return value if isinstance(value, dict) else {}


def _port(value: object) -> int | None:
    """Return a port; 0 means none."""
    port = coerce.count(value)
    return port if port and port < 65536 else None


def name_of(row: Row) -> str | None:
    """Return a proxy's name with all characters, because requests contain it."""
    name = row.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > coerce.MAX_ID:
        return None
    return name if name.isprintable() else None


# The server


def server_row(answer: Row) -> Row:
    """Return the server's fields at the top level, as in version 1."""
    return {**answer, **_row(answer.get("config")), **_row(answer.get("status"))}


def _by_type(row: Row) -> tuple[tuple[str, int], ...]:
    counts = ((coerce.text(name), coerce.count(n)) for name, n in _types(row).items())
    return tuple(sorted((name, n) for name, n in counts if name and n))


def _types(row: Row) -> Row:
    return _row(row.get("proxyTypeCount"))


def _online(row: Row) -> int | None:
    is_told = isinstance(row.get("proxyTypeCount"), dict)
    return coerce.integer(sum(n for _, n in _by_type(row))) if is_told else None


def _heartbeats(row: Row) -> bool | None:
    seconds = coerce.integer(row.get("heartbeatTimeout"))
    return None if seconds is None else seconds > 0


def _ports(row: Row) -> tuple[tuple[str, int], ...]:
    ports = ((name, _port(row.get(fields))) for name, fields in _PORTS.items())
    return tuple((name, port) for name, port in ports if port)


SERVER = RowParser(
    Server,
    id=lambda _: "account",
    clients=field("clientCounts", coerce.count),
    connections=field("curConns", coerce.count),
    heartbeats=_heartbeats,
    port=field("bindPort", _port),
    ports=_ports,
    traffic_in_today=field("totalTrafficIn", coerce.count),
    traffic_out_today=field("totalTrafficOut", coerce.count),
    tunnels_online=_online,
    tunnels_online_by_type=_by_type,
    version=field("version", coerce.text),
)


# Proxies


def _status(row: Row) -> Row:
    status = row.get("status")
    return status if isinstance(status, dict) else row


def type_of(row: Row) -> str | None:
    """Return a proxy's type; in version 1, the type of the list."""
    return coerce.text(_row(row.get("spec")).get("type") or row.get("type"))


def is_online(row: Row) -> bool | None:
    """Return whether a proxy is online."""
    status = row.get("status")
    phase = status.get("phase") if isinstance(status, dict) else status
    return {"online": True, "offline": False}.get(phase) if isinstance(phase, str) else None


def client_key(row: Row) -> str | None:
    """Return the id of a client: its user, if any, and its own id."""
    user, client = coerce.text(row.get("user")), coerce.text(row.get("clientID"))
    return ".".join(part for part in (user, client) if part) or None


PROXY = RowParser(
    Tunnel,
    id=name_of,
    name=field("name", coerce.text),
    client=client_key,
    connections=lambda row: coerce.count(_status(row).get("curConns")),
    last_close=lambda row: coerce.epoch(_status(row).get("lastCloseAt")),
    last_start=lambda row: coerce.epoch(_status(row).get("lastStartAt")),
    online=is_online,
    protocol=type_of,
    traffic_in_today=lambda row: coerce.count(_status(row).get("todayTrafficIn")),
    traffic_out_today=lambda row: coerce.count(_status(row).get("todayTrafficOut")),
)


def started_at(row: Row) -> object:
    """Return the start time of a proxy, as in version 2."""
    return _status(row).get("lastStartAt")


def address_fields(row: Row) -> Row | None:
    """Return the fields for a proxy's public address; None for an offline one, which has none."""
    spec = _row(row.get("spec"))
    configuration = _row(spec.get(type_of(row) or "")) or _row(row.get("conf"))
    if not configuration:
        return None
    known = {
        "remotePort": _port(configuration.get("remotePort")),
        "customDomains": list(coerce.texts(configuration.get("customDomains"))),
        "subdomain": coerce.text(configuration.get("subdomain")),
    }
    return {name: value for name, value in known.items() if value}


class Addressing(NamedTuple):
    """The properties of a server for the public addresses of its proxies.

    host: the public host. parent: the domain of subdomains. ports: by type.
    """

    host: str
    parent: str | None
    ports: tuple[tuple[str, int], ...]

    def of(self, proxy_type: str | None, fields: Row) -> str | None:
        """Return the public address of a proxy: host:port, or a domain.

        fields: from address_fields.
        """
        if proxy_type in ("tcp", "udp"):
            port = _port(fields.get("remotePort"))
            return coerce.host_port(self.host, port) if port else None
        if proxy_type not in ("http", "https", "tcpmux"):
            return None
        domains = coerce.texts(fields.get("customDomains"))
        if not domains and (subdomain := coerce.text(fields.get("subdomain"))) and self.parent:
            domains = (f"{subdomain}.{self.parent}",)
        port = dict(self.ports).get(proxy_type)
        is_usual = port == _DEFAULT_PORTS.get(proxy_type)
        return coerce.host_port(domains[0], None if is_usual else port) if domains else None


def addressing(server: Row, host: str) -> Addressing:
    """Return these properties from a server's row."""
    return Addressing(host, coerce.text(server.get("subdomainHost")), _ports(server))


def offset_of(row: Row, seconds: object) -> timezone | None:
    """Return the server's offset from UTC; None if it cannot be determined.

    row: of a proxy in version 1, with its last start in the server's time zone, without a year.
    seconds: the same time in version 2.
    """
    started, moment = coerce.text(row.get("lastStartTime")), coerce.epoch(seconds)
    if started is None or moment is None:
        return None
    for year in (moment.year, moment.year + 1, moment.year - 1):
        try:
            local = datetime.strptime(f"{year}-{started}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            continue
        ahead = local - moment.replace(microsecond=0)
        if -_FURTHEST <= ahead <= _FURTHEST and not ahead % _QUARTER_OF_AN_HOUR:
            return timezone(ahead)
    return None


# Clients


def key_of(row: Row) -> str | None:
    """Return the unique key of a client."""
    return coerce.identifier(row.get("key")) or client_key(row)


def _while(row: Row, name: str, *, online: bool) -> datetime | None:
    """Return a time that is only valid while a client is online, or offline."""
    return coerce.epoch(row.get(name)) if coerce.boolean(row.get("online")) is online else None


CLIENT = RowParser(
    Client,
    id=key_of,
    name=key_of,
    address=field("clientIP", coerce.text),
    connected_since=lambda row: _while(row, "lastConnectedAt", online=True),
    host_name=field("hostname", coerce.text),
    last_seen=lambda row: _while(row, "disconnectedAt", online=False),
    online=field("online", coerce.boolean),
    version=field("version", coerce.text),
)


def has_id_of_its_own(row: Row) -> bool:
    """Return whether a client keeps its id after a restart.

    Without an id in its configuration, it has a random one.
    """
    client = coerce.text(row.get("clientID")) or ""
    return client != row.get("runID") and not _RUN_ID.fullmatch(client)


# History


def days(rows: Sequence[Row]) -> tuple[DayTraffic, ...]:
    """Return the days of version 2, the oldest first."""
    return tuple(
        DayTraffic(
            day=f"{day}",
            traffic_in=coerce.count(row.get("trafficIn")),
            traffic_out=coerce.count(row.get("trafficOut")),
        )
        for row in rows[: coerce.MAX_ITEMS]
        if (day := coerce.day(row.get("date")))
    )


def days_until(today: date, row: Row) -> tuple[DayTraffic, ...]:
    """Return the days of version 1, the oldest first. The answer has no dates; today is first."""
    into, out_of = (_list(row.get(name)) for name in ("trafficIn", "trafficOut"))
    found = [
        DayTraffic(
            day=f"{today - timedelta(days=ago)}",
            traffic_in=coerce.count(traffic_in),
            traffic_out=coerce.count(traffic_out),
        )
        for ago, (traffic_in, traffic_out) in enumerate(zip(into, out_of, strict=False))
    ]
    return tuple(reversed(found))


def _list(value: object) -> list[object]:
    return value[: coerce.MAX_ITEMS] if isinstance(value, list) else []
