"""Registers the actions of all subjects, for all providers that support them."""

from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.auth.permissions.const import CAT_ENTITIES, POLICY_CONTROL
from homeassistant.const import CONF_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, callback
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    service,
)
import voluptuous as vol

from .actions.account import ACCOUNT_ACTIONS
from .actions.base import Action, ActionTarget, device_of_kind
from .actions.certificates import CERTIFICATE_ACTIONS
from .actions.collections import COLLECTION_ACTIONS
from .actions.directory import DIRECTORY_ACTIONS
from .actions.mesh import MESH_ACTIONS
from .actions.node_suggestions import SUGGESTION_ACTIONS
from .actions.nodes import NODE_ACTIONS
from .actions.reachability import REACHABILITY_ACTIONS
from .actions.subdomains import SUBDOMAIN_ACTIONS
from .actions.tunnels import TUNNEL_ACTIONS
from .const import DOMAIN
from .exceptions import action_errors
from .ids import ACCOUNT, registered_device
from .runtime import TunnelHubConfigEntry

CONF_CONFIG_ENTRY_ID = "config_entry_id"

ACTIONS: dict[str, Action] = (
    ACCOUNT_ACTIONS
    | CERTIFICATE_ACTIONS
    | COLLECTION_ACTIONS
    | DIRECTORY_ACTIONS
    | MESH_ACTIONS
    | NODE_ACTIONS
    | SUBDOMAIN_ACTIONS
    | SUGGESTION_ACTIONS
    | REACHABILITY_ACTIONS
    | TUNNEL_ACTIONS
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register all actions."""
    for name, action in ACTIONS.items():
        subject = CONF_DEVICE_ID if action.kinds else CONF_CONFIG_ENTRY_ID
        schema = vol.Schema({vol.Required(subject): cv.string, **action.fields})
        if action.admin:
            service.async_register_admin_service(
                hass, DOMAIN, name, _handler(action), schema, action.response
            )
        else:
            hass.services.async_register(DOMAIN, name, _handler(action), schema, action.response)


def _handler(
    action: Action,
) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    async def _handle(call: ServiceCall) -> ServiceResponse:
        target = _target(call, action)
        await _check_permission(call, target)
        try:
            with action_errors(call.hass, target.entry):
                response = await action.run(target, dict(call.data))
        finally:
            for coordinator in target.feeds_of(*action.changes):
                await coordinator.async_read_back(target.key.id)
        return response if call.return_response else None

    return _handle


@callback
def _target(call: ServiceCall, action: Action) -> ActionTarget:
    """Return the target of a call; raises ServiceValidationError."""
    entry: TunnelHubConfigEntry
    if not action.kinds:
        entry = service.async_get_config_entry(call.hass, DOMAIN, call.data[CONF_CONFIG_ENTRY_ID])
        return ActionTarget(call.hass, entry, entry.runtime_data, ACCOUNT)
    device, entry = service.async_get_device_and_config_entry(
        call.hass, DOMAIN, call.data[CONF_DEVICE_ID]
    )
    return ActionTarget(
        call.hass, entry, entry.runtime_data, device_of_kind(device, entry, action.kinds)
    )


async def _check_permission(call: ServiceCall, target: ActionTarget) -> None:
    """Raise Unauthorized if the user may not control all entities of the target's device.

    Home Assistant only checks this for actions that target entities. A target without entities
    requires permission for all entities.
    """
    if (user_id := call.context.user_id) is None:
        return
    if (user := await call.hass.auth.async_get_user(user_id)) is None:
        raise UnknownUser(context=call.context, permission=POLICY_CONTROL)
    device = registered_device(dr.async_get(call.hass), target.entry, target.key)
    entities = device and er.async_entries_for_device(
        er.async_get(call.hass), device.id, include_disabled_entities=True
    )
    permitted = (
        all(user.permissions.check_entity(e.entity_id, POLICY_CONTROL) for e in entities)
        if entities
        else user.permissions.access_all_entities(POLICY_CONTROL)
    )
    if not permitted:
        raise Unauthorized(
            context=call.context, permission=POLICY_CONTROL, perm_category=CAT_ENTITIES
        )
