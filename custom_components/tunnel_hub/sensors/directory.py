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
    percentage("availability_24_hours"),
    percentage("availability_30_days"),
    megabits("bandwidth"),
    megabits("bandwidth_maximum", fixed=True),
    megabits("bandwidth_tier", fixed=True),
    count("connections"),
    diagnostic("connections_allowed"),
    percentage("load"),
    diagnostic("place"),
    choice("region", Region, diagnostic=True),
    diagnostic("tags", lambda node: listed(node.tags)),
    data_size("traffic_allowed", decimals=0),
    timestamp("traffic_reset", diagnostic=True),
    percentage("traffic_usage"),
    traffic("traffic_used"),
)

DIRECTORY: Table[TunnelHubSensorDescription[Any]] = {
    RelayNode: (
        *_PUBLIC,
        timestamp("last_report", diagnostic=True),
        TunnelHubSensorDescription[RelayNode](
            key="valid_until", device_class=SensorDeviceClass.DATE
        ),
    ),
    PublicNode: _PUBLIC,
    Reachability: (
        TunnelHubSensorDescription[Reachability](
            key="latency",
            device_class=SensorDeviceClass.DURATION,
            native_unit_of_measurement=UnitOfTime.MILLISECONDS,
            state_class=SensorStateClass.MEASUREMENT,
            attributes_fn=_findings,
        ),
    ),
}
