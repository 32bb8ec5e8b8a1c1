"""A service as a whole: totals, versions, notices and downloads."""

from dataclasses import dataclass
from typing import ClassVar

from ..models.base import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTotals(Resource):
    """The service as a whole."""

    kind: ClassVar[str] = "service"

    bandwidth: float | None = None
    """The current bandwidth of its nodes in Mbit/s."""
    clients: int | None = None
    connections: int | None = None
    """The current connections to all of its nodes."""
    nodes: int | None = None
    nodes_domestic: int | None = None
    """In the service's country."""
    nodes_listed: int | None = None
    """Nodes that are shown to everyone."""
    nodes_online: int | None = None
    nodes_overseas: int | None = None
    """In other countries."""
    runs: int | None = None
    """Total tunnel starts."""
    runs_today: int | None = None
    traffic: int | None = None
    """Total bytes."""
    traffic_in: int | None = None
    traffic_in_today: int | None = None
    traffic_out: int | None = None
    traffic_out_today: int | None = None
    traffic_today: int | None = None
    tunnels: int | None = None
    users: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Resource):
    """The newest versions of programs."""

    kind: ClassVar[str] = "release"
    part_of: ClassVar[str | None] = "service"

    frpc_version: str | None = None
    """The version of the client program. frps_version: of the server program on the nodes."""
    frps_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Resource):
    """The newest notice of the service, as plain text."""

    kind: ClassVar[str] = "notice"
    part_of: ClassVar[str | None] = "service"

    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that the service offers.

    urls: one for each mirror.
    platform: the operating system, if it is separate from the architecture.
    """

    name: str
    version: str | None
    platform: str | None
    architecture: str | None
    urls: tuple[str, ...]
