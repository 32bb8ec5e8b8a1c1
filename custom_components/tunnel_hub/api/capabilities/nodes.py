"""What can be asked of the nodes of a service, and chosen among them."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ..models.nodes import DayUptime, Node, NodeEndpoint
from ..models.tunnels import Tunnel
from . import Capability

NODES = "nodes"
"""Option: which nodes to read, one of the NODES_ values; all without it."""

NODES_ALL = "all"

NODES_USED = "used"

NODES_CHOSEN = "chosen"

CHOSEN_NODES = "chosen_nodes"
"""Option: the ids of the nodes to read, a list, with NODES_CHOSEN."""

NODE_DETAILS = "node_details"
"""Option: whether to read what costs a request for each node; not without it."""


class CanChooseNodes(Capability):
    """The service has many nodes: to see only some of them, and to find one for a tunnel.

    protocols: what its tunnels may carry.
    """

    protocols: Collection[str]

    @abstractmethod
    async def node_names(self) -> Mapping[str, str]:
        """Return the names of all nodes by id, whichever are chosen."""

    @abstractmethod
    async def all_nodes(self) -> Mapping[str, Node]:
        """Read all nodes by id, whichever are chosen."""

    @abstractmethod
    async def closed_groups(self) -> Collection[str]:
        """Read which groups of nodes the account may not use: values of `Node.group`."""

    @abstractmethod
    async def node_endpoint(self, node_id: str) -> NodeEndpoint:
        """Return where a node takes connections, as far as the service tells this account."""


class CanAskNodes(Capability):
    """The service passes questions and commands on to its nodes.

    history_fields: what can be asked of what was measured at a node.
    """

    history_fields: Collection[str]

    @abstractmethod
    async def node_details(self, node_id: str) -> Node:
        """Read the current state."""

    @abstractmethod
    async def node_history(
        self, node_id: str, fields: Collection[str], start: datetime | None, end: datetime | None
    ) -> Sequence[Mapping[str, float | str | None]]:
        """Return samples between two moments with these fields and their `time`, oldest first.

        start: an hour before the newest sample if None. end: the newest sample if None.
        """

    @abstractmethod
    async def uptime_history(self, number: int) -> Mapping[str, tuple[DayUptime, ...]]:
        """Return for how much of the last days each node was up, by id, the oldest day first.

        number: of days, 1 to 90, today included.
        """

    @abstractmethod
    async def refresh_tunnel(self, tunnel_id: str) -> Tunnel:
        """Have the node asked; the tunnel as it is now."""

    @abstractmethod
    async def force_all_offline(self) -> Mapping[str, str]:
        """Disconnect the clients of all tunnels once; return the result of each node."""
