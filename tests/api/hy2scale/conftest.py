"""A simulated node of either generation, a client and a provider for it."""

from collections.abc import AsyncIterator, Callable

from aiohttp import ClientSession
import pytest
from yarl import URL

from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.hy2scale import Hy2ScaleProvider
from custom_components.tunnel_hub.api.hy2scale.client import Hy2ScaleClient
from custom_components.tunnel_hub.api.provider import Credentials
from custom_components.tunnel_hub.api.tokens import PastedToken
from simulator import Simulator
from simulator.hy2scale import Hy2ScaleService, hashed

from ..routes import record


@pytest.fixture
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """The service; which routes our client asks is recorded."""
    async with Simulator(services=("hy2scale",)) as running:
        yield running
    record(request.node, running)


@pytest.fixture
def generation(request: pytest.FixtureRequest) -> str:
    """Which of its generations the node is, as a test wishes indirectly."""
    return str(getattr(request, "param", "1.3"))


@pytest.fixture
def hy2scale(simulator: Simulator, generation: str) -> Hy2ScaleService:
    """The simulated node."""
    simulator.get(Hy2ScaleService).state.settings.generation = generation
    return simulator.get(Hy2ScaleService)


@pytest.fixture
def client(session: ClientSession, hy2scale: Hy2ScaleService) -> Hy2ScaleClient:
    """A client that is signed in."""
    hy2scale.state.tokens["the-token"] = hy2scale.token_end()
    transport = Transport(session, (hy2scale.url + hy2scale.base_path,))
    return Hy2ScaleClient(transport, PastedToken("the-token"))


@pytest.fixture
def credentials(hy2scale: Hy2ScaleService) -> Credentials:
    """Where the node is, and who signs in."""
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
    """Make a provider that has asked nothing yet; with some credentials in place of the usual."""
    return lambda **changes: Hy2ScaleProvider(session, {**credentials, **changes}, {})


@pytest.fixture
def provider(begin: Begin) -> Hy2ScaleProvider:
    """That node."""
    return begin()
