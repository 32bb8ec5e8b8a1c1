"""Binary sensors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory

from .api.models.account import Account, SignInStatistics
from .api.models.base import Resource
from .api.models.directory import PublicNode, Reachability, RelayNode
from .api.models.mesh import Hub, Link, Peer, Rule, User, Vpn, WireGuard
from .api.models.nodes import Node
from .api.models.server import Client, ClientStatus, Server
from .api.models.tunnels import Tunnel
from .entity import Table, TunnelHubEntity, TunnelHubEntityDescription, async_setup_table
from .reachability import AddressCheck, TunnelCheck
from .watched_addresses import WatchedAddress

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class TunnelHubBinarySensorDescription[R: Resource](
    TunnelHubEntityDescription, BinarySensorEntityDescription
):
    """Describes a binary sensor.

    value_fn: returns its state.
    attributes_fn: returns its extra state attributes.
    """

    value_fn: Callable[[R], bool | None]
    attributes_fn: Callable[[R], Mapping[str, Any]] = lambda _: {}


def _problem[R: Resource](
    key: str,
    value_fn: Callable[[R], bool | None],
    attributes_fn: Callable[[R], Mapping[str, Any]] = lambda _: {},
) -> TunnelHubBinarySensorDescription[R]:
    """A binary sensor of the device class "problem"."""
    return TunnelHubBinarySensorDescription(
        key=key,
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=value_fn,
        attributes_fn=attributes_fn,
    )


def _property[R: Resource](
    key: str,
    value_fn: Callable[[R], bool | None],
    attributes_fn: Callable[[R], Mapping[str, Any]] = lambda _: {},
    *,
    enabled: bool = True,
) -> TunnelHubBinarySensorDescription[R]:
    """A diagnostic property that rarely changes."""
    return TunnelHubBinarySensorDescription(
        key=key,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        value_fn=value_fn,
        attributes_fn=attributes_fn,
    )


def _why(field: str) -> Callable[[Vpn], Mapping[str, Any]]:
    """Return a function for the attribute with the reason why a server cannot run."""

    def _reason(vpn: Vpn) -> Mapping[str, Any]:
        reason = getattr(vpn, field)
        return {"reason": reason} if reason else {}

    return _reason


def _running[R: Resource](
    key: str, value_fn: Callable[[R], bool | None]
) -> TunnelHubBinarySensorDescription[R]:
    """A binary sensor of the device class "running"."""
    return TunnelHubBinarySensorDescription(
        key=key, device_class=BinarySensorDeviceClass.RUNNING, value_fn=value_fn
    )


def _connectivity[R: Resource](
    key: str, value_fn: Callable[[R], bool | None]
) -> TunnelHubBinarySensorDescription[R]:
    """A binary sensor of the device class "connectivity"."""
    return TunnelHubBinarySensorDescription(
        key=key, device_class=BinarySensorDeviceClass.CONNECTIVITY, value_fn=value_fn
    )


def _certificate_problem(check: AddressCheck) -> Mapping[str, Any]:
    """Return the attribute with the reason why a certificate is not trusted."""
    return {"reason": check.certificate_problem} if check.certificate_problem else {}


_CHECK: tuple[TunnelHubBinarySensorDescription[AddressCheck], ...] = (
    TunnelHubBinarySensorDescription[AddressCheck](
        key="certificate_trusted",
        entity_category=EntityCategory.DIAGNOSTIC,
        of_resource=lambda check: check.has_certificate,
        value_fn=lambda check: check.certificate_trusted,
        attributes_fn=_certificate_problem,
    ),
    _connectivity("reachable", lambda check: check.reachable),
)

_PEER: tuple[TunnelHubBinarySensorDescription[Peer], ...] = (
    _problem("conflict", lambda peer: peer.conflict),
    _connectivity("connected", lambda peer: peer.connected),
    _property("exit_node", lambda peer: peer.exit_node),
    _problem("incompatible", lambda peer: peer.incompatible),
    _property("native", lambda peer: peer.native, enabled=False),
    _problem("unsupported", lambda peer: peer.unsupported),
)

BINARY_SENSORS: Table[TunnelHubBinarySensorDescription[Any]] = {
    Account: (
        _property("administrator", lambda account: account.administrator),
        TunnelHubBinarySensorDescription[Account](
            key="banned",
            device_class=BinarySensorDeviceClass.PROBLEM,
            value_fn=lambda account: account.banned,
        ),
        _property("service_provider", lambda account: account.service_provider, enabled=False),
        TunnelHubBinarySensorDescription[Account](
            key="signed_in_today", value_fn=lambda account: account.signed_in_today
        ),
        _property("verified", lambda account: account.verified),
    ),
    SignInStatistics: (
        TunnelHubBinarySensorDescription[SignInStatistics](
            key="signed_in_today", value_fn=lambda record: record.signed_in_today
        ),
    ),
    TunnelCheck: _CHECK,
    Tunnel: (
        _problem("client_outdated", lambda tunnel: tunnel.client_outdated),
        _property("compression", lambda tunnel: tunnel.compression),
        _property("encryption", lambda tunnel: tunnel.encryption),
        _connectivity("online", lambda tunnel: tunnel.online),
    ),
    Node: (
        _property("defended", lambda node: node.defended, enabled=False),
        _property("ipv6", lambda node: node.ipv6, enabled=False),
        _property("mainland", lambda node: node.mainland, enabled=False),
        _connectivity("online", lambda node: node.online),
    ),
    Client: (_connectivity("online", lambda client: client.online),),
    ClientStatus: (_connectivity("connected", lambda client: client.connected),),
    Server: (_property("heartbeats", lambda server: server.heartbeats),),
    Hub: (
        _problem("compat", lambda hub: hub.compat),
        _problem("limited", lambda hub: hub.limited),
    ),
    Link: _PEER,
    Peer: _PEER,
    User: (
        _problem(
            "conflicts",
            lambda user: None if user.conflicts is None else bool(user.conflicts),
            lambda user: {"users": list(user.conflicts or ())},
        ),
    ),
    Rule: (
        _running("tun_active", lambda rule: rule.tun_active),
        _problem("unavailable", lambda rule: rule.unavailable),
    ),
    Vpn: (
        _property("ikev2_capable", lambda hub: hub.ikev2_capable, _why("ikev2_reason")),
        _running("ikev2_enabled", lambda hub: hub.ikev2_enabled),
        _property("l2tp_capable", lambda hub: hub.l2tp_capable, _why("l2tp_reason")),
    ),
    PublicNode: (
        _property("allow_relay", lambda node: node.allow_relay),
        _connectivity("online", lambda node: node.online),
    ),
    Reachability: (_connectivity("reachable", lambda node: node.reachable),),
    RelayNode: (_connectivity("online", lambda node: node.online),),
    WireGuard: (_running("wireguard_running", lambda hub: hub.wireguard_running),),
    WatchedAddress: _CHECK,
}


class TunnelHubBinarySensor[R: Resource](
    TunnelHubEntity[R, TunnelHubBinarySensorDescription[R]], BinarySensorEntity
):
    """A binary sensor of a resource."""

    entity_description: TunnelHubBinarySensorDescription[R]

    _unrecorded_attributes = frozenset({"users"})

    @override
    def _update_attrs(self, resource: R) -> None:
        self._attr_is_on = self.entity_description.value_fn(resource)
        self._attr_extra_state_attributes = dict(self.entity_description.attributes_fn(resource))


async_setup_entry = partial(async_setup_table, BINARY_SENSORS, TunnelHubBinarySensor)
