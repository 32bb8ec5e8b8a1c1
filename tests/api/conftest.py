"""A simulated service, a session to ask it, and a record of what was asked."""

from collections.abc import AsyncIterator

from aiohttp import ClientSession, DummyCookieJar
from hypothesis import settings
import pytest

from custom_components.tunnel_hub.api import http
from simulator import Simulator

from .routes import record

# The same examples in every run, and as long as the machine needs for each.
settings.register_profile("tunnel_hub", derandomize=True, database=None, deadline=None)
settings.load_profile("tunnel_hub")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(http, "_RETRY_PAUSE", (0.0, 0.0))


@pytest.fixture
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """The services, with a few tunnels and nodes; which routes our client asks is recorded."""
    async with Simulator(services=("hayfrp",)) as running:
        yield running
    record(request.node, running)


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A session as Home Assistant's side makes it."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as open_session:
        yield open_session
