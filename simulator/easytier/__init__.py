"""The EasyTier node manager, simulated as its public source has it and as its document has it."""

from .service import EasyTierService
from .state import Account, Connection, EasyTierState, Mail, Node, Sample, Settings

__all__ = [
    "Account",
    "Connection",
    "EasyTierService",
    "EasyTierState",
    "Mail",
    "Node",
    "Sample",
    "Settings",
]
