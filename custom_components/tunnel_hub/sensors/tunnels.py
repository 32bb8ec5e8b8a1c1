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
        timestamp("checked_at", diagnostic=True, enabled=False),
        diagnostic("client"),
        diagnostic("client_version"),
        count("connections"),
        diagnostic("error"),
        timestamp("last_close"),
        timestamp("last_edit", diagnostic=True),
        timestamp("last_start"),
        diagnostic("local_address"),
        diagnostic(
            "node_name",
            attributes_fn=lambda tunnel: {"node_id": tunnel.node_id},
        ),
        choice(
            "phase",
            TunnelPhase,
            attributes_fn=lambda tunnel: _advice(tunnel.phase),
        ),
        diagnostic("protocol"),
        TunnelHubSensorDescription[Tunnel](key="public_address"),
        choice("source", TunnelSource, diagnostic=True),
        choice(
            "state",
            TunnelState,
            attributes_fn=lambda tunnel: _advice(tunnel.state),
        ),
        traffic("traffic_in_today"),
        traffic("traffic_out_today"),
    ),
}
