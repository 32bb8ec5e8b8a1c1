"""Directories of relay nodes, where people enter their own: what they list and are told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
import re
from typing import ClassVar, Self

from ..errors import InvalidInputError
from ..models.base import Resource


class Region(StrEnum):
    """Where a node stands, as seen from the service's country."""

    DOMESTIC = "domestic"
    OVERSEAS = "overseas"


class QueryPriority(StrEnum):
    """What someone who wants to connect has most use for."""

    TRAFFIC = "traffic"
    BANDWIDTH = "bandwidth"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayNode(Resource):
    """A node that a user has entered in the directory."""

    kind: ClassVar[str] = "relay_node"

    allow_relay: bool | None = None
    """Whether it carries traffic between others."""
    availability_24_hours: float | None = None
    """With how many of its last 144 reports it was online, in percent: those of 24 hours, if one
    came every ten minutes."""
    availability_30_days: float | None = None
    """With how many of its last 4320 reports it was online, in percent: those of 30 days, if one
    came every ten minutes."""
    bandwidth: float | None = None
    """Mbit/s, now."""
    bandwidth_maximum: float | None = None
    """Mbit/s that it could carry."""
    bandwidth_tier: float | None = None
    """Mbit/s that it is meant to carry; unknown before its first report."""
    connections: int | None = None
    connections_allowed: int | None = None
    last_report: datetime | None = None
    load: float | None = None
    """How much of bandwidth_tier, connections_allowed or traffic_allowed is used, whichever is used
    most, in percent; unknown while it is offline or silent."""
    online: bool | None = None
    place: str | None = None
    """Where it stands, in its owner's words."""
    region: Region | None = None
    tags: tuple[str, ...] | None = None
    traffic_allowed: int | None = None
    """Bytes until traffic_reset; None also where there is no limit."""
    traffic_reset: datetime | None = None
    """When traffic is counted from 0 again; None also where that should have happened already."""
    traffic_usage: float | None = None
    """Percent of traffic_allowed, which may be exceeded."""
    traffic_used: int | None = None
    """Bytes."""
    valid_until: date | None = None
    """The day on which the directory drops it; None also where it lasts forever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNode(RelayNode):
    """A node as the directory shows it to everyone."""

    kind: ClassVar[str] = "public_node"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedNode:
    """A node to connect to. addresses: such as tcp://192.0.2.7:11010."""

    node: PublicNode
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check of a connection found. address: such as tcp://192.0.2.7:11010.

    latency: milliseconds, None where it was not reached. connections: to the node then.
    message: why not, in the service's words.
    """

    address: str
    reachable: bool | None
    latency: int | None = None
    connections: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachability(Resource):
    """Whether a node can be reached from outside, over each of its connections."""

    kind: ClassVar[str] = "reachability"
    part_of: ClassVar[str | None] = "relay_node"

    findings: tuple[Finding, ...] = ()
    latency: int | None = None
    """Milliseconds, over the quickest of them."""
    reachable: bool | None = None
    """Over any of them."""


_ADDRESS = re.compile(r"([a-z]+)://(\[[0-9a-f:.]+\]|[^\s:/\[\]]+):(\d{1,5})/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayNodeConnection:
    """A way to reach a node. type: TCP, UDP, WS, WSS..."""

    type: str
    host: str
    port: int

    @classmethod
    def at(cls, address: str) -> Self:
        """Read an address such as tcp://192.0.2.7:11010; raises InvalidInputError."""
        if not (found := _ADDRESS.fullmatch(address.strip())):
            raise InvalidInputError("not_a_connection", address=address)
        type_, host, port = found.groups()
        return cls(type=type_.upper(), host=host.strip("[]"), port=int(port))


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayNodeUpdate:
    """What a user says about a node; None leaves it to the service, or as it is.

    bandwidth_tier, bandwidth_maximum: Mbit/s. traffic_allowed: GB until the next reset.
    reset_day: day of the month on which traffic starts again, 0 is the last.
    valid_until: the day on which the directory drops it.
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
    """How a node is doing, in place of its own agent.

    bandwidth: Mbit/s. traffic: GB; some servers add it to what they know, others replace that.
    bandwidth_tier: Mbit/s. token: the node's own, where the service does not tell it.
    """

    online: bool
    bandwidth: float
    traffic: float
    connections: int
    bandwidth_tier: float | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """What became of a node's traffic. used, allowed: bytes."""

    traffic_used: int | None
    traffic_allowed: int | None
    traffic_reset: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTarget:
    """What a check wants to know of a node. address: tcp://, ws:// or wss:// host:port."""

    address: str
    network_name: str
    network_secret: str = field(repr=False)
