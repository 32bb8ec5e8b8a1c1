"""A simulator of HayFrp, which answers every call with HTTP 200 and a status in the body."""

from .service import HayFrpService
from .state import Account, HayFrpState, Mail, Node, Settings, Tunnel

SERVICE = HayFrpService

__all__ = [
    "SERVICE",
    "Account",
    "HayFrpService",
    "HayFrpState",
    "Mail",
    "Node",
    "Settings",
    "Tunnel",
]
