"""EasyTier node managers: self-hosted directories of relay nodes (easytier-worker)."""

from .provider import EasyTierProvider

__all__ = ["EasyTierProvider"]
