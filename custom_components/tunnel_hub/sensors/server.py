"""Sensors of a server and its connected clients."""

from typing import Any

from homeassistant.components.sensor import SensorStateClass

from ..api.models.server import Client, ClientStatus, Server
from ..entity import Table
from .kinds import TunnelHubSensorDescription, count, diagnostic, timestamp, traffic

SERVER: Table[TunnelHubSensorDescription[Any]] = {
    Server: (
        count("clients"),
        count("connections"),
        diagnostic("port", attributes_fn=lambda server: dict(server.ports)),
        traffic("traffic_in_today"),
        traffic("traffic_out_today"),
        count("tunnels_offline"),
        TunnelHubSensorDescription[Server](
            key="tunnels_online",
            state_class=SensorStateClass.MEASUREMENT,
            attributes_fn=lambda server: dict(server.tunnels_online_by_type),
        ),
        diagnostic("version"),
    ),
    ClientStatus: (
        count("tunnels_offline"),
        count("tunnels_online"),
    ),
    Client: (
        diagnostic("address", enabled=False),
        timestamp("connected_since"),
        diagnostic("host_name", enabled=False),
        timestamp("last_seen", diagnostic=True),
        diagnostic("version"),
    ),
}
