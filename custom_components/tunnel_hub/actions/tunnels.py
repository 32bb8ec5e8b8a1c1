"""Actions for tunnels."""

from typing import Any

from homeassistant.const import CONF_NAME, CONF_PROTOCOL
from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..api.capabilities import capable
from ..api.capabilities.nodes import CanAskNodes
from ..api.capabilities.service import CanReloadConfiguration
from ..api.capabilities.tunnels import CanForgetOfflineTunnels, CanInspectTunnels
from ..api.errors import InvalidInputError
from ..api.models.nodes import Node
from ..api.models.server import ClientStatus, Server
from ..api.models.tunnels import Tunnel, TunnelUpdate
from ..force_down import ForceDown
from ..number_validators import WHOLE_NUMBER
from .base import Action, ActionTarget, payload_of, to_response

_FORMAT = "format"
_LOCAL_PORT = "local_port"
_NODE = "node"

# Each service has a narrower range and explains it. This only checks that it is a port number.
_PROTOCOL = vol.All(cv.string, vol.Lower)
_OPTIONAL_FIELDS: dict[vol.Marker, Any] = {
    vol.Optional("compression"): cv.boolean,
    vol.Optional("domain"): cv.string,
    vol.Optional("encryption"): cv.boolean,
    vol.Optional("extra_parameters"): cv.string,
    vol.Optional("local_host"): cv.string,
    vol.Optional("remote_port"): WHOLE_NUMBER,
    vol.Optional("secret_key"): cv.string,
}


async def _create_tunnel(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    if _NODE not in data and target.feeds_of(Node):
        raise InvalidInputError("node_needed")
    tunnel_id = await target.collection(TunnelUpdate).create(payload_of(TunnelUpdate, data))
    return {"tunnel_id": tunnel_id}


async def _update_tunnel(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    await target.collection(TunnelUpdate).update(target.key.id, payload_of(TunnelUpdate, data))
    return None


async def _delete_tunnel(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    await target.collection(TunnelUpdate).delete(target.key.id)
    if (force_down := target.data.force_down) is not None:
        await force_down.async_forget(target.key.id)
    return None


async def _get_tunnel_config(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    of_node = target.key.kind == Node.kind
    config = await target.capable(CanInspectTunnels).tunnel_config(
        tunnel_id=None if of_node else target.key.id,
        node_id=target.key.id if of_node else None,
        file_format=data.get(_FORMAT),
    )
    return {"config": config}


async def _check_tunnel(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    tunnel = await target.capable(CanInspectTunnels).check_tunnel(target.key.id)
    for coordinator in target.feeds_of(Tunnel):
        coordinator.async_publish(tunnel)
    return to_response(tunnel)


async def _forget_offline_tunnels(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    forgotten = await target.capable(CanForgetOfflineTunnels).forget_offline_tunnels()
    for coordinator in target.feeds_of(Tunnel):
        for tunnel_id in forgotten:
            coordinator.async_forget(tunnel_id)
    return {"forgotten": len(forgotten)}


async def _reload_configuration(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    await target.capable(CanReloadConfiguration).reload_configuration()
    return None


async def _force_offline(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    await capable(target.data.force_down, ForceDown).async_disconnect_client(target.key.id)
    return None


async def _force_all_offline(target: ActionTarget, _: dict[str, Any]) -> ServiceResponse:
    return {"nodes": dict(await target.capable(CanAskNodes).force_all_offline())}


TUNNEL_ACTIONS: dict[str, Action] = {
    "check_tunnel": Action(
        run=_check_tunnel, kinds=(Tunnel.kind,), response=SupportsResponse.OPTIONAL
    ),
    "create_tunnel": Action(
        run=_create_tunnel,
        edits=TunnelUpdate,
        fields={
            vol.Required(CONF_NAME): cv.string,
            vol.Required(CONF_PROTOCOL): _PROTOCOL,
            vol.Required(_LOCAL_PORT): WHOLE_NUMBER,
            vol.Optional(_NODE): cv.string,
            **_OPTIONAL_FIELDS,
        },
        admin=True,
        changes=(Tunnel,),
        response=SupportsResponse.OPTIONAL,
    ),
    "delete_tunnel": Action(
        run=_delete_tunnel, edits=TunnelUpdate, kinds=(Tunnel.kind,), admin=True, changes=(Tunnel,)
    ),
    "force_all_offline": Action(
        run=_force_all_offline,
        admin=True,
        changes=(Tunnel,),
        response=SupportsResponse.OPTIONAL,
    ),
    "force_offline": Action(run=_force_offline, kinds=(Tunnel.kind,), changes=(Tunnel,)),
    "forget_offline_tunnels": Action(
        run=_forget_offline_tunnels,
        admin=True,
        changes=(Server, Tunnel),
        response=SupportsResponse.OPTIONAL,
    ),
    "get_tunnel_config": Action(
        run=_get_tunnel_config,
        kinds=(Tunnel.kind, Node.kind),
        fields={vol.Optional(_FORMAT): vol.In(("ini", "toml"))},
        admin=True,
        response=SupportsResponse.ONLY,
    ),
    "reload_configuration": Action(
        run=_reload_configuration, admin=True, changes=(ClientStatus, Tunnel)
    ),
    "update_tunnel": Action(
        run=_update_tunnel,
        edits=TunnelUpdate,
        kinds=(Tunnel.kind,),
        fields={
            vol.Optional(CONF_NAME): cv.string,
            vol.Optional(CONF_PROTOCOL): _PROTOCOL,
            vol.Optional(_LOCAL_PORT): WHOLE_NUMBER,
            vol.Optional(_NODE): cv.string,
            **_OPTIONAL_FIELDS,
        },
        admin=True,
        changes=(Tunnel,),
    ),
}
