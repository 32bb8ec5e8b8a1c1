"""A simulated ChmlFrp, and a client and a provider for it."""

from collections.abc import Callable

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.chmlfrp import ChmlFrpProvider
from custom_components.tunnel_hub.api.chmlfrp.client import ChmlFrpClient
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.provider import Credentials
from custom_components.tunnel_hub.api.tokens import FixedToken
from simulator.chmlfrp import ChmlFrpService

from ...chmlfrp.common import grant


@pytest.fixture
def client(session: ClientSession, chmlfrp: ChmlFrpService) -> ChmlFrpClient:
    """A client with the API token of the demo account."""
    return ChmlFrpClient(Transport(session, (chmlfrp.url,)), FixedToken(chmlfrp.account.usertoken))


type Begin = Callable[[Credentials], ChmlFrpProvider]


@pytest.fixture
def begin(session: ClientSession, chmlfrp: ChmlFrpService) -> Begin:
    """Return a function that creates a provider with credentials."""

    def _begin(credentials: Credentials) -> ChmlFrpProvider:
        urls = {"base_url": chmlfrp.url, "oauth_url": chmlfrp.oauth_url}
        return ChmlFrpProvider(session, {**urls, **credentials}, {})

    return _begin


@pytest.fixture
def provider(begin: Begin, chmlfrp: ChmlFrpService) -> ChmlFrpProvider:
    """A provider with the API token of the demo account."""
    return begin({"token": chmlfrp.account.usertoken})


@pytest.fixture
def granted(chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory) -> Credentials:
    """The credentials of a device sign-in that was just approved; time is frozen."""
    return grant(chmlfrp)
