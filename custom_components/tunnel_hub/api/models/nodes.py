"""The nodes of a service: the servers that tunnels run over."""

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
    """One server of the service that tunnels run over."""

    kind: ClassVar[str] = "node"
    may_be_enabled_later: ClassVar[bool] = True

    bandwidth_usage: float | None = None
    """A percentage."""
    clients: int | None = None
    connections: int | None = None
    cpu_usage: float | None = None
    """A percentage."""
    defended: bool | None = None
    """Whether it is protected against floods of packets."""
    description: str | None = None
    disk_usage: float | None = None
    """A percentage."""
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
    """A percentage."""
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
    def enabled_by_default(self) -> bool:
        return self.in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUptime(Resource):
    """For how much of the last 30 days a node was up, in percent."""

    kind: ClassVar[str] = "node_uptime"
    part_of: ClassVar[str | None] = "node"
    may_be_enabled_later: ClassVar[bool] = True

    in_use: bool = False
    """Whether one of the account's tunnels runs over it."""
    uptime_30_days: float | None = None

    @property
    @override
    def enabled_by_default(self) -> bool:
        return self.in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEndpoint:
    """Where a node takes connections; None for what the service does not tell.

    address: host:port for the programs of its customers. ports: those that its tunnels may have.
    """

    address: str | None = None
    ports: range | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUptime:
    """For how much of one day a node was up, in percent. day: by the service's calendar."""

    day: date
    uptime: float
