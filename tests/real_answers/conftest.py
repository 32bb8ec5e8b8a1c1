"""A session to ask the simulated services, and a server that answers with recordings."""

from collections.abc import AsyncIterator

from aiohttp import ClientSession, DummyCookieJar
import pytest

from .server import RecordedServer, recorded_server


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A session that keeps nothing."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as open_session:
        yield open_session


@pytest.fixture
async def recorded() -> AsyncIterator[RecordedServer]:
    """A server that answers with the recordings that a test adds."""
    async with recorded_server() as server:
        yield server
