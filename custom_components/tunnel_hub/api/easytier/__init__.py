"""EasyTier node managers: self-hosted directories of relay nodes (easytier-worker)."""

from .provider import EasyTierProvider

PROVIDER = EasyTierProvider

__all__ = ["PROVIDER", "EasyTierProvider"]
