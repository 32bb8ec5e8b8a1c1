"""A simulated node manager in each dialect, and a client and a provider for it."""

from collections.abc import Callable

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.easytier import EasyTierProvider
from custom_components.tunnel_hub.api.easytier.client import EasyTierClient
from custom_components.tunnel_hub.api.http import Transport
from custom_components.tunnel_hub.api.provider import Options
from custom_components.tunnel_hub.api.tokens import FixedToken, Login, LoginTokens
from simulator.easytier import EasyTierService

from ...conftest import Dialect


@pytest.fixture(params=["real", "documented"])
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """Each of the two dialects."""
    spoken: Dialect = request.param
    return spoken


@pytest.fixture
def anonymous(session: ClientSession, easytier: EasyTierService) -> EasyTierClient:
    """A client without an account."""
    return EasyTierClient(Transport(session, (easytier.url,)), FixedToken())


@pytest.fixture
def client(session: ClientSession, easytier: EasyTierService) -> EasyTierClient:
    """The client of the demo account."""
    return client_of(session, easytier, "demo")


def client_of(session: ClientSession, easytier: EasyTierService, name: str) -> EasyTierClient:
    """Return the client of one of the accounts."""

    async def _log_in() -> str:
        token = (await signed_in.login(f"{name}@example.com", f"{name}-password"))["token"]
        assert isinstance(token, str)
        return token

    async def _on_renewed(_: str) -> None:
        pass

    tokens = LoginTokens(None, Login(lambda: name, _log_in), _on_renewed)
    signed_in = EasyTierClient(Transport(session, (easytier.url,)), tokens)
    return signed_in


type Begin = Callable[..., EasyTierProvider]


@pytest.fixture
def begin(session: ClientSession, easytier: EasyTierService) -> Begin:
    """Return a function that creates a provider for an account, or without one."""

    def _begin(
        name: str | None = "demo", options: Options | None = None, **credentials: str
    ) -> EasyTierProvider:
        account = {"email": f"{name}@example.com", "password": f"{name}-password"} if name else {}
        return EasyTierProvider(
            session, {"base_url": easytier.url, **account, **credentials}, options or {}
        )

    return _begin


@pytest.fixture
def provider(begin: Begin) -> EasyTierProvider:
    return begin()
