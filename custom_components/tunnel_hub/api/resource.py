"""What a person would name: accounts, tunnels, nodes and the service itself.

Every resource is an immutable value with an id that is unique in its feed. Units are fixed
here: traffic in bytes, shares in percent (above 100 where a service counts like that), moments as
aware datetimes. Unknown is None, never 0, "" or -1. Which fields a service fills is told by its
feed. What a field whose name ends in `_today` holds is true for one day of the service, and unknown
on the next.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, override


class NodeLoad(StrEnum):
    """How busy a node says it is."""

    IDLE = "idle"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class NodeState(StrEnum):
    """What a node is doing."""

    ONLINE = "online"
    OFFLINE = "offline"
    MAINTENANCE = "maintenance"


class TunnelState(StrEnum):
    """What a tunnel is doing, as far as the service knows."""

    ONLINE = "online"
    OFFLINE = "offline"
    DISABLED = "disabled"
    NODE_OFFLINE = "node_offline"
    NODE_MAINTENANCE = "node_maintenance"
    NODE_REMOVED = "node_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing at a service.

    kind: its name in identifiers, never shown.
    part_of: the kind of the thing with the same id that it tells something about.
    comes_to_matter: whether `matters` may become true later.
    """

    kind: ClassVar[str]
    part_of: ClassVar[str | None] = None
    comes_to_matter: ClassVar[bool] = False

    id: str
    name: str | None = None

    @property
    def matters(self) -> bool:
        """Whether most people want to see it without having asked."""
        return True


def today_fields(resource: type[Resource]) -> Collection[str]:
    """Return the names of a class's fields whose values belong to one day of the service."""
    return tuple(field.name for field in fields(resource) if field.name.endswith("_today"))


