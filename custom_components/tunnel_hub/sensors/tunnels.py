"""What a tunnel tells."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import EntityCategory

from ..api.models.tunnels import Tunnel, TunnelPhase, TunnelSource, TunnelState
from ..entity import Table
from .kinds import TunnelHubSensorDescription, count, diagnostic, traffic

PHASES_WITHOUT_ADVICE = (TunnelPhase.DISABLED, TunnelPhase.RUNNING)
"""Of a client's tunnel: there is nothing to do."""
_MEANT = (None, *PHASES_WITHOUT_ADVICE, TunnelState.DISABLED, TunnelState.ONLINE)


def _advice(state: TunnelPhase | TunnelState | None) -> Mapping[str, str] | None:
    return None if state in _MEANT else {"advice": state}


TUNNELS: Table[TunnelHubSensorDescription[Any]] = {
    Tunnel: (
        diagnostic(
            "checked_at",
            lambda tunnel: tunnel.checked_at,
            device_class=SensorDeviceClass.TIMESTAMP,
            enabled=False,
        ),
        diagnostic("client", lambda tunnel: tunnel.client),
        diagnostic("client_version", lambda tunnel: tunnel.client_version),
        count("connections", lambda tunnel: tunnel.connections),
        diagnostic("error", lambda tunnel: tunnel.error),
        TunnelHubSensorDescription[Tunnel](
            key="last_close",
            device_class=SensorDeviceClass.TIMESTAMP,
            value_fn=lambda tunnel: tunnel.last_close,
        ),
        diagnostic(
            "last_edit",
            lambda tunnel: tunnel.last_edit,
            device_class=SensorDeviceClass.TIMESTAMP,
        ),
        TunnelHubSensorDescription[Tunnel](
            key="last_start",
            device_class=SensorDeviceClass.TIMESTAMP,
            value_fn=lambda tunnel: tunnel.last_start,
        ),
        diagnostic("local_address", lambda tunnel: tunnel.local_address),
        TunnelHubSensorDescription[Tunnel](
            key="node_name",
            entity_category=EntityCategory.DIAGNOSTIC,
            value_fn=lambda tunnel: tunnel.node_name,
            attributes_fn=lambda tunnel: {"node_id": tunnel.node_id},
        ),
        TunnelHubSensorDescription[Tunnel](
            key="phase",
            device_class=SensorDeviceClass.ENUM,
            options=[phase.value for phase in TunnelPhase],
            value_fn=lambda tunnel: tunnel.phase,
            attributes_fn=lambda tunnel: _advice(tunnel.phase),
        ),
        diagnostic("protocol", lambda tunnel: tunnel.protocol),
        TunnelHubSensorDescription[Tunnel](
            key="public_address", value_fn=lambda tunnel: tunnel.public_address
        ),
        TunnelHubSensorDescription[Tunnel](
            key="source",
            device_class=SensorDeviceClass.ENUM,
            entity_category=EntityCategory.DIAGNOSTIC,
            options=[source.value for source in TunnelSource],
            value_fn=lambda tunnel: tunnel.source,
        ),
        TunnelHubSensorDescription[Tunnel](
            key="state",
            device_class=SensorDeviceClass.ENUM,
            options=[state.value for state in TunnelState],
            value_fn=lambda tunnel: tunnel.state,
            attributes_fn=lambda tunnel: _advice(tunnel.state),
        ),
        traffic("traffic_in_today", lambda tunnel: tunnel.traffic_in_today),
        traffic("traffic_out_today", lambda tunnel: tunnel.traffic_out_today),
    ),
}
