"""A simulator of frp: frps with its dashboard, and frpc with its admin API."""

from .frpc import Frpc
from .frps import Client, Frps, Proxy, Settings
from .service import FrpService, FrpState

SERVICE = FrpService

__all__ = ["SERVICE", "Client", "FrpService", "FrpState", "Frpc", "Frps", "Proxy", "Settings"]
