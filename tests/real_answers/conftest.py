"""A session to ask the simulated services."""

from collections.abc import AsyncIterator

from aiohttp import ClientSession, DummyCookieJar
import pytest


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    """A session that keeps nothing."""
    async with ClientSession(cookie_jar=DummyCookieJar()) as open_session:
        yield open_session
