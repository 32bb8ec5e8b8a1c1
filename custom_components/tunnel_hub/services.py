"""Actions: one table row each, for every provider that can."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any

from homeassistant.const import CONF_DEVICE_ID, CONF_NAME, CONF_PROTOCOL
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
import voluptuous as vol

from .api.errors import UnsupportedError
from .api.provider import (
    CanCheckTunnel,
    CanEditTunnels,
    CanForceDown,
    CanGetTunnelConfig,
    CanListDownloads,
    CanResetToken,
    TunnelDraft,
)
from .api.resource import Node, Resource, Tunnel
from .const import DOMAIN
from .coordinator import FeedCoordinator, TunnelHubConfigEntry, TunnelHubData
from .devices import DeviceKey, key_of
from .exceptions import action_errors

CONF_CONFIG_ENTRY_ID = "config_entry_id"
CONF_FORMAT = "format"

CONF_LOCAL_HOST = "local_host"
CONF_LOCAL_PORT = "local_port"
CONF_REMOTE_PORT = "remote_port"
CONF_NODE = "node"
CONF_DOMAIN = "domain"
CONF_ENCRYPTION = "encryption"
CONF_COMPRESSION = "compression"
CONF_SECRET_KEY = "secret_key"  # noqa: S105  # the name of a field, not a secret

_ACCOUNT: dict[vol.Marker, Any] = {vol.Required(CONF_CONFIG_ENTRY_ID): cv.string}
_DEVICE: dict[vol.Marker, Any] = {vol.Required(CONF_DEVICE_ID): cv.string}
# Each service has its own narrower bounds and explains them; a port is a number in all of them.
_PORT = vol.Coerce(int)
_OPTIONAL_TUNNEL_FIELDS: dict[vol.Marker, Any] = {
    vol.Optional(CONF_LOCAL_HOST): cv.string,
    vol.Optional(CONF_REMOTE_PORT): _PORT,
    vol.Optional(CONF_DOMAIN): cv.string,
    vol.Optional(CONF_ENCRYPTION): cv.boolean,
    vol.Optional(CONF_COMPRESSION): cv.boolean,
    vol.Optional(CONF_SECRET_KEY): cv.string,
}


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is for. key: the device, the account itself where none was named."""

    entry: TunnelHubConfigEntry
    data: TunnelHubData
    key: DeviceKey

    def capable[T](self, protocol: type[T]) -> T:
        """Return the provider as something that can do this; raises UnsupportedError."""
        if not isinstance(self.data.provider, protocol):
            raise UnsupportedError
        return self.data.provider

    async def read_back(self) -> None:
        """See what became of a command on the target."""
        for coordinator in self._of_kind(Tunnel.kind):
            await coordinator.async_read_back(self.key.id)

    def _of_kind(self, kind: str) -> list[FeedCoordinator]:
        return [c for c in self.data.coordinators.values() if c.feed.resource.kind == kind]


def _draft(data: dict[str, Any]) -> TunnelDraft:
    """Return what a call says about a tunnel."""
    return TunnelDraft(
        **{name: data[name] for name in TunnelDraft.__dataclass_fields__ if name in data}
    )


def _plain(resource: Resource) -> ServiceResponse:
    """Return a resource as response data."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in asdict(resource).items()
        if value is not None
    }


async def _sign_in(target: Target, _: dict[str, Any]) -> ServiceResponse:
    if target.data.sign_in is None:
        raise UnsupportedError
    return asdict(await target.data.sign_in.async_sign_in())


async def _retoken(target: Target, _: dict[str, Any]) -> ServiceResponse:
    token = await target.capable(CanResetToken).reset_token()
    # The session ended with the token: reading anything signs in again.
    for coordinator in target.data.coordinators.values():
        if coordinator.feed.essential:
            await coordinator.async_refresh()
    return {"link_token": token}


async def _create_tunnel(target: Target, data: dict[str, Any]) -> ServiceResponse:
    tunnel_id = await target.capable(CanEditTunnels).create_tunnel(_draft(data))
    return {"tunnel_id": tunnel_id}


async def _update_tunnel(target: Target, data: dict[str, Any]) -> ServiceResponse:
    await target.capable(CanEditTunnels).update_tunnel(target.key.id, _draft(data))
    return None


async def _delete_tunnel(target: Target, _: dict[str, Any]) -> ServiceResponse:
    await target.capable(CanEditTunnels).delete_tunnel(target.key.id)
    return None


async def _get_tunnel_config(target: Target, data: dict[str, Any]) -> ServiceResponse:
    of_node = target.key.kind == Node.kind
    config = await target.capable(CanGetTunnelConfig).tunnel_config(
        tunnel_id=None if of_node else target.key.id,
        node_id=target.key.id if of_node else None,
        file_format=data[CONF_FORMAT],
    )
    return {"config": config}


async def _check_tunnel(target: Target, _: dict[str, Any]) -> ServiceResponse:
    return _plain(await target.capable(CanCheckTunnel).check_tunnel(target.key.id))


async def _force_offline(target: Target, _: dict[str, Any]) -> ServiceResponse:
    await target.capable(CanForceDown).force_tunnel_offline(target.key.id)
    return None


async def _list_downloads(target: Target, _: dict[str, Any]) -> ServiceResponse:
    downloads = await target.capable(CanListDownloads).downloads()
    return {"downloads": [{**asdict(file), "urls": list(file.urls)} for file in downloads]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action.

    kinds: the kinds of device it is for; without any it is for an account.
    admin: whether it can destroy or reveal something.
    """

    run: Callable[[Target, dict[str, Any]], Awaitable[ServiceResponse]]
    kinds: tuple[str, ...] = ()
    fields: dict[vol.Marker, Any]
    admin: bool = False
    response: SupportsResponse = SupportsResponse.NONE


