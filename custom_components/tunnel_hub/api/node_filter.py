"""Selects the nodes that the user wants to see."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from .capabilities.nodes import CHOSEN_NODES, NODES, NODES_ALL, NODES_CHOSEN, NODES_USED
from .models.nodes import Node, NodeUptime
from .provider import Options


class NodeFilter:
    """Applies the user's choice to each answer with nodes."""

    def __init__(self, options: Options) -> None:
        """Read the options. Without options, all nodes are chosen."""
        self._mode = options.get(NODES, NODES_ALL)
        chosen = options.get(CHOSEN_NODES)
        self._chosen = frozenset(chosen) if isinstance(chosen, list) else frozenset()

    def select[N: (Node, NodeUptime)](
        self, nodes: Mapping[str, N], used: Collection[str]
    ) -> dict[str, N]:
        """Return the chosen nodes; those that the account uses are marked."""
        wanted = {NODES_USED: used, NODES_CHOSEN: self._chosen}.get(str(self._mode), nodes)
        return {
            id_: replace(node, in_use=True) if id_ in used else node
            for id_, node in nodes.items()
            if id_ in wanted
        }
