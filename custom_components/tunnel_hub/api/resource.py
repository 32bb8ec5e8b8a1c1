"""What a person would name: accounts, tunnels, nodes and the service itself.

Every resource is an immutable value with an id that is unique in its feed. Units are fixed
here: traffic in bytes, shares in percent (0 to 100), moments as aware datetimes. Unknown
is None, never 0, "" or -1. Which fields a service fills is told by its feed.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, override


class NodeLoad(StrEnum):
    """How busy a node says it is."""

    IDLE = "idle"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class TunnelState(StrEnum):
    """What a tunnel is doing, as far as the service knows."""

    ONLINE = "online"
    OFFLINE = "offline"
    DISABLED = "disabled"
    NODE_OFFLINE = "node_offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing at a service.

    kind: its name in identifiers, never shown.
    part_of: the kind of the thing with the same id that it tells something about.
    """

    kind: ClassVar[str]
    part_of: ClassVar[str | None] = None

    id: str
    name: str | None = None

    @property
    def matters(self) -> bool:
        """Whether most people want to see it without having asked."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Resource):
    """The user's account at a service."""

    kind: ClassVar[str] = "account"

    banned: bool | None = None
    last_sign_in: datetime | None = None
    service_provider: bool | None = None
    """Whether the account itself offers nodes to others."""
    sign_in_days: int | None = None
    sign_in_traffic: int | None = None
    """Bytes gained by signing in, ever."""
    signed_in_today: bool | None = None
    traffic_left: int | None = None
    """Bytes."""
    traffic_today: int | None = None
    """Bytes used since the service's midnight."""
    tunnels_allowed: int | None = None
    tunnels_used: int | None = None
    verified: bool | None = None
    """Whether the person has proved who they are (real name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel(Resource):
    """One tunnel: from a local address over a node to a public address."""

    kind: ClassVar[str] = "tunnel"

    checked_at: datetime | None = None
    """When online was last read."""
    enabled: bool | None = None
    """Whether the service accepts a client for it."""
    last_edit: datetime | None = None
    local_address: str | None = None
    """host:port at home."""
    node_id: str | None = None
    node_name: str | None = None
    online: bool | None = None
    """Whether a client runs it now."""
    protocol: str | None = None
    """tcp, udp, http, https, stcp, xtcp."""
    public_address: str | None = None
    """host:port or domain as seen from outside."""
    state: TunnelState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Resource):
    """One server of the service that tunnels run over."""

    kind: ClassVar[str] = "node"

    clients: int | None = None
    connections: int | None = None
    cpu_usage: float | None = None
    """Percent."""
    description: str | None = None
    disk_usage: float | None = None
    """Percent."""
    in_use: bool = False
    """Whether one of the account's tunnels runs over it."""
    load: NodeLoad | None = None
    memory_usage: float | None = None
    """Percent."""
    online: bool | None = None
    traffic_in_today: int | None = None
    """Bytes since the service's midnight, into the node."""
    traffic_out_today: int | None = None
    """Bytes since the service's midnight, out of the node."""
    version: str | None = None

    @property
    @override
    def matters(self) -> bool:
        return self.in_use


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTotals(Resource):
    """The service as a whole."""

    kind: ClassVar[str] = "service"

    clients: int | None = None
    runs: int | None = None
    """Tunnel starts ever asked for."""
    runs_today: int | None = None
    traffic: int | None = None
    """Bytes, ever."""
    traffic_in: int | None = None
    traffic_in_today: int | None = None
    traffic_out: int | None = None
    traffic_out_today: int | None = None
    traffic_today: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Resource):
    """The newest versions that the service offers."""

    kind: ClassVar[str] = "release"
    part_of: ClassVar[str | None] = "service"

    client_version: str | None = None
    """Of frpc, the program people run at home."""
    server_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Resource):
    """The newest notice of the service, as plain text."""

    kind: ClassVar[str] = "notice"
    part_of: ClassVar[str | None] = "service"

    text: str | None = None
