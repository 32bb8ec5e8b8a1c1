"""The clients of frp, and how many endpoints are documented."""

from custom_components.tunnel_hub.api.frp.frpc_client import FrpcClient
from custom_components.tunnel_hub.api.frp.frps_client import FrpsClient

CLIENTS = (FrpsClient, FrpcClient)

ENDPOINTS = 30
"""Seven of version 1 of the dashboard's API, eight of version 2, and 15 of frpc's."""
