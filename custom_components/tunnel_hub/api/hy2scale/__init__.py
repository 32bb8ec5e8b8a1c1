"""HY2 SCALE: a node of a Hysteria 2 mesh, hosted by the user."""

from .provider import Hy2ScaleProvider

__all__ = ["Hy2ScaleProvider"]
