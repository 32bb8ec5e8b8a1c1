"""What is documented of HayFrp."""

from custom_components.tunnel_hub.api.hayfrp.client import HayFrpClient

CLIENTS = (HayFrpClient,)

ENDPOINTS = 23
