"""Sensors of a tunnel."""

from collections.abc import Mapping
from typing import Any

from ..api.models.tunnels import Tunnel, TunnelPhase, TunnelSource, TunnelState
from ..entity import Table
from .kinds import TunnelHubSensorDescription, choice, count, diagnostic, timestamp, traffic

PHASES_WITHOUT_ADVICE = (TunnelPhase.DISABLED, TunnelPhase.RUNNING)
"""Phases of a client's tunnel in which the user need not do anything."""
_STATES_WITHOUT_ADVICE = (None, *PHASES_WITHOUT_ADVICE, TunnelState.DISABLED, TunnelState.ONLINE)


def _advice(state: TunnelPhase | TunnelState | None) -> Mapping[str, str] | None:
    return None if state in _STATES_WITHOUT_ADVICE else {"advice": state}


TUNNELS: Table[TunnelHubSensorDescription[Any]] = {
    Tunnel: (
        timestamp("checked_at", lambda tunnel: tunnel.checked_at, diagnostic=True, enabled=False),
        diagnostic("client", lambda tunnel: tunnel.client),
        diagnostic("client_version", lambda tunnel: tunnel.client_version),
        count("connections", lambda tunnel: tunnel.connections),
        diagnostic("error", lambda tunnel: tunnel.error),
        timestamp("last_close", lambda tunnel: tunnel.last_close),
        timestamp("last_edit", lambda tunnel: tunnel.last_edit, diagnostic=True),
        timestamp("last_start", lambda tunnel: tunnel.last_start),
        diagnostic("local_address", lambda tunnel: tunnel.local_address),
        diagnostic(
            "node_name",
            lambda tunnel: tunnel.node_name,
            attributes_fn=lambda tunnel: {"node_id": tunnel.node_id},
        ),
        choice(
            "phase",
            TunnelPhase,
            lambda tunnel: tunnel.phase,
            attributes_fn=lambda tunnel: _advice(tunnel.phase),
        ),
        diagnostic("protocol", lambda tunnel: tunnel.protocol),
        TunnelHubSensorDescription[Tunnel](
            key="public_address", value_fn=lambda tunnel: tunnel.public_address
        ),
        choice("source", TunnelSource, lambda tunnel: tunnel.source, diagnostic=True),
        choice(
            "state",
            TunnelState,
            lambda tunnel: tunnel.state,
            attributes_fn=lambda tunnel: _advice(tunnel.state),
        ),
        traffic("traffic_in_today", lambda tunnel: tunnel.traffic_in_today),
        traffic("traffic_out_today", lambda tunnel: tunnel.traffic_out_today),
    ),
}
