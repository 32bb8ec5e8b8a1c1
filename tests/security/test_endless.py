"""Answers that never end are given up, and nothing else waits for them."""

import asyncio
from functools import partial
import time

from aiohttp import ClientSession, DummyCookieJar
import pytest

from bench.meter import StallSelector
from custom_components.tunnel_hub.api.errors import UnavailableError
from custom_components.tunnel_hub.api.http import Transport

from .catalogue import ENDLESS
from .figures import Figures
from .liar import Asked, Liar, Raw
from .test_answers import LONGEST_STALL

_PATIENCE = 20
"""Seconds in which an answer must be complete."""


async def _endless(asked: Asked) -> Raw:
    return ENDLESS[asked.headers["x-which"]]()


async def _all(figures: Figures, stalls: StallSelector) -> None:
    """Ask for all of them at the same time."""
    async with Liar(_endless) as liar, ClientSession(cookie_jar=DummyCookieJar()) as session:

        async def read(which: str) -> float:
            here = f"http://127.0.0.1:{liar.port}"
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


def test_what_never_ends(figures: Figures, pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("extended"):
        pytest.skip("takes as long as an answer may take")
    stalls = StallSelector()
    with asyncio.Runner(loop_factory=partial(asyncio.SelectorEventLoop, stalls)) as runner:
        runner.run(_all(figures, stalls))
