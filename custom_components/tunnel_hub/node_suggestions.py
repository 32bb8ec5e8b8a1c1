"""Ranks the nodes of a service for a new tunnel, or for one that moves to another node.

The cost of a node is the sum of three values in milliseconds. The node with the lowest cost is the
best:

- connect time: of a TCP connection from home to the node's own port.
- load: 2 for each percent of CPU or bandwidth, whichever is higher.
- uptime: 20 for each percent that is missing in the last 30 days.

Unknown values cost 200, 200 and 20: as much as for a node that is far away and busy. If costs are
equal, the lower id comes first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean

from .api.age import Stamp
from .api.cache import CachedRead
from .api.capabilities.nodes import CanAskNodes, CanChooseNodes
from .api.errors import AuthenticationError, TunnelHubError
from .api.gather import gather_all
from .api.models.nodes import Node, NodeEndpoint, NodeLoad
from .checks.addresses import NotCheckable
from .checks.results import CheckResult, Outcome

_MOST_CONNECTED = 20
"""The number of nodes to connect to: the best ones by the values of the service."""
_CONNECT_TIME_CACHE_SECONDS = 600.0
"""Seconds for which a connect time is cached."""
_NODES_CACHE_SECONDS = 60.0
"""Seconds for which the nodes of the service are cached."""
_UPTIME_DAYS = 30

_UNKNOWN_CONNECT_TIME = 200.0
_PER_PERCENT_OF_LOAD = 2.0
_UNKNOWN_LOAD = 100.0
_PER_PERCENT_OF_DOWNTIME = 20.0
_UNKNOWN_UPTIME = 99.0
_HIGH_LOAD = 80.0
_LOW_UPTIME = 99.0

_LOADS = {NodeLoad.IDLE: 0.0, NodeLoad.LOW: 25.0, NodeLoad.MEDIUM: 60.0, NodeLoad.HIGH: 90.0}
"""Percentages for services that only provide a word."""


class Reason(StrEnum):
    """A disadvantage of a node, or an unknown property."""

    # Of unsuitable nodes
    CURRENT_NODE = "current_node"
    OFFLINE = "offline"
    STATE_UNKNOWN = "state_unknown"
    GROUP = "group"
    PROTOCOL = "protocol"
    PORT = "port"
    NOT_REACHED = "not_reached"
    # Of suitable nodes
    ADDRESS_UNKNOWN = "address_unknown"
    ADDRESS_NOT_PUBLIC = "address_not_public"
    NOT_MEASURED = "not_measured"
    HIGH_LOAD = "high_load"
    LOAD_UNKNOWN = "load_unknown"
    LOW_UPTIME = "low_uptime"
    UPTIME_UNKNOWN = "uptime_unknown"


_OBSTACLES = frozenset(
    {
        Reason.CURRENT_NODE,
        Reason.OFFLINE,
        Reason.STATE_UNKNOWN,
        Reason.GROUP,
        Reason.PROTOCOL,
        Reason.PORT,
        Reason.NOT_REACHED,
    }
)
"""Reasons that make a node unsuitable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelRequirements:
    """The requirements of a tunnel.

    node_id, node_name: the current node of the tunnel.
    """

    protocol: str | None = None
    port: int | None = None
    node_id: str | None = None
    node_name: str | None = None

    def is_at(self, node: Node) -> bool:
        """Return whether the tunnel uses this node. Ids come first, names may not be unique."""
        if self.node_id is not None:
            return node.id == self.node_id
        return self.node_name is not None and node.name == self.node_name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    at: Stamp
    endpoint: NodeEndpoint
    found: CheckResult | NotCheckable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A node with its rating.

    connect_time: milliseconds.
    load, uptime: percent.
    """

    node: Node
    load: float | None
    uptime: float | None
    connect_time: float | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def is_suitable(self) -> bool:
        """Whether the tunnel can use this node, as far as it is known."""
        return not _OBSTACLES.intersection(self.reasons)

    @property
    def costs(self) -> Mapping[str, float]:
        """The cost of the node, by value."""
        connect_time = self.connect_time
        load = _UNKNOWN_LOAD if self.load is None else self.load
        uptime = _UNKNOWN_UPTIME if self.uptime is None else self.uptime
        return {
            "connect_time": _UNKNOWN_CONNECT_TIME if connect_time is None else connect_time,
            "load": _PER_PERCENT_OF_LOAD * load,
            "uptime": _PER_PERCENT_OF_DOWNTIME * (100 - uptime),
        }

    @property
    def order(self) -> tuple[float, int, str]:
        """The sort key."""
        return round(sum(self.costs.values()), 1), len(self.node.id), self.node.id


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The nodes of a service by id.

    closed: groups of nodes that the account may not use.
    """

    nodes: Mapping[str, Node]
    uptimes: Mapping[str, float]
    closed: Collection[str]


