"""The clients of EasyTier, and how many endpoints are documented."""

from custom_components.tunnel_hub.api.easytier.client import EasyTierClient

CLIENTS = (EasyTierClient,)

ENDPOINTS = 22
"""16 in the project's document, and six that only its pages use."""
