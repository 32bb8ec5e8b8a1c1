"""Sensors of a node."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import ATTR_LATITUDE, ATTR_LONGITUDE

from ..api.models.nodes import Node, NodeLoad, NodeState, NodeUptime
from ..entity import Table
from .kinds import (
    TunnelHubSensorDescription,
    choice,
    count,
    data_size,
    diagnostic,
    listed,
    load_average,
    percentage,
    traffic,
)


def _place(node: Node) -> Mapping[str, Any]:
    """Return the attributes that show a node on a map."""
    if node.latitude is None or node.longitude is None:
        return {}
    return {ATTR_LATITUDE: node.latitude, ATTR_LONGITUDE: node.longitude}


NODES: Table[TunnelHubSensorDescription[Any]] = {
    Node: (
        percentage("bandwidth_usage"),
        count("clients"),
        count("connections"),
        percentage("cpu_usage"),
        diagnostic("description", enabled=False),
        percentage("disk_usage"),
        diagnostic("group"),
        choice("load", NodeLoad),
        load_average("load_1"),
        load_average("load_15"),
        load_average("load_5"),
        data_size("memory_total", decimals=1),
        percentage("memory_usage"),
        diagnostic("place", attributes_fn=_place),
        diagnostic("protocols", lambda node: listed(node.protocols)),
        diagnostic("started", device_class=SensorDeviceClass.UPTIME),
        choice("state", NodeState),
        traffic("traffic_in_today"),
        traffic("traffic_out_today"),
        count("tunnels"),
        diagnostic("version"),
    ),
    NodeUptime: (percentage("uptime_30_days"),),
}
