"""What is documented of HY2 SCALE."""

from custom_components.tunnel_hub.api.hy2scale.client import Hy2ScaleClient

CLIENTS = (Hy2ScaleClient,)

ENDPOINTS = 76
"""60 of the 63 in its document, and 13 that 1.3 has besides."""
