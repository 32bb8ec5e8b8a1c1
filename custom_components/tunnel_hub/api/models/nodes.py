"""The nodes of a service: the servers that make tunnels reachable."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, override

from ..models.base import Resource


class NodeLoad(StrEnum):
    """The load that a node reports."""

    IDLE = "idle"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class NodeState(StrEnum):
    """The state of a node."""

    ONLINE = "online"
    OFFLINE = "offline"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Resource):
    """A node of a service."""

    kind: ClassVar[str] = "node"
    may_be_enabled_later: ClassVar[bool] = True

    bandwidth_usage: float | None = None
    """Percent."""
    clients: int | None = None
    connections: int | None = None
    cpu_usage: float | None = None
    """Percent."""
    defended: bool | None = None
    """Whether it has DDoS protection."""
    description: str | None = None
    disk_usage: float | None = None
    """Percent."""
    group: str | None = None
    """Which customers can use it, in the service's words."""
    in_use: bool = False
    """Whether one of the account's tunnels uses it."""
    ipv6: bool | None = None
    """Whether it can be reached over IPv6."""
    latitude: float | None = None
    """Degrees north."""
    load: NodeLoad | None = None
    load_1: float | None = None
    """The load average of 1 minute; load_5 and load_15: of 5 and 15 minutes."""
    load_5: float | None = None
    load_15: float | None = None
    longitude: float | None = None
    """Degrees east."""
    mainland: bool | None = None
    """Whether it is in mainland China, where websites require a registration."""
    memory_total: int | None = None
    """Bytes."""
    memory_usage: float | None = None
    """Percent."""
    online: bool | None = None
    place: str | None = None
    """The location in the service's words."""
    protocols: tuple[str, ...] | None = None
    """The protocols of its tunnels."""
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
    def enabled_by_default(self) -> bool:
        return self.in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUptime(Resource):
    """The uptime of a node in the last 30 days, in percent."""

    kind: ClassVar[str] = "node_uptime"
    part_of: ClassVar[str | None] = "node"
    may_be_enabled_later: ClassVar[bool] = True

    in_use: bool = False
    """Whether one of the account's tunnels uses the node."""
    uptime_30_days: float | None = None

    @property
    @override
    def enabled_by_default(self) -> bool:
        return self.in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEndpoint:
    """The address of a node; None for values that the service does not provide.

    address: host:port for client programs. ports: the range for its tunnels.
    """

    address: str | None = None
    ports: range | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUptime:
    """The uptime of a node on one day, in percent.

    day: in the service's time zone.
    """

    day: date
    uptime: float
