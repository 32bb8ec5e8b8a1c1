"""HayFrp: free frp tunnels with a daily sign-in (api.hayfrp.com)."""

from .provider import HayFrpProvider

__all__ = ["HayFrpProvider"]
