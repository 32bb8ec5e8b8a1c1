"""HayFrp: free frp tunnels with a daily sign-in (api.hayfrp.com)."""

from .provider import HayFrpProvider

PROVIDER = HayFrpProvider

__all__ = ["PROVIDER", "HayFrpProvider"]
