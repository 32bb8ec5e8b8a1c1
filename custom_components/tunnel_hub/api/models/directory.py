"""Directories of relay nodes that users enter: resources and payloads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
import re
from typing import ClassVar, Self

from ..errors import InvalidInputError
from ..models.base import Resource


class Region(StrEnum):
    """The location of a node, seen from the service's country."""

    DOMESTIC = "domestic"
    OVERSEAS = "overseas"


class QueryPriority(StrEnum):
    """The preferred property of nodes in a query."""

    TRAFFIC = "traffic"
    BANDWIDTH = "bandwidth"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayNode(Resource):
    """A node that a user has entered in the directory."""

    kind: ClassVar[str] = "relay_node"

    allow_relay: bool | None = None
    """Whether it relays traffic of others."""
    availability_24_hours: float | None = None
    """The percentage of its last 144 reports in which it was online: those of 24 hours if one is
    sent every ten minutes.
    """
    availability_30_days: float | None = None
    """The percentage of its last 4320 reports in which it was online: those of 30 days if one is
    sent every ten minutes.
    """
    bandwidth: float | None = None
    """The current bandwidth in Mbit/s."""
    bandwidth_maximum: float | None = None
    """The maximum bandwidth in Mbit/s."""
    bandwidth_tier: float | None = None
    """The nominal bandwidth in Mbit/s; unknown before its first report."""
    connections: int | None = None
    connections_allowed: int | None = None
    last_report: datetime | None = None
    load: float | None = None
    """The highest use of bandwidth_tier, connections_allowed and traffic_allowed, in percent;
    unknown while it is offline or does not report.
    """
    online: bool | None = None
    place: str | None = None
    """The location in its owner's words."""
    region: Region | None = None
    tags: tuple[str, ...] | None = None
    traffic_allowed: int | None = None
    """Bytes until traffic_reset; None also if there is no limit."""
    traffic_reset: datetime | None = None
    """When traffic is counted from 0 again; None also if that time has passed."""
    traffic_usage: float | None = None
    """The percentage of traffic_allowed, which can be exceeded."""
    traffic_used: int | None = None
    valid_until: date | None = None
    """The day on which the directory removes it; None also if it does not expire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNode(RelayNode):
    """A node that the directory shows to everyone."""

    kind: ClassVar[str] = "public_node"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedNode:
    """A node that can be connected to.

    addresses: such as tcp://192.0.2.7:11010.
    """

    node: PublicNode
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of a connection check.

    address: such as tcp://192.0.2.7:11010.
    latency: milliseconds; None if it was not reached.
    connections: of the node at that time.
    message: the reason, in the service's words.
    """

    address: str
    reachable: bool | None
    latency: int | None = None
    connections: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachability(Resource):
    """Whether a node can be reached from outside, for each of its connections."""

    kind: ClassVar[str] = "reachability"
    part_of: ClassVar[str | None] = "relay_node"

    findings: tuple[Finding, ...] = ()
    latency: int | None = None
    """Milliseconds, over the fastest connection."""
    reachable: bool | None = None
    """Over at least one connection."""


_ADDRESS = re.compile(r"([a-z]+)://(\[[0-9a-f:.]+\]|[^\s:/\[\]]+):(\d{1,5})/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayNodeConnection:
    """An address of a node.

    type: TCP, UDP, WS, WSS...
    """

    type: str
    host: str
    port: int

    @classmethod
    def at(cls, address: str) -> Self:
        """Parse an address such as tcp://192.0.2.7:11010; raises InvalidInputError."""
        if not (found := _ADDRESS.fullmatch(address.strip())):
            raise InvalidInputError("not_a_connection", address=address)
        type_, host, port = found.groups()
        return cls(type=type_.upper(), host=host.strip("[]"), port=int(port))


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayNodeUpdate:
    """A node to create or change; None leaves a value unchanged, or to the service.

    bandwidth_tier, bandwidth_maximum: Mbit/s.
    traffic_allowed: GB until the next reset.
    reset_day: the day of the month on which traffic is reset; 0 is the last one.
    valid_until: the day on which the directory removes it.
    """

    name: str | None = None
    region: Region | None = None
    place: str | None = None
    connections: Sequence[RelayNodeConnection] | None = None
    bandwidth_tier: float | None = None
    bandwidth_maximum: float | None = None
    traffic_allowed: float | None = None
    reset_day: int | None = None
    connections_allowed: int | None = None
    tags: Sequence[str] | None = None
    notes: str | None = None
    valid_until: date | None = None
    allow_relay: bool | None = None
    network_name: str | None = None
    network_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayNodeReport:
    """A status report that replaces one of the node's own agent.

    bandwidth: Mbit/s.
    traffic: GB; some servers add it to their value, others replace it.
    bandwidth_tier: Mbit/s.
    token: of the node, if the service does not provide it.
    """

    online: bool
    bandwidth: float
    traffic: float
    connections: int
    bandwidth_tier: float | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """The traffic of a node after a report.

    used, allowed: bytes.
    """

    traffic_used: int | None
    traffic_allowed: int | None
    traffic_reset: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTarget:
    """An address to check.

    address: tcp://, ws:// or wss:// host:port.
    """

    address: str
    network_name: str
    network_secret: str = field(repr=False)
