"""Actions that tell what a service has kept of the past."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..api.provider import CanGetNodeHistory, CanGetTrafficHistory
from ..api.resource import Account, Node, Tunnel
from .base import Action, Target

_FIELDS = "fields"
_START = "start_time"
_END = "end_time"


def _moment(data: dict[str, Any], name: str) -> datetime | None:
    """Return a moment; without a time zone it is Home Assistant's."""
    return dt_util.as_utc(data[name]) if name in data else None


async def _get_node_history(target: Target, data: dict[str, Any]) -> ServiceResponse:
    service = target.capable(CanGetNodeHistory)
    samples = await service.node_history(
        target.key.id,
        data.get(_FIELDS) or service.history_fields,
        _moment(data, _START),
        _moment(data, _END),
    )
    return {"samples": [dict(sample) for sample in samples]}


async def _get_traffic_history(target: Target, _: dict[str, Any]) -> ServiceResponse:
    tunnel_id = target.key.id if target.key.kind == Tunnel.kind else None
    days = await target.capable(CanGetTrafficHistory).traffic_history(tunnel_id)
    return {"days": [asdict(day) for day in days]}


HISTORY_ACTIONS: dict[str, Action] = {
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
    "get_traffic_history": Action(
        run=_get_traffic_history,
        kinds=(Account.kind, Tunnel.kind),
        response=SupportsResponse.ONLY,
    ),
}
