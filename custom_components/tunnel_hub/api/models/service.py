"""What is true of a service as a whole: totals, versions, notices and downloads."""

from dataclasses import dataclass
from typing import ClassVar

from ..models.base import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTotals(Resource):
    """The service as a whole."""

    kind: ClassVar[str] = "service"

    bandwidth: float | None = None
    """Mbit/s that its nodes carry now."""
    clients: int | None = None
    connections: int | None = None
    """To all of its nodes, now."""
    nodes: int | None = None
    nodes_domestic: int | None = None
    """In the service's own country."""
    nodes_listed: int | None = None
    """Shown to everyone."""
    nodes_online: int | None = None
    nodes_overseas: int | None = None
    """In other countries."""
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
    tunnels: int | None = None
    users: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Resource):
    """The newest versions that the service offers."""

    kind: ClassVar[str] = "release"
    part_of: ClassVar[str | None] = "service"

    frpc_version: str | None = None
    """Of the program that people run at home; frps_version: of the one on the nodes."""
    frps_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Resource):
    """The newest notice of the service, as plain text."""

    kind: ClassVar[str] = "notice"
    part_of: ClassVar[str | None] = "service"

    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that the service offers. urls: one for each mirror.

    platform: the operating system, where the service tells it apart from the architecture.
    """

    name: str
    version: str | None
    platform: str | None
    architecture: str | None
    urls: tuple[str, ...]
