"""A simulator of ChmlFrp with its account center for device sign-ins."""

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
