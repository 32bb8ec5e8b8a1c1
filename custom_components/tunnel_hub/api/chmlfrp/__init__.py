"""ChmlFrp: frp tunnels with a daily sign-in and free subdomains (cf-v2.uapis.cn)."""

from .provider import ChmlFrpProvider

PROVIDER = ChmlFrpProvider

__all__ = ["PROVIDER", "ChmlFrpProvider"]
