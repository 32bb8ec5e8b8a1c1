"""A server that answers with recordings."""

from collections.abc import AsyncIterator

import pytest

from .server import RecordedServer, recorded_server


@pytest.fixture
async def recorded() -> AsyncIterator[RecordedServer]:
    """A server that answers with the recordings that a test adds."""
    async with recorded_server() as server:
        yield server
