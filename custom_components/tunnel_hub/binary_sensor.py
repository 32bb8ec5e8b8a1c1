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

    value_fn: returns its state if that is not the field of the resource.
    attributes_fn: returns its extra state attributes.
    """

    value_fn: Callable[[R], bool | None] | None = None
    attributes_fn: Callable[[R], Mapping[str, Any]] = lambda _: {}


def _problem(key: str) -> TunnelHubBinarySensorDescription[Any]:
    return TunnelHubBinarySensorDescription(
        key=key,
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
    )


def _property[R: Resource](
    key: str,
    attributes_fn: Callable[[R], Mapping[str, Any]] = lambda _: {},
    *,
    enabled: bool = True,
) -> TunnelHubBinarySensorDescription[R]:
    """A diagnostic property that rarely changes."""
    return TunnelHubBinarySensorDescription(
        key=key,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        attributes_fn=attributes_fn,
    )


def _why(field: str) -> Callable[[Resource], Mapping[str, Any]]:
    """Return a function for the attribute with the reason for a state, which is a field."""

    def _reason(resource: Resource) -> Mapping[str, Any]:
        reason = getattr(resource, field)
        return {"reason": reason} if reason else {}

    return _reason


def _running(key: str) -> TunnelHubBinarySensorDescription[Any]:
    return TunnelHubBinarySensorDescription(key=key, device_class=BinarySensorDeviceClass.RUNNING)


def _connectivity(key: str) -> TunnelHubBinarySensorDescription[Any]:
    return TunnelHubBinarySensorDescription(
        key=key, device_class=BinarySensorDeviceClass.CONNECTIVITY
    )


_CHECK: tuple[TunnelHubBinarySensorDescription[AddressCheck], ...] = (
    TunnelHubBinarySensorDescription[AddressCheck](
        key="certificate_trusted",
        entity_category=EntityCategory.DIAGNOSTIC,
        of_resource=lambda check: check.has_certificate,
        attributes_fn=_why("certificate_problem"),
    ),
    _connectivity("reachable"),
)

_PEER: tuple[TunnelHubBinarySensorDescription[Peer], ...] = (
    _problem("conflict"),
    _connectivity("connected"),
    _property("exit_node"),
    _problem("incompatible"),
    _property("native", enabled=False),
    _problem("unsupported"),
)

BINARY_SENSORS: Table[TunnelHubBinarySensorDescription[Any]] = {
    Account: (
        _property("administrator"),
        TunnelHubBinarySensorDescription[Account](
            key="banned", device_class=BinarySensorDeviceClass.PROBLEM
        ),
        _property("service_provider", enabled=False),
        TunnelHubBinarySensorDescription[Account](key="signed_in_today"),
        _property("verified"),
    ),
    SignInStatistics: (TunnelHubBinarySensorDescription(key="signed_in_today"),),
    TunnelCheck: _CHECK,
    Tunnel: (
        _problem("client_outdated"),
        _property("compression"),
        _property("encryption"),
        _connectivity("online"),
    ),
    Node: (
        _property("defended", enabled=False),
        _property("ipv6", enabled=False),
        _property("mainland", enabled=False),
        _connectivity("online"),
    ),
    Client: (_connectivity("online"),),
    ClientStatus: (_connectivity("connected"),),
    Server: (_property("heartbeats"),),
    Hub: (_problem("compat"), _problem("limited")),
    Link: _PEER,
    Peer: _PEER,
    User: (
        TunnelHubBinarySensorDescription[User](
            key="conflicts",
            device_class=BinarySensorDeviceClass.PROBLEM,
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda user: None if user.conflicts is None else bool(user.conflicts),
            attributes_fn=lambda user: {"users": list(user.conflicts or ())},
        ),
    ),
    Rule: (_running("tun_active"), _problem("unavailable")),
    Vpn: (
        _property("ikev2_capable", _why("ikev2_reason")),
        _running("ikev2_enabled"),
        _property("l2tp_capable", _why("l2tp_reason")),
    ),
    PublicNode: (_property("allow_relay"), _connectivity("online")),
    Reachability: (_connectivity("reachable"),),
    RelayNode: (_connectivity("online"),),
    WireGuard: (_running("wireguard_running"),),
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
        row = self.entity_description
        self._attr_is_on = row.value_fn(resource) if row.value_fn else getattr(resource, row.key)
        self._attr_extra_state_attributes = dict(row.attributes_fn(resource))


async_setup_entry = partial(async_setup_table, BINARY_SENSORS, TunnelHubBinarySensor)
