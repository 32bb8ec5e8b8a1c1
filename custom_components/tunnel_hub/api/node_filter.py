"""Which of a service's nodes the user wants to see."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from .capabilities.nodes import CHOSEN_NODES, NODES, NODES_ALL, NODES_CHOSEN, NODES_USED
from .models.nodes import Node, NodeUptime
from .provider import Options


class NodeFilter:
    """The user's choice, applied to every reading of the nodes."""

    def __init__(self, options: Options) -> None:
        """Read the options. Without options, all nodes are chosen."""
        self._mode = options.get(NODES, NODES_ALL)
        chosen = options.get(CHOSEN_NODES)
        self._chosen = frozenset(chosen) if isinstance(chosen, list) else frozenset()

    def select[N: (Node, NodeUptime)](
        self, nodes: Mapping[str, N], used: Collection[str]
    ) -> dict[str, N]:
        """Return what is told of the wanted nodes, marked where the account uses one."""
        wanted = {NODES_USED: used, NODES_CHOSEN: self._chosen}.get(str(self._mode), nodes)
        return {
            id_: replace(node, in_use=True) if id_ in used else node
            for id_, node in nodes.items()
            if id_ in wanted
        }
