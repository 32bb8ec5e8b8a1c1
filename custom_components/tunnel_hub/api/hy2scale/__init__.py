"""HY2 SCALE: a node of a Hysteria 2 mesh, hosted by the user."""

from .provider import Hy2ScaleProvider

PROVIDER = Hy2ScaleProvider

__all__ = ["PROVIDER", "Hy2ScaleProvider"]
