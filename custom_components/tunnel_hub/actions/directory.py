"""Actions for the nodes of a directory."""

from dataclasses import asdict
from typing import Any

from homeassistant.const import CONF_NAME
from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..api.capabilities.directory import NodeDirectory
from ..api.models.directory import (
    CheckTarget,
    QueryPriority,
    Reachability,
    Region,
    RelayNode,
    RelayNodeConnection,
    RelayNodeReport,
    RelayNodeUpdate,
)
from ..number_validators import AMOUNT, COUNT, WHOLE_NUMBER
from .base import Action, ActionTarget, payload_of, to_response

_CONNECTIONS = "connections"

_TEXTS = vol.All(cv.ensure_list, [cv.string])


_NEEDED: dict[str, Any] = {
    CONF_NAME: cv.string,
    "region": vol.Coerce(Region),
    _CONNECTIONS: _TEXTS,
}
_FIELDS: dict[str, Any] = {
    "allow_relay": cv.boolean,
    "bandwidth_maximum": AMOUNT,
    "bandwidth_tier": AMOUNT,
    "connections_allowed": COUNT,
    "network_name": cv.string,
    "network_secret": cv.string,
    "notes": cv.string,
    "place": cv.string,
    "reset_day": WHOLE_NUMBER,
    "tags": _TEXTS,
    "traffic_allowed": AMOUNT,
    "valid_until": cv.date,
}


def _payload(data: dict[str, Any]) -> RelayNodeUpdate:
    """Return the fields of an action call as a payload."""
    if _CONNECTIONS in data:
        data = data | {_CONNECTIONS: [RelayNodeConnection.at(each) for each in data[_CONNECTIONS]]}
    return payload_of(RelayNodeUpdate, data)


async def _create_node(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    return {"node_id": await target.collection(RelayNodeUpdate).create(_payload(data))}


async def _update_node(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    await target.collection(RelayNodeUpdate).update(target.key.id, _payload(data))
    return None


async def _delete_node(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    await target.collection(RelayNodeUpdate).delete(target.key.id)
    return None


async def _query_nodes(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    found = await target.capable(NodeDirectory).query_nodes(
        region=data.get("region"),
        priority=data.get("priority"),
        relay_only=data["relay_only"],
    )
    return {
        "nodes": [
            {**to_response(proposed.node), "addresses": list(proposed.addresses)}
            for proposed in found
        ]
    }


async def _check_node(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    findings = await target.capable(NodeDirectory).check_node(target.key.id)
    return {"connections": [asdict(finding) for finding in findings]}


async def _check_addresses(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    findings = await target.capable(NodeDirectory).check_targets(
        [
            CheckTarget(
                address=address,
                network_name=data["network_name"],
                network_secret=data["network_secret"],
            )
            for address in data["addresses"]
        ]
    )
    return {"connections": [asdict(finding) for finding in findings]}


async def _report_node(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    report = payload_of(RelayNodeReport, data)
    result = await target.capable(NodeDirectory).report_node(target.key.id, report)
    return {
        "traffic_used": result.traffic_used,
        "traffic_allowed": result.traffic_allowed,
        "traffic_reset": result.traffic_reset.isoformat() if result.traffic_reset else None,
    }


async def _regenerate_report_token(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    token = await target.capable(NodeDirectory).regenerate_report_token(target.key.id)
    return {"report_token": token}


_ONE_NODE = (RelayNode.kind,)
_OPTIONAL: dict[vol.Marker, Any] = {vol.Optional(name): check for name, check in _FIELDS.items()}

DIRECTORY_ACTIONS: dict[str, Action] = {
    "check_addresses": Action(
        run=_check_addresses,
        fields={
            vol.Required("addresses"): _TEXTS,
            vol.Required("network_name"): cv.string,
            vol.Required("network_secret"): cv.string,
        },
        admin=True,
        response=SupportsResponse.ONLY,
    ),
    "check_node": Action(run=_check_node, kinds=_ONE_NODE, response=SupportsResponse.ONLY),
    "create_node": Action(
        run=_create_node,
        edits=RelayNodeUpdate,
        fields={
            **{vol.Required(name): check for name, check in _NEEDED.items()},
            **_OPTIONAL,
        },
        admin=True,
        changes=(RelayNode, Reachability),
        response=SupportsResponse.OPTIONAL,
    ),
    "delete_node": Action(
        run=_delete_node, edits=RelayNodeUpdate, kinds=_ONE_NODE, admin=True, changes=(RelayNode,)
    ),
    "query_nodes": Action(
        run=_query_nodes,
        fields={
            vol.Optional("region"): vol.Coerce(Region),
            vol.Optional("priority"): vol.Coerce(QueryPriority),
            vol.Optional("relay_only", default=False): cv.boolean,
        },
        response=SupportsResponse.ONLY,
    ),
    "regenerate_report_token": Action(
        run=_regenerate_report_token,
        kinds=_ONE_NODE,
        admin=True,
        response=SupportsResponse.OPTIONAL,
    ),
    "report_node": Action(
        run=_report_node,
        kinds=_ONE_NODE,
        fields={
            vol.Required("online"): cv.boolean,
            vol.Required("bandwidth"): AMOUNT,
            vol.Required("traffic"): AMOUNT,
            vol.Required("connections"): COUNT,
            vol.Optional("bandwidth_tier"): AMOUNT,
            vol.Optional("token"): cv.string,
        },
        admin=True,
        changes=(RelayNode,),
        response=SupportsResponse.OPTIONAL,
    ),
    "update_node": Action(
        run=_update_node,
        edits=RelayNodeUpdate,
        kinds=_ONE_NODE,
        fields={
            **{vol.Optional(name): check for name, check in _NEEDED.items()},
            **_OPTIONAL,
        },
        admin=True,
        changes=(RelayNode, Reachability),
    ),
}
