"""What can be asked of the nodes of a service, and chosen among them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from ..models.nodes import Node

NODES = "nodes"
"""Option: which nodes to read, one of the NODES_ values; all without it."""

NODES_ALL = "all"

NODES_USED = "used"

NODES_CHOSEN = "chosen"

CHOSEN_NODES = "chosen_nodes"
"""Option: the ids of the nodes to read, a list, with NODES_CHOSEN."""

NODE_DETAILS = "node_details"
"""Option: whether to read what costs a request for each node; not without it."""


@runtime_checkable
class CanChooseNodes(Protocol):
    """The service has more nodes than most people want to see."""

    async def node_names(self) -> Mapping[str, str]:
        """Return the names of all nodes by id, whichever are chosen."""


@runtime_checkable
class CanDetailNodes(Protocol):
    """The service tells more of a node, one at a time."""

    async def node_details(self, node_id: str) -> Node:
        """Ask now."""


@runtime_checkable
class CanGetNodeHistory(Protocol):
    """The service keeps what was measured at a node.

    history_fields: what can be asked for.
    """

    history_fields: Collection[str]

    async def node_history(
        self, node_id: str, fields: Collection[str], start: datetime | None, end: datetime | None
    ) -> Sequence[Mapping[str, float | str | None]]:
        """Return samples between two moments with these fields and their `time`, oldest first.

        start: an hour before the newest sample if None. end: the newest sample if None.
        """
