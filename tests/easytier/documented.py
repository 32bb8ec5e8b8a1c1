"""What is documented of EasyTier."""

from custom_components.tunnel_hub.api.easytier.client import EasyTierClient

CLIENTS = (EasyTierClient,)

ENDPOINTS = 22
"""16 in its document and six that its pages use."""