ACTIONS: dict[str, Action] = {
    "check_tunnel": Action(
        run=_check_tunnel,
        kinds=(Tunnel.kind,),
        fields={},
        response=SupportsResponse.OPTIONAL,
    ),
    "create_tunnel": Action(
        run=_create_tunnel,
        fields={
            vol.Required(CONF_NAME): cv.string,
            vol.Required(CONF_PROTOCOL): vol.All(cv.string, vol.Lower),
            vol.Required(CONF_LOCAL_PORT): _PORT,
            vol.Required(CONF_NODE): cv.string,
            **_OPTIONAL_TUNNEL_FIELDS,
        },
        admin=True,
        response=SupportsResponse.OPTIONAL,
    ),
    "delete_tunnel": Action(run=_delete_tunnel, kinds=(Tunnel.kind,), fields={}, admin=True),
    "force_offline": Action(run=_force_offline, kinds=(Tunnel.kind,), fields={}),
    "get_tunnel_config": Action(
        run=_get_tunnel_config,
        kinds=(Tunnel.kind, Node.kind),
        fields={vol.Optional(CONF_FORMAT, default="toml"): vol.In(("ini", "toml"))},
        admin=True,
        response=SupportsResponse.ONLY,
    ),
    "list_downloads": Action(run=_list_downloads, fields={}, response=SupportsResponse.ONLY),
    "retoken": Action(run=_retoken, fields={}, admin=True, response=SupportsResponse.OPTIONAL),
    "sign_in": Action(run=_sign_in, fields={}, response=SupportsResponse.OPTIONAL),
    "update_tunnel": Action(
        run=_update_tunnel,
        kinds=(Tunnel.kind,),
        fields={
            vol.Optional(CONF_NAME): cv.string,
            vol.Optional(CONF_PROTOCOL): vol.All(cv.string, vol.Lower),
            vol.Optional(CONF_LOCAL_PORT): _PORT,
            vol.Optional(CONF_NODE): cv.string,
            **_OPTIONAL_TUNNEL_FIELDS,
        },
        admin=True,
    ),
}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register all actions."""
    for name, action in ACTIONS.items():
        subject = _DEVICE if action.kinds else _ACCOUNT
        schema = vol.Schema({**subject, **action.fields})
        if action.admin:
            service.async_register_admin_service(
                hass, DOMAIN, name, _handler(action), schema, action.response
            )
        else:
            hass.services.async_register(DOMAIN, name, _handler(action), schema, action.response)


def _handler(
    action: Action,
) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    """Return what Home Assistant calls for an action."""

    async def _handle(call: ServiceCall) -> ServiceResponse:
        target = _target(call, action)
        try:
            with action_errors(lambda: target.entry.async_start_reauth_if_available(call.hass)):
                response = await action.run(target, dict(call.data))
        finally:
            await target.read_back()
        return response if call.return_response else None

    return _handle


@callback
def _target(call: ServiceCall, action: Action) -> Target:
    """Find what a call is for; raises ServiceValidationError."""
    entry: TunnelHubConfigEntry
    if not action.kinds:
        entry = service.async_get_config_entry(call.hass, DOMAIN, call.data[CONF_CONFIG_ENTRY_ID])
        return Target(entry, entry.runtime_data, DeviceKey("account", "account"))
    device, entry = service.async_get_device_and_config_entry(
        call.hass, DOMAIN, call.data[CONF_DEVICE_ID]
    )
    key = key_of(entry, device)
    if key is None or key.kind not in action.kinds:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="wrong_device",
            translation_placeholders={"device": device.name or device.id},
        )
    return Target(entry, entry.runtime_data, key)
