"""HayFrp: free frp tunnels with a daily sign-in (api.hayfrp.com)."""

from .provider import HAYFRP, HayFrpProvider

__all__ = ["HAYFRP", "HayFrpProvider"]
