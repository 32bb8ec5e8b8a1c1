"""frp, simulated: frps with its dashboard, and beside it frpc with its admin API."""

from .frpc import Frpc
from .frps import Client, Frps, Proxy, Settings
from .service import FrpService, FrpState

SERVICE = FrpService

__all__ = ["SERVICE", "Client", "FrpService", "FrpState", "Frpc", "Frps", "Proxy", "Settings"]
