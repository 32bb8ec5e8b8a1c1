"""Sensors of a service as a whole."""

from typing import Any

from homeassistant.components.sensor import SensorStateClass

from ..api.models.service import Notice, Release, ServiceTotals
from ..entity import Table
from .kinds import TunnelHubSensorDescription, count, diagnostic, megabits, traffic

SERVICE: Table[TunnelHubSensorDescription[Any]] = {
    ServiceTotals: (
        megabits("bandwidth", lambda service: service.bandwidth),
        count("clients", lambda service: service.clients),
        count("connections", lambda service: service.connections),
        count("nodes", lambda service: service.nodes),
        count("nodes_domestic", lambda service: service.nodes_domestic),
        count("nodes_listed", lambda service: service.nodes_listed),
        count("nodes_online", lambda service: service.nodes_online),
        count("nodes_overseas", lambda service: service.nodes_overseas),
        count("runs", lambda service: service.runs, SensorStateClass.TOTAL_INCREASING),
        count("runs_today", lambda service: service.runs_today, SensorStateClass.TOTAL_INCREASING),
        traffic("traffic", lambda service: service.traffic),
        traffic("traffic_in", lambda service: service.traffic_in),
        traffic("traffic_in_today", lambda service: service.traffic_in_today),
        traffic("traffic_out", lambda service: service.traffic_out),
        traffic("traffic_out_today", lambda service: service.traffic_out_today),
        traffic("traffic_today", lambda service: service.traffic_today),
        count("tunnels", lambda service: service.tunnels),
        count("users", lambda service: service.users),
    ),
    Release: (
        diagnostic("frpc_version", lambda release: release.frpc_version),
        diagnostic("frps_version", lambda release: release.frps_version),
    ),
    Notice: (
        TunnelHubSensorDescription[Notice](
            key="text",
            value_fn=lambda notice: notice.text and notice.text.partition("\n")[0],
            attributes_fn=lambda notice: {"text": notice.text},
        ),
    ),
}
