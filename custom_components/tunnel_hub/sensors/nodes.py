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
        percentage("bandwidth_usage", lambda node: node.bandwidth_usage),
        count("clients", lambda node: node.clients),
        count("connections", lambda node: node.connections),
        percentage("cpu_usage", lambda node: node.cpu_usage),
        diagnostic("description", lambda node: node.description, enabled=False),
        percentage("disk_usage", lambda node: node.disk_usage),
        diagnostic("group", lambda node: node.group),
        choice("load", NodeLoad, lambda node: node.load),
        load_average("load_1", lambda node: node.load_1),
        load_average("load_15", lambda node: node.load_15),
        load_average("load_5", lambda node: node.load_5),
        data_size("memory_total", lambda node: node.memory_total, decimals=1),
        percentage("memory_usage", lambda node: node.memory_usage),
        diagnostic("place", lambda node: node.place, attributes_fn=_place),
        diagnostic("protocols", lambda node: listed(node.protocols)),
        diagnostic("started", lambda node: node.started, device_class=SensorDeviceClass.UPTIME),
        choice("state", NodeState, lambda node: node.state),
        traffic("traffic_in_today", lambda node: node.traffic_in_today),
        traffic("traffic_out_today", lambda node: node.traffic_out_today),
        count("tunnels", lambda node: node.tunnels),
        diagnostic("version", lambda node: node.version),
    ),
    NodeUptime: (percentage("uptime_30_days", lambda node: node.uptime_30_days),),
}
