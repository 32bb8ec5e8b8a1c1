"""The clients of HayFrp, and how many endpoints are documented."""

from custom_components.tunnel_hub.api.hayfrp.client import HayFrpClient

CLIENTS = (HayFrpClient,)

ENDPOINTS = 23
