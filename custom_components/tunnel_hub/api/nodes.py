"""Which of a service's nodes the user wants to see."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from .provider import CHOSEN_NODES, NODES, NODES_ALL, NODES_CHOSEN, NODES_USED, Options
from .resource import Node


class NodeChoice:
    """The user's choice, applied to every reading of the nodes."""

    def __init__(self, options: Options) -> None:
        """Read the options; all nodes without any."""
        self._mode = options.get(NODES, NODES_ALL)
        chosen = options.get(CHOSEN_NODES)
        self._chosen = frozenset(chosen) if isinstance(chosen, list) else frozenset()

    def select(self, nodes: Mapping[str, Node], used: Collection[str]) -> dict[str, Node]:
        """Return the wanted nodes, those that the account uses marked as in use."""
        wanted = {NODES_USED: used, NODES_CHOSEN: self._chosen}.get(str(self._mode), nodes)
        return {
            id_: replace(node, in_use=True) if id_ in used else node
            for id_, node in nodes.items()
            if id_ in wanted
        }
