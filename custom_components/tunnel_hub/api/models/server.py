"""A self-hosted server, and the clients that are connected to it."""

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
    """Connected clients."""
    connections: int | None = None
    """The current connections through all of its tunnels."""
    heartbeats: bool | None = None
    """Whether clients must send heartbeats."""
    port: int | None = None
    """The port for clients."""
    ports: tuple[tuple[str, int], ...] = ()
    """Other ports by purpose."""
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
    """A client program that is connected to a server and runs tunnels."""

    kind: ClassVar[str] = "client"

    address: str | None = None
    """The address that it connects from."""
    connected_since: datetime | None = None
    """None while it is not connected."""
    host_name: str | None = None
    """The name of its machine."""
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
    """Whether it is connected to its server; unknown if it has no tunnels to run."""
    tunnels_offline: int | None = None
    tunnels_online: int | None = None
