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
    choice("direction", PeerDirection, lambda peer: peer.direction, diagnostic=True),
    TunnelHubSensorDescription(
        key="latency",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda peer: peer.latency,
        attributes_fn=_addresses,
    ),
    diagnostic("version", lambda peer: peer.version),
)


def _rates(*, enabled: bool) -> tuple[TunnelHubSensorDescription[Peer], ...]:
    """Return the data rates, which change in every poll.

    The dashboard only needs those of the hub's links.
    """
    return (
        rate("rate_in", lambda peer: peer.rate_in, enabled=enabled),
        rate("rate_out", lambda peer: peer.rate_out, enabled=enabled),
    )


MESH: Table[TunnelHubSensorDescription[Any]] = {
    Hub: (
        TunnelHubSensorDescription[Hub](
            key="active_paths",
            value_fn=_paths,
            attributes_fn=lambda hub: {"paths": dict(hub.active_paths or ())},
        ),
        count("connections", lambda hub: hub.connections),
        count("exit_clients", lambda hub: hub.exit_clients),
        rate("rate_in", lambda hub: hub.rate_in),
        rate("rate_out", lambda hub: hub.rate_out),
        count("sessions", lambda hub: hub.sessions),
        traffic("traffic_in", lambda hub: hub.traffic_in),
        traffic("traffic_out", lambda hub: hub.traffic_out),
        diagnostic("version", lambda hub: hub.version),
    ),
    Link: (*_PEER, *_rates(enabled=True)),
    Peer: (*_PEER, *_rates(enabled=False)),
    User: (
        timestamp("expires", lambda user: user.expires),
        data_size("traffic_limit", lambda user: user.traffic_limit, decimals=1),
        percentage("traffic_usage", lambda user: user.traffic_usage),
        traffic("traffic_used", lambda user: user.traffic_used),
    ),
    UserSessions: (
        timestamp("locked_until", lambda user: user.locked_until),
        TunnelHubSensorDescription[UserSessions](
            key="sessions",
            state_class=SensorStateClass.MEASUREMENT,
            value_fn=lambda user: len(user.sessions),
        ),
    ),
    Rule: (
        diagnostic("priority", lambda rule: rule.priority, enabled=False),
        diagnostic("targets", lambda rule: listed(rule.targets)),
        diagnostic("type", lambda rule: rule.type),
    ),
    Proxy: (
        diagnostic("listen", lambda proxy: proxy.listen),
        diagnostic("method", lambda proxy: proxy.method),
        diagnostic("protocol", lambda proxy: proxy.protocol),
    ),
    WireGuard: (
        count("wireguard_connected", lambda hub: hub.wireguard_connected),
        count("wireguard_peers", lambda hub: hub.wireguard_peers),
        diagnostic("wireguard_port", lambda hub: hub.wireguard_port),
    ),
    WireGuardPeer: (
        diagnostic("address", lambda peer: peer.address),
        TunnelHubSensorDescription[WireGuardPeer](
            key="keepalive",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.SECONDS,
            entity_category=EntityCategory.DIAGNOSTIC,
            entity_registry_enabled_default=False,
            value_fn=lambda peer: peer.keepalive,
        ),
    ),
}
