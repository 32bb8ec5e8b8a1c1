"""Sensors of a service as a whole."""

from typing import Any

from homeassistant.components.sensor import SensorStateClass

from ..api.models.service import Notice, Release, ServiceTotals
from ..entity import Table
from .kinds import TunnelHubSensorDescription, count, diagnostic, megabits, traffic

SERVICE: Table[TunnelHubSensorDescription[Any]] = {
    ServiceTotals: (
        megabits("bandwidth"),
        count("clients"),
        count("connections"),
        count("nodes"),
        count("nodes_domestic"),
        count("nodes_listed"),
        count("nodes_online"),
        count("nodes_overseas"),
        count("runs", SensorStateClass.TOTAL_INCREASING),
        count("runs_today", SensorStateClass.TOTAL_INCREASING),
        traffic("traffic"),
        traffic("traffic_in"),
        traffic("traffic_in_today"),
        traffic("traffic_out"),
        traffic("traffic_out_today"),
        traffic("traffic_today"),
        count("tunnels"),
        count("users"),
    ),
    Release: (
        diagnostic("frpc_version"),
        diagnostic("frps_version"),
    ),
    Notice: (
        TunnelHubSensorDescription[Notice](
            key="text",
            value_fn=lambda notice: notice.text and notice.text.partition("\n")[0],
            attributes_fn=lambda notice: {"text": notice.text},
        ),
    ),
}
