"""Capabilities for the nodes of a service."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ..models.nodes import DayUptime, Node, NodeEndpoint
from . import Capability

NODES = "nodes"
"""Option: which nodes to read, one of the NODES_ values. Default: all."""

NODES_ALL = "all"

NODES_USED = "used"

NODES_CHOSEN = "chosen"

CHOSEN_NODES = "chosen_nodes"
"""Option: a list with the ids of the nodes to read, for NODES_CHOSEN."""

NODE_DETAILS = "node_details"
"""Option: whether to read values that require one request per node. Default: no."""


class CanChooseNodes(Capability):
    """The service has many nodes, of which the user can choose some.

    protocols: the protocols of its tunnels.
    """

    protocols: Collection[str]

    @abstractmethod
    async def node_names(self) -> Mapping[str, str]:
        """Return the names of all nodes by id, whether they are chosen or not."""

    @abstractmethod
    async def all_nodes(self) -> Mapping[str, Node]:
        """Read all nodes by id, whether they are chosen or not."""

    @abstractmethod
    async def closed_groups(self) -> Collection[str]:
        """Read the groups of nodes that the account may not use: values of `Node.group`."""

    @abstractmethod
    async def node_endpoint(self, node_id: str) -> NodeEndpoint:
        """Return the address of a node, if the service provides it to this account."""


class CanAskNodes(Capability):
    """The service forwards requests to its nodes, and stores their daily uptimes.

    The requests read the state and its history, or disconnect the clients of all tunnels.

    history_fields: the values that node_history can return.
    """

    history_fields: Collection[str]

    @abstractmethod
    async def node_details(self, node_id: str) -> Node:
        """Read the current state."""

    @abstractmethod
    async def node_history(
        self, node_id: str, fields: Collection[str], start: datetime | None, end: datetime | None
    ) -> Sequence[Mapping[str, float | str | None]]:
        """Return samples with these fields and their `time`, the oldest first.

        start: by default an hour before the newest sample.
        end: by default the newest sample.
        """

    @abstractmethod
    async def uptime_history(self, number: int) -> Mapping[str, tuple[DayUptime, ...]]:
        """Return the daily uptimes of all nodes by id, the oldest day first.

        number: of days, 1 to 90, including today.
        """

    @abstractmethod
    async def force_all_offline(self) -> Mapping[str, str]:
        """Disconnect the clients of all tunnels once; return the result of each node."""