class NodeSuggestions:
    """Suggests nodes for one account."""

    def __init__(
        self,
        provider: CanChooseNodes,
        connect: Callable[[str], Awaitable[CheckResult | NotCheckable]],
    ) -> None:
        """connect: connects to host:port, with a limit for all connections."""
        self._provider = provider
        self._connect = connect
        self._nodes = CachedRead(self._read_nodes)
        self._measuring = asyncio.Lock()
        self._measured: dict[str, _Measured] = {}

    async def suggest(self, requirements: TunnelRequirements) -> Sequence[Suggestion]:
        """Return all nodes, sorted: suitable nodes first, the best one at the top."""
        nodes = await self._nodes.get(_NODES_CACHE_SECONDS)
        suggestions = _sorted(
            [
                _rated(node, nodes.uptimes.get(id_), _obstacles(node, requirements, nodes.closed))
                for id_, node in nodes.nodes.items()
            ]
        )
        to_measure = [s.node.id for s in suggestions if s.is_suitable][:_MOST_CONNECTED]
        async with self._measuring:
            await self._measure(to_measure)
            measured = {id_: self._measured.get(id_) for id_ in to_measure}
        return _sorted(
            [
                _completed(s, measured.get(s.node.id), requirements)
                for s in suggestions
                if s.is_suitable
            ]
            + [s for s in suggestions if not s.is_suitable]
        )

    async def _read_nodes(self) -> _Nodes:
        nodes, closed, uptimes = await gather_all(
            self._provider.all_nodes(), self._provider.closed_groups(), self._uptimes()
        )
        return _Nodes(nodes, uptimes, closed)

    async def _uptimes(self) -> Mapping[str, float]:
        """Return the uptimes of the last days by node id; empty if the service has none."""
        if not isinstance(self._provider, CanAskNodes):
            return {}
        try:
            history = await self._provider.uptime_history(_UPTIME_DAYS)
        except TunnelHubError:
            return {}
        return {id_: fmean(day.uptime for day in days) for id_, days in history.items() if days}

    async def _measure(self, node_ids: Sequence[str]) -> None:
        """Measure the connect times of nodes, unless they are cached."""
        self._measured = {
            id_: measured
            for id_, measured in self._measured.items()
            if measured.at.age < _CONNECT_TIME_CACHE_SECONDS
        }
        missing: list[_Measured] = []
        ids: list[str] = []
        for id_ in node_ids:
            if id_ in self._measured:
                continue
            # One request at a time, and none after a failure.
            try:
                endpoint = await self._provider.node_endpoint(id_)
            except AuthenticationError:
                raise
            except TunnelHubError:
                break
            ids.append(id_)
            missing.append(_Measured(at=Stamp.now(), endpoint=endpoint))
        found = await asyncio.gather(*map(self._connected, missing))
        self._measured.update(zip(ids, found, strict=True))

    async def _connected(self, measured: _Measured) -> _Measured:
        if (address := measured.endpoint.address) is None:
            return measured
        return replace(measured, found=await self._connect(address))


def _sorted(suggestions: Sequence[Suggestion]) -> list[Suggestion]:
    return sorted(suggestions, key=lambda s: (not s.is_suitable, s.order))


def _obstacles(
    node: Node, requirements: TunnelRequirements, closed: Collection[str]
) -> tuple[Reason, ...]:
    """Return the reasons why a tunnel cannot use a node."""
    found = {
        Reason.CURRENT_NODE: requirements.is_at(node),
        Reason.OFFLINE: node.online is False,
        Reason.STATE_UNKNOWN: node.online is None,
        Reason.GROUP: node.group in closed,
        Reason.PROTOCOL: (
            requirements.protocol is not None
            and node.protocols is not None
            and requirements.protocol not in node.protocols
        ),
    }
    return tuple(reason for reason, holds in found.items() if holds)


def _rated(node: Node, uptime: float | None, obstacles: tuple[Reason, ...]) -> Suggestion:
    """Return a suggestion with the values that the service provides."""
    figures = [node.cpu_usage, node.bandwidth_usage, _LOADS.get(node.load) if node.load else None]
    known = [min(figure, 100.0) for figure in figures if figure is not None]
    load = max(known, default=None)
    found = {
        Reason.HIGH_LOAD: load is not None and load >= _HIGH_LOAD,
        Reason.LOAD_UNKNOWN: load is None,
        Reason.LOW_UPTIME: uptime is not None and uptime < _LOW_UPTIME,
        Reason.UPTIME_UNKNOWN: uptime is None,
    }
    reasons = (*obstacles, *(reason for reason, holds in found.items() if holds))
    return Suggestion(node=node, load=load, uptime=uptime, reasons=reasons)


def _completed(
    suggestion: Suggestion, measured: _Measured | None, requirements: TunnelRequirements
) -> Suggestion:
    """Add the connect time and the node's own port range."""
    reasons = list(suggestion.reasons)
    connect_time = None
    if (
        measured is not None
        and measured.endpoint.ports is not None
        and requirements.port is not None
    ):
        reasons += [Reason.PORT] if requirements.port not in measured.endpoint.ports else []
    match measured and measured.found:
        case CheckResult(outcome=Outcome.NOT_PUBLIC) | NotCheckable.NOT_PUBLIC:
            reasons.append(Reason.ADDRESS_NOT_PUBLIC)
        case CheckResult(is_reached=True, response_time=float(seconds)):
            connect_time = round(seconds * 1000, 1)
        case CheckResult(is_reached=False):
            reasons.append(Reason.NOT_REACHED)
        case CheckResult():
            reasons.append(Reason.NOT_MEASURED)
        case _:
            reasons.append(Reason.NOT_MEASURED if measured is None else Reason.ADDRESS_UNKNOWN)
    return replace(suggestion, connect_time=connect_time, reasons=tuple(reasons))
