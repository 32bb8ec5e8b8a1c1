"""Divides long work into time slices, so that it does not block the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
import time

_TIME_SLICE = 0.002
"""Seconds; so short that several tasks in a row are not noticed."""


class TimeSlice:
    """Limits how long work blocks the event loop."""

    def __init__(self) -> None:
        self._end = time.perf_counter() + _TIME_SLICE

    async def yield_if_due(self) -> None:
        """Yield to the event loop if the time slice is over."""
        if time.perf_counter() >= self._end:
            await asyncio.sleep(0)
            self._end = time.perf_counter() + _TIME_SLICE


async def iterate[T](items: Iterable[T]) -> AsyncIterator[T]:
    """Iterate over many items without blocking the event loop."""
    time_slice = TimeSlice()
    for item in items:
        yield item
        await time_slice.yield_if_due()


async def in_time_slices[T](items: Iterable[T], do: Callable[[T], object]) -> None:
    """Call a function for each item without blocking the event loop."""
    time_slice = TimeSlice()
    for item in items:
        do(item)
        await time_slice.yield_if_due()
