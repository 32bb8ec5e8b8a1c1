"""A client and a provider of the simulated frps."""

from collections.abc import Callable

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.frp.frps_client import FrpsClient
from custom_components.tunnel_hub.api.frp.frps_provider import FrpsProvider
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.provider import Options
from simulator.frp import FrpService

OLD = "0.60.0"
"""A version without clients in lists, and without version 2 of the API."""

type Begin = Callable[..., FrpsProvider]


@pytest.fixture
def client(session: ClientSession, frp: FrpService) -> FrpsClient:
    return FrpsClient(Transport(session, (frp.url,)), **frp.credentials)


@pytest.fixture
def begin(session: ClientSession, frp: FrpService) -> Begin:
    """Return a function that creates a provider of the simulated frps."""

    def _begin(options: Options | None = None, **credentials: str) -> FrpsProvider:
        known = {"kind": "frps", "base_url": frp.url, **frp.credentials, **credentials}
        return FrpsProvider(session, known, options or {})

    return _begin
