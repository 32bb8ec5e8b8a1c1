"""A simulator of HY2 SCALE: a node of a Hysteria 2 mesh with its web API."""

from .initial_state import hashed
from .service import Hy2ScaleService
from .state import (
    Certificate,
    Client,
    Hy2ScaleState,
    Peer,
    PeerFlags,
    Proxy,
    Rule,
    Server,
    Session,
    Settings,
    User,
    WireGuardPeer,
)

SERVICE = Hy2ScaleService

__all__ = [
    "SERVICE",
    "Certificate",
    "Client",
    "Hy2ScaleService",
    "Hy2ScaleState",
    "Peer",
    "PeerFlags",
    "Proxy",
    "Rule",
    "Server",
    "Session",
    "Settings",
    "User",
    "WireGuardPeer",
    "hashed",
]
