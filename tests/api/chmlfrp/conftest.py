"""A simulated ChmlFrp, and accounts that sign in there in each way."""

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
    """The client of the demo account, with its API token."""
    return ChmlFrpClient(Transport(session, (chmlfrp.url,)), FixedToken(chmlfrp.account.usertoken))


type Begin = Callable[[Credentials], ChmlFrpProvider]


@pytest.fixture
def begin(session: ClientSession, chmlfrp: ChmlFrpService) -> Begin:
    """Make a provider with credentials, at the simulated service."""

    def _begin(credentials: Credentials) -> ChmlFrpProvider:
        urls = {"base_url": chmlfrp.url, "oauth_url": chmlfrp.oauth_url}
        return ChmlFrpProvider(session, {**urls, **credentials}, {})

    return _begin


@pytest.fixture
def provider(begin: Begin, chmlfrp: ChmlFrpService) -> ChmlFrpProvider:
    """The demo account with its API token."""
    return begin({"token": chmlfrp.account.usertoken})


@pytest.fixture
def granted(chmlfrp: ChmlFrpService, freezer: FrozenDateTimeFactory) -> Credentials:
    """What an approved sign-in has given a moment ago, in time that stands still."""
    return grant(chmlfrp)
