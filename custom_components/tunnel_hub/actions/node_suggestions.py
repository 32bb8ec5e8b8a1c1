"""The action that suggests a node."""

from collections.abc import Collection
from typing import Any

from homeassistant.const import CONF_DEVICE_ID, CONF_PROTOCOL
from homeassistant.core import ServiceResponse, SupportsResponse
from homeassistant.helpers import config_validation as cv, service
import voluptuous as vol

from ..api.capabilities import capable
from ..api.capabilities.nodes import CanChooseNodes
from ..api.errors import InvalidInputError, TunnelGoneError
from ..api.models.tunnels import Tunnel
from ..checks.addresses import Protocol, Target, tunnel_target
from ..const import DOMAIN
from ..node_suggestions import NodeSuggestions, Suggestion, TunnelRequirements
from .base import Action, ActionTarget, device_of_kind

_WITH_PORT = ("tcp", "udp")


async def _suggest_node(target: ActionTarget, data: dict[str, Any]) -> ServiceResponse:
    provider = target.capable(CanChooseNodes)
    suggestions = capable(target.data.node_suggestions, NodeSuggestions)
    found = await suggestions.suggest(await _requirements(target, data, provider.protocols))
    return {
        "nodes": [_row(suggestion) for suggestion in found if suggestion.is_suitable],
        "unsuitable": [_row(suggestion) for suggestion in found if not suggestion.is_suitable],
    }


async def _requirements(
    target: ActionTarget, data: dict[str, Any], known: Collection[str]
) -> TunnelRequirements:
    """Return the requirements of a new tunnel, or of one to move.

    known: the protocols of the service; raises InvalidInputError for another one.
    """
    protocol = data.get(CONF_PROTOCOL)
    if protocol is not None and protocol not in known:
        raise InvalidInputError("unknown_protocol", protocol=protocol, known=", ".join(known))
    if CONF_DEVICE_ID not in data:
        return TunnelRequirements(protocol=protocol)
    tunnel = await _tunnel(target, data[CONF_DEVICE_ID])
    protocol = protocol or (tunnel.protocol or "").lower() or None
    address = tunnel_target(Protocol.TCP, tunnel.public_address)
    return TunnelRequirements(
        protocol=protocol,
        port=address.port if protocol in _WITH_PORT and isinstance(address, Target) else None,
        node_id=tunnel.node_id,
        node_name=tunnel.node_name,
    )


async def _tunnel(target: ActionTarget, device_id: str) -> Tunnel:
    """Return the account's tunnel of a device; raises TunnelGoneError."""
    device, _ = service.async_get_device_and_config_entry(target.hass, DOMAIN, device_id)
    key = device_of_kind(device, target.entry, (Tunnel.kind,))
    for coordinator in target.feeds_of(Tunnel):
        if isinstance(tunnel := (await coordinator.async_current()).get(key.id), Tunnel):
            return tunnel
    raise TunnelGoneError


def _row(suggestion: Suggestion) -> dict[str, Any]:
    """Return a suggestion as response data; unknown values are null."""
    node = suggestion.node
    costs = {name: round(cost, 1) for name, cost in suggestion.costs.items()}
    return {
        "node_id": node.id,
        "name": node.name,
        "connect_time": suggestion.connect_time,
        "load": suggestion.load,
        "uptime_30_days": None if suggestion.uptime is None else round(suggestion.uptime, 2),
        "protocols": None if node.protocols is None else list(node.protocols),
        "group": node.group,
        "place": node.place,
        "online": node.online,
        "cost": round(sum(costs.values()), 1),
        "costs": costs,
        "reasons": [reason.value for reason in suggestion.reasons],
    }


SUGGESTION_ACTIONS: dict[str, Action] = {
    "suggest_node": Action(
        run=_suggest_node,
        fields={
            vol.Optional(CONF_PROTOCOL): vol.All(cv.string, vol.Lower),
            vol.Optional(CONF_DEVICE_ID): cv.string,
        },
        response=SupportsResponse.ONLY,
    )
}
