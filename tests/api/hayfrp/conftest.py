"""A client and a provider of the simulated HayFrp, and a session."""

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.hayfrp import HayFrpProvider
from custom_components.tunnel_hub.api.hayfrp.client import HayFrpClient
from custom_components.tunnel_hub.api.http import Transport
from simulator.hayfrp import HayFrpService


@pytest.fixture
def client(session: ClientSession, hayfrp: HayFrpService) -> HayFrpClient:
    return HayFrpClient(Transport(session, (hayfrp.url,), headers={"waf": "off"}))


@pytest.fixture
def csrf(hayfrp: HayFrpService) -> str:
    """The csrf token of a session of the demo account."""
    hayfrp.account.csrf, hayfrp.account.csrf_since = "good-csrf", hayfrp.now()
    return "good-csrf"


@pytest.fixture
def provider(session: ClientSession, hayfrp: HayFrpService) -> HayFrpProvider:
    """The provider of the demo account, not signed in."""
    credentials = {"base_url": hayfrp.url, "username": "demo", "password": "demo-password"}
    return HayFrpProvider(session, credentials, {})
