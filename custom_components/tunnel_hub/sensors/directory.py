"""Sensors of the nodes in a directory."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import UnitOfTime

from ..api.models.directory import PublicNode, Reachability, Region, RelayNode
from ..entity import Table
from .kinds import (
    TunnelHubSensorDescription,
    choice,
    count,
    data_size,
    diagnostic,
    listed,
    megabits,
    percentage,
    timestamp,
    traffic,
)


def _findings(node: Reachability) -> Mapping[str, Any]:
    """Return the result of each address without measurements, which change often."""
    return {
        "findings": [
            {"address": f.address, "reachable": f.reachable, "message": f.message}
            for f in node.findings
        ]
    }


_PUBLIC: tuple[TunnelHubSensorDescription[RelayNode], ...] = (
    percentage("availability_24_hours", lambda node: node.availability_24_hours),
    percentage("availability_30_days", lambda node: node.availability_30_days),
    megabits("bandwidth", lambda node: node.bandwidth),
    megabits("bandwidth_maximum", lambda node: node.bandwidth_maximum, fixed=True),
    megabits("bandwidth_tier", lambda node: node.bandwidth_tier, fixed=True),
    count("connections", lambda node: node.connections),
    diagnostic("connections_allowed", lambda node: node.connections_allowed),
    percentage("load", lambda node: node.load),
    diagnostic("place", lambda node: node.place),
    choice("region", Region, lambda node: node.region, diagnostic=True),
    diagnostic("tags", lambda node: listed(node.tags)),
    data_size("traffic_allowed", lambda node: node.traffic_allowed, decimals=0),
    timestamp("traffic_reset", lambda node: node.traffic_reset, diagnostic=True),
    percentage("traffic_usage", lambda node: node.traffic_usage),
    traffic("traffic_used", lambda node: node.traffic_used),
)

DIRECTORY: Table[TunnelHubSensorDescription[Any]] = {
    RelayNode: (
        *_PUBLIC,
        timestamp("last_report", lambda node: node.last_report, diagnostic=True),
        TunnelHubSensorDescription[RelayNode](
            key="valid_until",
            device_class=SensorDeviceClass.DATE,
            value_fn=lambda node: node.valid_until,
        ),
    ),
    PublicNode: _PUBLIC,
    Reachability: (
        TunnelHubSensorDescription[Reachability](
            key="latency",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.MILLISECONDS,
            state_class=SensorStateClass.MEASUREMENT,
            value_fn=lambda node: node.latency,
            attributes_fn=_findings,
        ),
    ),
}
