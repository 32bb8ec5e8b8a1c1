"""ChmlFrp, simulated: a frp service with an account center that signs devices in."""

from .service import ChmlFrpService
from .state import (
    Account,
    Certificate,
    ChmlFrpState,
    Day,
    DeviceCode,
    Domain,
    Grant,
    Mail,
    Message,
    Node,
    Notice,
    OAuthClient,
    Settings,
    Subdomain,
    Tunnel,
)

SERVICE = ChmlFrpService

__all__ = [
    "SERVICE",
    "Account",
    "Certificate",
    "ChmlFrpService",
    "ChmlFrpState",
    "Day",
    "DeviceCode",
    "Domain",
    "Grant",
    "Mail",
    "Message",
    "Node",
    "Notice",
    "OAuthClient",
    "Settings",
    "Subdomain",
    "Tunnel",
]
