"""Tunnels: resources and payloads."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from ..models.base import Resource


class TunnelState(StrEnum):
    """The state of a tunnel at the service."""

    ONLINE = "online"
    OFFLINE = "offline"
    DISABLED = "disabled"
    NODE_OFFLINE = "node_offline"
    NODE_MAINTENANCE = "node_maintenance"
    NODE_REMOVED = "node_removed"


class TunnelPhase(StrEnum):
    """The state of a tunnel in the client program."""

    NEW = "new"
    WAIT_START = "wait_start"
    START_ERROR = "start_error"
    RUNNING = "running"
    CHECK_FAILED = "check_failed"
    CLOSED = "closed"
    DISABLED = "disabled"
    """It is disabled in the client."""
    OFFLINE = "offline"
    """The client is not connected to its server."""


class TunnelSource(StrEnum):
    """Where a client has the configuration of a tunnel from."""

    FILE = "file"
    """The configuration file of the client, which only the user can change."""
    STORE = "store"
    """The store of the client, which can be changed over its API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel(Resource):
    """A tunnel from a local address over a node to a public address."""

    kind: ClassVar[str] = "tunnel"

    checked_at: datetime | None = None
    """When online was last read."""
    client: str | None = None
    """The client that runs it, or did last."""
    client_outdated: bool | None = None
    """Whether the program that ran it last is older than the newest version."""
    client_version: str | None = None
    """The version of the program that ran it last."""
    compression: bool | None = None
    connections: int | None = None
    editable: bool | None = None
    """Whether it can be enabled, disabled and changed; None if this is the same for all tunnels."""
    enabled: bool | None = None
    """Whether the service accepts a client for it."""
    encryption: bool | None = None
    error: str | None = None
    """Why it does not run, in the client's words."""
    last_close: datetime | None = None
    """When it was last closed, by its client or by a lost connection."""
    last_edit: datetime | None = None
    last_start: datetime | None = None
    """When a client connected last."""
    local_address: str | None = None
    """host:port at home."""
    node_id: str | None = None
    node_name: str | None = None
    online: bool | None = None
    """Whether a client runs it."""
    phase: TunnelPhase | None = None
    protocol: str | None = None
    """tcp, udp, http, https, stcp, xtcp."""
    public_address: str | None = None
    """host:port or domain, as seen from outside."""
    source: TunnelSource | None = None
    state: TunnelState | None = None
    traffic_in_today: int | None = None
    """Bytes since the service's midnight, into the tunnel."""
    traffic_out_today: int | None = None
    """Bytes since the service's midnight, out of the tunnel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelUpdate:
    """A tunnel to create or change; None leaves a value unchanged, or to the service.

    local_port, remote_port: 1 to 65535.
    node: id or name of a node.
    extra_parameters: additional lines for the configuration of the client.
    secret_key: shared by both ends of stcp and xtcp.
    """

    name: str | None = None
    protocol: str | None = None
    local_host: str | None = None
    local_port: int | None = None
    remote_port: int | None = None
    node: str | None = None
    domain: str | None = None
    encryption: bool | None = None
    compression: bool | None = None
    extra_parameters: str | None = None
    secret_key: str | None = field(default=None, repr=False)
