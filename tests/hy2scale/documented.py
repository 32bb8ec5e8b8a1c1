"""The clients of HY2 SCALE, and how many endpoints are documented."""

from custom_components.tunnel_hub.api.hy2scale.client import Hy2ScaleClient

CLIENTS = (Hy2ScaleClient,)

ENDPOINTS = 76
"""63 in its document, and 13 more of version 1.3."""
