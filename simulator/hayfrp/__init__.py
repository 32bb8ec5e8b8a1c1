"""HayFrp, simulated: a frp service whose every answer is HTTP 200 with a status in its body."""

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
