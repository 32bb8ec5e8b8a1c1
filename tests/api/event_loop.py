"""Runs pending tasks without waiting."""

import asyncio
from collections.abc import Callable


async def run_pending(number: int = 200) -> None:
    """Run all tasks that are ready."""
    for _ in range(number):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Run tasks until the condition is true."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never happened")
