"""A simulator of the EasyTier node manager, as in its public source and as in its document."""

from .service import EasyTierService
from .state import Account, Connection, EasyTierState, Mail, Node, Sample, Settings

SERVICE = EasyTierService

__all__ = [
    "SERVICE",
    "Account",
    "Connection",
    "EasyTierService",
    "EasyTierState",
    "Mail",
    "Node",
    "Sample",
    "Settings",
]
