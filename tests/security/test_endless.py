"""Tests that endless answers time out without blocking the event loop."""

import asyncio
from functools import partial
import time

from aiohttp import ClientSession, DummyCookieJar
import pytest

from bench.measurement import StallSelector
from custom_components.tunnel_hub.api.errors import UnavailableError
from custom_components.tunnel_hub.api.http import Transport

from .figures import Figures
from .payloads import ENDLESS
from .raw_server import Raw, RawServer, ReceivedRequest
from .test_answers import LONGEST_STALL

_PATIENCE = 20
"""The time limit of an answer in seconds."""


async def _endless(asked: ReceivedRequest) -> Raw:
    return ENDLESS[asked.headers["x-which"]]()


async def _all(figures: Figures, stalls: StallSelector) -> None:
    """Requests all endless answers in parallel."""
    async with (
        RawServer(_endless) as raw_server,
        ClientSession(cookie_jar=DummyCookieJar()) as session,
    ):

        async def read(which: str) -> float:
            here = f"http://127.0.0.1:{raw_server.port}"
            transport = Transport(session, (here,), headers={"X-Which": which})
            started = time.monotonic()
            with pytest.raises(UnavailableError):
                await transport.request("POST", "/", read=False)
            return time.monotonic() - started

        stalls.restart()
        took = await asyncio.gather(*map(read, ENDLESS))
        for which in ENDLESS:
            figures.count("any", f"endless: {which}", stalls.read())
    assert max(took) < _PATIENCE + 10
    assert stalls.read() < LONGEST_STALL


def test_endless_answers(figures: Figures, pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("extended"):
        pytest.skip("takes as long as an answer may take")
    stalls = StallSelector()
    with asyncio.Runner(loop_factory=partial(asyncio.SelectorEventLoop, stalls)) as runner:
        runner.run(_all(figures, stalls))
