"""WebSocket subscription with the data of the mesh card: a mesh, or a server's clients.

The data are no states, because they change with every poll and would fill the recorder.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
import logging
from typing import Any, Final

from homeassistant.auth.permissions.const import CAT_ENTITIES, POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_DEVICE_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv, device_registry as dr, service
from homeassistant.helpers.debounce import Debouncer
import voluptuous as vol

from .api.capabilities import capable
from .api.capabilities.mesh import MeshNode
from .api.errors import TunnelHubError
from .api.models.base import Resource
from .api.models.mesh import Hub, Link, Peer, Position, Proxy, Rule, User, WireGuardPeer
from .api.models.server import Client, Server
from .api.models.tunnels import Tunnel
from .const import DOMAIN
from .coordinator import FeedCoordinator
from .exceptions import action_errors
from .ids import ACCOUNT, device_key, registered_device
from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)
_PAUSE: Final = 0.5
"""Seconds in which the changes of several feeds are collected."""

_WITH_EXIT = (Proxy, Rule, User, WireGuardPeer)
_SHOWN = (Client, Hub, Link, Peer, Server, Tunnel, *_WITH_EXIT)
_RATES = ("rate_in", "rate_out")
_LINK = ("above", "conflict", "direction", "exit_node", "exit_path", "latency", "nested", *_RATES)
_PEER = ("connected", "enabled", *_LINK)
_EXIT = ("exit_path",)


@callback
def async_setup_mesh_view(hass: HomeAssistant) -> None:
    """Register the WebSocket command."""
    websocket_api.async_register_command(hass, _subscribe)


@websocket_api.websocket_command(
    {vol.Required("type"): "tunnel_hub/subscribe_mesh", vol.Required(CONF_DEVICE_ID): cv.string}
)
@websocket_api.async_response
async def _subscribe(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Send the surroundings of a node now and after each change; None if the entry is unloaded.

    For a node this is its mesh, for a server its clients and their tunnels.

    device_id: of the node or server, or of any other device of its entry.
    """
    if not connection.user.permissions.access_all_entities(POLICY_READ):
        raise Unauthorized(permission=POLICY_READ, perm_category=CAT_ENTITIES)
    entry: TunnelHubConfigEntry
    _, entry = service.async_get_device_and_config_entry(hass, DOMAIN, msg[CONF_DEVICE_ID])
    positions: Mapping[str, Position] | None = None
    if not _is_server(entry):
        with action_errors(hass, entry):
            node = capable(entry.runtime_data.provider, MeshNode)
        positions = {}
        with suppress(TunnelHubError):
            positions = await node.graph_layout()

    def _send(picture: dict[str, Any] | None) -> None:
        connection.send_event(msg["id"], picture)

    view = _View(hass, entry, positions, _send)
    connection.subscriptions[msg["id"]] = view.async_close
    connection.send_result(msg["id"])
    view.async_open()


def _is_server(entry: TunnelHubConfigEntry) -> bool:
    coordinators = entry.runtime_data.coordinators.values()
    return any(coordinator.feed.resource is Server for coordinator in coordinators)


class _View:
    """One browser that shows a mesh or a server."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        layout: Mapping[str, Position] | None,
        send: Callable[[dict[str, Any] | None], None],
    ) -> None:
        """layout: positions by node name; None if the service does not store them."""
        self._entry = entry
        self._layout = None if layout is None else _as_json(layout)
        self._send = send
        self._devices = dr.async_get(hass)
        self._coordinators: dict[type[Resource], FeedCoordinator] = {
            coordinator.feed.resource: coordinator
            for coordinator in entry.runtime_data.coordinators.values()
            if coordinator.feed.resource in _SHOWN
        }
        self._debouncer = Debouncer(
            hass, _LOGGER, cooldown=_PAUSE, immediate=True, function=self._push
        )
        self._last: dict[str, Any] | None = None
        self._stops: list[CALLBACK_TYPE] = []

    @callback
    def async_open(self) -> None:
        """Start to send."""
        follower = self._entry.runtime_data.layout
        self._stops = [
            self._entry.async_on_state_change(self._see_entry),
            self._debouncer.async_shutdown,
            *([follower.async_follow(self._see_layout)] if follower else []),
            *(
                coordinator.async_add_listener(self._debouncer.async_schedule_call)
                for coordinator in self._coordinators.values()
            ),
        ]
        self._push()

    @callback
    def async_close(self) -> None:
        """Stop sending."""
        while self._stops:
            self._stops.pop()()

    @callback
    def _see_entry(self) -> None:
        if self._entry.state is not ConfigEntryState.LOADED and self._stops:
            self.async_close()
            self._send(None)

    @callback
    def _see_layout(self, layout: Mapping[str, Position]) -> None:
        self._layout = _as_json(layout)
        self._debouncer.async_schedule_call()

    @callback
    def _push(self) -> None:
        picture = self._picture()
        if picture != self._last:
            self._last = picture
            self._send(picture)

    def _picture(self) -> dict[str, Any]:
        """Return the mesh as JSON.

        nodes: id: kind and id, such as "link:us"; above: the id of the node it is connected over,
        None for the hub itself.
        exits: who leaves where, by path as in the console, "" for the hub itself.
        layout: positions by node name; None if the service does not store them.
        """
        hub = self._data(Hub).get(ACCOUNT.id)
        clients, tunnels = self._data(Client), self._data(Tunnel)
        return {
            "available": all(c.available for c in self._coordinators.values()),
            "entry": self._entry.entry_id,
            "self": {
                "key": (self._entry.unique_id or "").partition(":")[2],
                **self._fields_of(hub or Hub(id=ACCOUNT.id, name=self._entry.title), _RATES),
            },
            "nodes": [
                *(
                    self._fields_of(link, _LINK)
                    | {"enabled": tunnel.enabled, "connected": tunnel.online}
                    for link in self._data(Link).values()
                    if isinstance(tunnel := tunnels.get(link.id), Tunnel)
                ),
                *(self._fields_of(peer, _PEER) for peer in self._data(Peer).values()),
                *(
                    self._fields_of(client, _LINK) | {"enabled": None, "connected": client.online}
                    for client in clients.values()
                    if isinstance(client, Client)
                ),
                *(
                    self._fields_of(tunnel, ("enabled", *_LINK))
                    | {"above": _below(tunnel, clients), "connected": tunnel.online}
                    for tunnel in tunnels.values()
                    if isinstance(tunnel, Tunnel) and _is_server(self._entry)
                ),
            ],
            "exits": [
                self._fields_of(one, _EXIT)
                for resource in _WITH_EXIT
                for one in self._data(resource).values()
                if getattr(one, "has_exit", False)
            ],
            "layout": self._layout,
        }

    def _data(self, resource: type[Resource]) -> Mapping[str, Resource]:
        coordinator = self._coordinators.get(resource)
        return coordinator.data if coordinator else {}

    def _fields_of(self, resource: Resource, fields: Iterable[str]) -> dict[str, Any]:
        """Return fields of a resource, with the id of its device."""
        device = registered_device(self._devices, self._entry, device_key(resource))
        return {
            "id": f"{resource.kind}:{resource.id}",
            "device": device and device.id,
            **{name: getattr(resource, name, None) for name in ("name", *fields)},
        }


def _below(tunnel: Tunnel, clients: Mapping[str, Resource]) -> str | None:
    """Return the id of the client that runs a tunnel, or did last, if the server provides it."""
    return f"{Client.kind}:{tunnel.client}" if tunnel.client in clients else None


def _as_json(layout: Mapping[str, Position]) -> dict[str, Any]:
    return {key: asdict(position) for key, position in layout.items()}
