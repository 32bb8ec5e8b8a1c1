"""What is documented of ChmlFrp."""

from custom_components.tunnel_hub.api.chmlfrp.client import ChmlFrpClient

CLIENTS = (ChmlFrpClient,)

ENDPOINTS = 38
"""27 in its document and eleven that its panel uses."""
