"""What is documented of frp."""

from custom_components.tunnel_hub.api.frp.frps_client import FrpsClient

CLIENTS = (FrpsClient,)

ENDPOINTS = 15
"""Seven of version 1 of the dashboard's API, and eight of version 2."""
