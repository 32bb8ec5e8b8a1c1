"""The fields of a node in responses."""

from collections.abc import Iterable, Mapping

from .state import Node

QUERY = (
    "id",
    "node_name",
    "region_type",
    "region_detail",
    "connections",
    "current_bandwidth",
    "tier_bandwidth",
    "connection_count",
    "max_connections",
    "used_traffic",
    "max_traffic",
    "tags",
    "allow_relay",
)
OWN: Mapping[str, Iterable[str]] = {
    "documented": {*QUERY, "max_bandwidth", "status"} - {"allow_relay"},
    "real": {
        *QUERY,
        *("max_bandwidth", "status", "user_email", "correction_traffic", "reset_cycle"),
        *("reset_date", "created_at", "valid_until", "recent_status", "notes", "last_report_at"),
        *("report_token", "network_name", "network_token"),
    },
}
PUBLIC: Mapping[str, Iterable[str]] = {
    "documented": {*QUERY, "max_bandwidth", "status"} - {"connections"},
    "real": {*QUERY, "max_bandwidth", "status", "notes", "recent_status", "reset_date"},
}


def row(node: Node, shown: Iterable[str]) -> dict[str, object]:
    """Return the public fields of a node."""
    connections = [{"type": c.type, "ip": c.ip, "port": c.port} for c in node.connections]
    return {
        name: connections if name == "connections" else getattr(node, name)
        for name in sorted(shown)
    }
