"""The EasyTier node manager, simulated as its public source has it and as its document has it."""

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
