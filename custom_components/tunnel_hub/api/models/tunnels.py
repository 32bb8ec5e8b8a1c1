"""Tunnels: what is read of them, and what is sent to create or change one."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from ..models.base import Resource


class TunnelState(StrEnum):
    """What a tunnel is doing, as far as the service knows."""

    ONLINE = "online"
    OFFLINE = "offline"
    DISABLED = "disabled"
    NODE_OFFLINE = "node_offline"
    NODE_MAINTENANCE = "node_maintenance"
    NODE_REMOVED = "node_removed"


class TunnelPhase(StrEnum):
    """What the client at home does with a tunnel."""

    NEW = "new"
    WAIT_START = "wait_start"
    START_ERROR = "start_error"
    RUNNING = "running"
    CHECK_FAILED = "check_failed"
    CLOSED = "closed"
    DISABLED = "disabled"
    """It has been told not to run it."""
    OFFLINE = "offline"
    """It does not reach its server."""


class TunnelSource(StrEnum):
    """Where a client has a tunnel from."""

    FILE = "file"
    """Its configuration file, which only a person changes."""
    STORE = "store"
    """What it keeps by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel(Resource):
    """One tunnel: from a local address over a node to a public address."""

    kind: ClassVar[str] = "tunnel"

    checked_at: datetime | None = None
    """When online was last read."""
    client: str | None = None
    """Which client runs it, or did last."""
    client_outdated: bool | None = None
    """Whether the program that ran it last is older than the newest one."""
    client_version: str | None = None
    """Of the program that ran it last."""
    compression: bool | None = None
    connections: int | None = None
    editable: bool | None = None
    """Whether it can be switched and changed; None where that is the same for all tunnels."""
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
    """Whether a client runs it now."""
    phase: TunnelPhase | None = None
    protocol: str | None = None
    """tcp, udp, http, https, stcp, xtcp."""
    public_address: str | None = None
    """host:port or domain as seen from outside."""
    source: TunnelSource | None = None
    state: TunnelState | None = None
    traffic_in_today: int | None = None
    """Bytes since the service's midnight, into the tunnel."""
    traffic_out_today: int | None = None
    """Bytes since the service's midnight, out of the tunnel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelUpdate:
    """What a user says about a tunnel; None leaves it to the service, or as it is.

    local_port, remote_port: 1 to 65535. node: a node's id or name.
    extra_parameters: further lines for the client's configuration.
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
