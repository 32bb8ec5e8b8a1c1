"""Tests parallel requests."""

import asyncio

import pytest

from custom_components.tunnel_hub.api.errors import RejectedError
from custom_components.tunnel_hub.api.gather import gather_all


async def _fail(words: str) -> str:
    raise RejectedError(words)


async def test_results() -> None:
    async def answer(value: int) -> int:
        return value

    assert await gather_all(answer(1), answer(2), answer(3)) == (1, 2, 3)


async def test_all_finish() -> None:
    """Also if the first one fails immediately."""
    done: list[str] = []

    async def slow() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        done.append("slow")

    with pytest.raises(RejectedError, match="first"):
        await gather_all(_fail("first"), slow(), _fail("last"))

    assert done == ["slow"]


async def test_all_are_cancelled() -> None:
    never: asyncio.Future[None] = asyncio.Future()
    ended: list[str] = []

    async def hang() -> None:
        try:
            await never
        finally:
            ended.append("hang")

    waiting = asyncio.create_task(gather_all(hang(), hang()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert ended == ["hang", "hang"]
