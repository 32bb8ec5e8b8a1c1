"""Sensors of a mesh node, its peers, and its clients."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfTime

from ..api.models.mesh import (
    Hub,
    Link,
    Peer,
    PeerDirection,
    Proxy,
    Rule,
    User,
    UserSessions,
    WireGuard,
    WireGuardPeer,
)
from ..entity import Table
from .kinds import (
    TunnelHubSensorDescription,
    choice,
    count,
    data_size,
    diagnostic,
    listed,
    percentage,
    rate,
    timestamp,
    traffic,
)


def _paths(hub: Hub) -> str | None:
    """Return the paths in use. The path of a direct exit is the exit itself."""
    return listed(path for _, path in hub.active_paths) if hub.active_paths else None


def _addresses(peer: Peer) -> Mapping[str, Any]:
    """Return a peer's addresses if there are several, without latencies, which change often."""
    if not peer.addresses:
        return {}
    return {"addresses": [{"address": a.address, "status": a.status} for a in peer.addresses]}


_PEER: tuple[TunnelHubSensorDescription[Peer], ...] = (
    choice("direction", PeerDirection, diagnostic=True),
    TunnelHubSensorDescription(
        key="latency",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        attributes_fn=_addresses,
    ),
    diagnostic("version"),
)


def _rates(*, enabled: bool) -> tuple[TunnelHubSensorDescription[Peer], ...]:
    """Return the data rates, which change in every poll.

    The dashboard only needs those of the hub's links.
    """
    return (
        rate("rate_in", enabled=enabled),
        rate("rate_out", enabled=enabled),
    )


MESH: Table[TunnelHubSensorDescription[Any]] = {
    Hub: (
        TunnelHubSensorDescription[Hub](
            key="active_paths",
            value_fn=_paths,
            attributes_fn=lambda hub: {"paths": dict(hub.active_paths or ())},
        ),
        count("connections"),
        count("exit_clients"),
        rate("rate_in"),
        rate("rate_out"),
        count("sessions"),
        traffic("traffic_in"),
        traffic("traffic_out"),
        diagnostic("version"),
    ),
    Link: (*_PEER, *_rates(enabled=True)),
    Peer: (*_PEER, *_rates(enabled=False)),
    User: (
        timestamp("expires"),
        data_size("traffic_limit", decimals=1),
        percentage("traffic_usage"),
        traffic("traffic_used"),
    ),
    UserSessions: (
        timestamp("locked_until"),
        TunnelHubSensorDescription[UserSessions](
            key="sessions",
            state_class=SensorStateClass.MEASUREMENT,
            value_fn=lambda user: len(user.sessions),
        ),
    ),
    Rule: (
        diagnostic("priority", enabled=False),
        diagnostic("targets", lambda rule: listed(rule.targets)),
        diagnostic("type"),
    ),
    Proxy: (
        diagnostic("listen"),
        diagnostic("method"),
        diagnostic("protocol"),
    ),
    WireGuard: (
        count("wireguard_connected"),
        count("wireguard_peers"),
        diagnostic("wireguard_port"),
    ),
    WireGuardPeer: (
        diagnostic("address"),
        TunnelHubSensorDescription[WireGuardPeer](
            key="keepalive",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.SECONDS,
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
        ),
    ),
}
