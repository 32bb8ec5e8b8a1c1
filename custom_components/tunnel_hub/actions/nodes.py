"""Actions for nodes of any service that lists them."""

from typing import Any

from homeassistant.core import ServiceResponse, SupportsResponse

from ..api.directory import PublicNode, RelayNode
from ..api.errors import NodeGoneError
from ..api.resource import Node
from .base import Action, Target, to_response

_NODES = (Node, PublicNode, RelayNode)


async def _get_node(target: Target, _: dict[str, Any]) -> ServiceResponse:
    for coordinator in target.feeds_of(*_NODES):
        if coordinator.device_kind == target.key.kind:
            nodes = await coordinator.async_current()
            if (node := nodes.get(target.key.id)) is not None:
                return to_response(node)
    raise NodeGoneError


NODE_ACTIONS: dict[str, Action] = {
    "get_node": Action(
        run=_get_node,
        kinds=tuple(node.kind for node in _NODES),
        response=SupportsResponse.ONLY,
    )
}
