"""The clients of ChmlFrp, and how many endpoints are documented."""

from custom_components.tunnel_hub.api.chmlfrp.client import ChmlFrpClient

CLIENTS = (ChmlFrpClient,)

ENDPOINTS = 38
"""27 in the service's document, and eleven that only its panel uses."""
