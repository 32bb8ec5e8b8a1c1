"""Actions for the nodes of a service."""

from datetime import datetime
from typing import Any

from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..api.capabilities.nodes import CanAskNodes
from ..api.errors import NodeGoneError
from ..api.models.directory import PublicNode, RelayNode
from ..api.models.nodes import Node
from .base import Action, ActionTarget, to_response

_FIELDS = "fields"
_START = "start_time"
_END = "end_time"
_NODES = (Node, PublicNode, RelayNode)


def _moment(data: dict[str, Any], name: str) -> datetime | None:
    """Return an aware time; the default time zone is Home Assistant's."""
    return dt_util.as_utc(data[name]) if name in data else None


async def _get_node(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    for coordinator in target.feeds_of(*_NODES):
        if coordinator.device_kind == target.key.kind:
            nodes = await coordinator.async_current()
            if (node := nodes.get(target.key.id)) is not None:
                return to_response(node)
    raise NodeGoneError


async def _get_node_history(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    service = target.capable(CanAskNodes)
    samples = await service.node_history(
        target.key.id,
        data.get(_FIELDS) or service.history_fields,
        _moment(data, _START),
        _moment(data, _END),
    )
    return {"samples": [dict(sample) for sample in samples]}


NODE_ACTIONS: dict[str, Action] = {
    "get_node": Action(
        run=_get_node,
        kinds=tuple(node.kind for node in _NODES),
        response=SupportsResponse.ONLY,
    ),
    "get_node_history": Action(
        run=_get_node_history,
        kinds=(Node.kind,),
        fields={
            vol.Optional(_FIELDS): vol.All(cv.ensure_list, [cv.string]),
            vol.Optional(_START): cv.datetime,
            vol.Optional(_END): cv.datetime,
        },
        response=SupportsResponse.ONLY,
    ),
}
