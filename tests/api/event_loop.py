"""Letting the event loop turn, in no time."""

import asyncio
from collections.abc import Callable


async def turns(number: int = 200) -> None:
    """Let everything happen that is about to."""
    for _ in range(number):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never happened")
