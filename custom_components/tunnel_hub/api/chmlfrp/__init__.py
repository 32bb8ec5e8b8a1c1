"""ChmlFrp: frp tunnels with a daily sign-in and free subdomains (cf-v2.uapis.cn)."""

from .provider import ChmlFrpProvider

__all__ = ["ChmlFrpProvider"]
