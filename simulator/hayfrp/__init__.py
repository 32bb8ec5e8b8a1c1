"""HayFrp, simulated: a frp service whose every answer is HTTP 200 with a status in its body."""

from .service import HayFrpService
from .state import Account, HayFrpState, Mail, Node, Settings, Tunnel

__all__ = ["Account", "HayFrpService", "HayFrpState", "Mail", "Node", "Settings", "Tunnel"]
