"""Self-hosted frp: frps, the server with its dashboard, and frpc, the client."""

from .provider import FrpProvider

PROVIDER = FrpProvider

__all__ = ["PROVIDER", "FrpProvider"]
