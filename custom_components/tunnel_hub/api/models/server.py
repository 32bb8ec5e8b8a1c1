"""A server that one runs oneself, and the clients that are connected to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from ..models.base import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Server(Resource):
    """The server that an entry connects to."""

    kind: ClassVar[str] = "server"
    part_of: ClassVar[str | None] = "account"

    clients: int | None = None
    """That are connected."""
    connections: int | None = None
    """Through all of its tunnels, now."""
    heartbeats: bool | None = None
    """Whether clients have to tell regularly that they are there."""
    port: int | None = None
    """That clients connect to."""
    ports: tuple[tuple[str, int], ...] = ()
    """Others that it listens at, by what for."""
    traffic_in_today: int | None = None
    """Bytes since the server's midnight, into its tunnels."""
    traffic_out_today: int | None = None
    """Bytes since the server's midnight, out of its tunnels."""
    tunnels_offline: int | None = None
    tunnels_online: int | None = None
    tunnels_online_by_type: tuple[tuple[str, int], ...] = ()
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Resource):
    """A client program that connects to a server, and runs tunnels over it."""

    kind: ClassVar[str] = "client"

    address: str | None = None
    """From which it connects."""
    connected_since: datetime | None = None
    """None while it is not connected."""
    host_name: str | None = None
    """Of the machine that it runs on."""
    last_seen: datetime | None = None
    """When it was disconnected; None while it is connected."""
    online: bool | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStatus(Resource):
    """The client that an entry connects to."""

    kind: ClassVar[str] = "client_status"
    part_of: ClassVar[str | None] = "account"

    connected: bool | None = None
    """Whether it reaches its server; unknown while it has nothing to run."""
    tunnels_offline: int | None = None
    tunnels_online: int | None = None