def without_today[R: Resource](resource: R) -> R:
    """Return a resource without what belongs to one day of the service."""
    known: dict[str, Any] = {
        name: None for name in today_fields(type(resource)) if getattr(resource, name) is not None
    }
    return replace(resource, **known) if known else resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Resource):
    """The user's account at a service."""

    kind: ClassVar[str] = "account"

    administrator: bool | None = None
    """Whether the account runs the service."""
    bandwidth: int | None = None
    """Mbit/s that its tunnels may use."""
    banned: bool | None = None
    connections: int | None = None
    """To all of its tunnels, now."""
    group: str | None = None
    """What kind of customer the service counts it among, in the service's words."""
    group_expires: date | None = None
    """The last day in that group; None also where it lasts for ever."""
    last_sign_in: datetime | None = None
    points: int | None = None
    """What the service gives for signing in, and sells things for."""
    service_provider: bool | None = None
    """Whether the account itself offers nodes to others."""
    sign_in_days: int | None = None
    sign_in_traffic: int | None = None
    """Bytes gained by signing in, ever."""
    signed_in_today: bool | None = None
    traffic_in: int | None = None
    """Bytes, ever."""
    traffic_left: int | None = None
    """Bytes."""
    traffic_out: int | None = None
    """Bytes, ever."""
    traffic_today: int | None = None
    """Bytes used since the service's midnight."""
    tunnels_allowed: int | None = None
    tunnels_used: int | None = None
    verified: bool | None = None
    """Whether the person has proved who they are (real name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRecord(Resource):
    """What an account has gained by its daily sign-in, where that is a reading of its own."""

    kind: ClassVar[str] = "sign_in"
    part_of: ClassVar[str | None] = "account"

    last_sign_in: datetime | None = None
    sign_in_points: int | None = None
    """Points gained by signing in, ever."""
    sign_ins: int | None = None
    signed_in_today: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTraffic(Resource):
    """What went through an account's tunnels since the service's midnight, in bytes."""

    kind: ClassVar[str] = "account_traffic"
    part_of: ClassVar[str | None] = "account"

    traffic_in_today: int | None = None
    traffic_out_today: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A TLS certificate. domains: as they stand in it. status: in the service's words.

    id: what the service knows it by, where commands need that.
    """

    domains: str
    status: str | None
    expires: datetime | None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates(Resource):
    """The certificates of an account, the next to expire first."""

    kind: ClassVar[str] = "certificates"
    part_of: ClassVar[str | None] = "account"

    certificates: tuple[Certificate, ...] = ()

    @property
    def first_expiry(self) -> datetime | None:
        """When the next of them expires, or the first did if all have."""
        return next((c.expires for c in self.certificates if c.expires), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message from the service, as plain text."""

    sent: datetime
    text: str
    title: str | None = None
    id: str | None = None

    @property
    def headline(self) -> str:
        """What a person reads first of it."""
        return self.title or self.text.partition("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox(Resource):
    """The newest messages to an account, the oldest of them first."""

    kind: ClassVar[str] = "inbox"
    part_of: ClassVar[str | None] = "account"

    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel(Resource):
    """One tunnel: from a local address over a node to a public address."""

    kind: ClassVar[str] = "tunnel"

    checked_at: datetime | None = None
    """When online was last read."""
    client_outdated: bool | None = None
    """Whether the program that ran it last is older than the newest one."""
    client_version: str | None = None
    """Of the program that ran it last."""
    compression: bool | None = None
    connections: int | None = None
    enabled: bool | None = None
    """Whether the service accepts a client for it."""
    encryption: bool | None = None
    last_edit: datetime | None = None
    last_start: datetime | None = None
    """When a client connected last."""
    local_address: str | None = None
    """host:port at home."""
    node_id: str | None = None
    node_name: str | None = None
    online: bool | None = None
    """Whether a client runs it now."""
    protocol: str | None = None
    """tcp, udp, http, https, stcp, xtcp."""
    public_address: str | None = None
    """host:port or domain as seen from outside."""
    state: TunnelState | None = None
    traffic_in_today: int | None = None
    """Bytes since the service's midnight, into the tunnel."""
    traffic_out_today: int | None = None
    """Bytes since the service's midnight, out of the tunnel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Resource):
    """One server of the service that tunnels run over."""

    kind: ClassVar[str] = "node"
    comes_to_matter: ClassVar[bool] = True

    bandwidth_usage: float | None = None
    """Percent."""
    clients: int | None = None
    connections: int | None = None
    cpu_usage: float | None = None
    """Percent."""
    defended: bool | None = None
    """Whether it is protected against floods of packets."""
    description: str | None = None
    disk_usage: float | None = None
    """Percent."""
    group: str | None = None
    """Which customers may use it, in the service's words."""
    in_use: bool = False
    """Whether one of the account's tunnels runs over it."""
    ipv6: bool | None = None
    """Whether it can be reached over IPv6."""
    latitude: float | None = None
    """Degrees north."""
    load: NodeLoad | None = None
    load_1: float | None = None
    """Processes that wait for the CPU, on average of 1 minute; load_5, load_15: of 5, of 15."""
    load_5: float | None = None
    load_15: float | None = None
    longitude: float | None = None
    """Degrees east."""
    mainland: bool | None = None
    """Whether it stands in mainland China, where web pages need a registration."""
    memory_total: int | None = None
    """Bytes."""
    memory_usage: float | None = None
    """Percent."""
    online: bool | None = None
    place: str | None = None
    """Where it stands, in the service's words."""
    protocols: tuple[str, ...] | None = None
    """What its tunnels may carry."""
    started: datetime | None = None
    """When its machine was started."""
    state: NodeState | None = None
    traffic_in_today: int | None = None
    """Bytes since the service's midnight, into the node."""
    traffic_out_today: int | None = None
    """Bytes since the service's midnight, out of the node."""
    tunnels: int | None = None
    version: str | None = None

    @property
    @override
    def matters(self) -> bool:
        return self.in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUptime(Resource):
    """For how much of the last 30 days a node was up, in percent."""

    kind: ClassVar[str] = "node_uptime"
    part_of: ClassVar[str | None] = "node"
    comes_to_matter: ClassVar[bool] = True

    in_use: bool = False
    """Whether one of the account's tunnels runs over it."""
    uptime_30_days: float | None = None

    @property
    @override
    def matters(self) -> bool:
        return self.in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTotals(Resource):
    """The service as a whole."""

    kind: ClassVar[str] = "service"

    bandwidth: float | None = None
    """Mbit/s that its nodes carry now."""
    clients: int | None = None
    connections: int | None = None
    """To all of its nodes, now."""
    nodes: int | None = None
    nodes_domestic: int | None = None
    """In the service's own country."""
    nodes_listed: int | None = None
    """Shown to everybody."""
    nodes_online: int | None = None
    nodes_overseas: int | None = None
    """In other countries."""
    runs: int | None = None
    """Tunnel starts ever asked for."""
    runs_today: int | None = None
    traffic: int | None = None
    """Bytes, ever."""
    traffic_in: int | None = None
    traffic_in_today: int | None = None
    traffic_out: int | None = None
    traffic_out_today: int | None = None
    traffic_today: int | None = None
    tunnels: int | None = None
    users: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Resource):
    """The newest versions that the service offers."""

    kind: ClassVar[str] = "release"
    part_of: ClassVar[str | None] = "service"

    frpc_version: str | None = None
    """Of the program that people run at home; frps_version: of the one on the nodes."""
    frps_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Resource):
    """The newest notice of the service, as plain text."""

    kind: ClassVar[str] = "notice"
    part_of: ClassVar[str | None] = "service"

    text: str | None = None
