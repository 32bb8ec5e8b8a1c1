"""Sensors of a server and its connected clients."""

from typing import Any

from homeassistant.components.sensor import SensorStateClass

from ..api.models.server import Client, ClientStatus, Server
from ..entity import Table
from .kinds import TunnelHubSensorDescription, count, diagnostic, timestamp, traffic

SERVER: Table[TunnelHubSensorDescription[Any]] = {
    Server: (
        count("clients", lambda server: server.clients),
        count("connections", lambda server: server.connections),
        diagnostic(
            "port", lambda server: server.port, attributes_fn=lambda server: dict(server.ports)
        ),
        traffic("traffic_in_today", lambda server: server.traffic_in_today),
        traffic("traffic_out_today", lambda server: server.traffic_out_today),
        count("tunnels_offline", lambda server: server.tunnels_offline),
        TunnelHubSensorDescription[Server](
            key="tunnels_online",
            state_class=SensorStateClass.MEASUREMENT,
            value_fn=lambda server: server.tunnels_online,
            attributes_fn=lambda server: dict(server.tunnels_online_by_type),
        ),
        diagnostic("version", lambda server: server.version),
    ),
    ClientStatus: (
        count("tunnels_offline", lambda client: client.tunnels_offline),
        count("tunnels_online", lambda client: client.tunnels_online),
    ),
    Client: (
        diagnostic("address", lambda client: client.address, enabled=False),
        timestamp("connected_since", lambda client: client.connected_since),
        diagnostic("host_name", lambda client: client.host_name, enabled=False),
        timestamp("last_seen", lambda client: client.last_seen, diagnostic=True),
        diagnostic("version", lambda client: client.version),
    ),
}
