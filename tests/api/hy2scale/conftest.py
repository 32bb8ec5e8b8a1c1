"""A simulated node of either generation, and a client and a provider for it."""

from collections.abc import Callable

from aiohttp import ClientSession
import pytest
from yarl import URL

from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.hy2scale.client import Hy2ScaleClient
from custom_components.tunnel_hub.api.provider import Credentials
from custom_components.tunnel_hub.api.tokens import FixedToken
from simulator.hy2scale import Hy2ScaleService, hashed


@pytest.fixture
def client(session: ClientSession, hy2scale: Hy2ScaleService) -> Hy2ScaleClient:
    """A client that is signed in."""
    hy2scale.state.tokens["the-token"] = hy2scale.token_end()
    transport = Transport(session, (hy2scale.url + hy2scale.base_path,))
    return Hy2ScaleClient(transport, FixedToken("the-token"))


@pytest.fixture
def credentials(hy2scale: Hy2ScaleService) -> Credentials:
    """The address and the credentials of the node."""
    url = URL(hy2scale.url)
    return {
        "host": str(url.host),
        "port": str(url.port),
        "https": "false",
        "username": "admin",
        "password_hash": hashed("hub-password"),
    }


type Begin = Callable[..., Hy2ScaleProvider]


@pytest.fixture
def begin(session: ClientSession, credentials: Credentials) -> Begin:
    """Return a function that creates a provider with other credentials."""
    return lambda **changes: Hy2ScaleProvider(session, {**credentials, **changes}, {})


@pytest.fixture
def provider(begin: Begin) -> Hy2ScaleProvider:
    return begin()
