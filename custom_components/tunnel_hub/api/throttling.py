"""Not too much at once: for the event loop, which others need too, and for a service."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
import math
import time

_TIME_SLICE = 0.002
"""Seconds. A few who take turns at the same time must still be unnoticeable together."""


class TimeSlice:
    """One's share of the event loop's time, for work that grows with the size of an account."""

    def __init__(self) -> None:
        self._end = time.perf_counter() + _TIME_SLICE

    async def yield_if_due(self) -> None:
        """Let others have the loop once the turn is over; costs next to nothing before."""
        if time.perf_counter() >= self._end:
            await asyncio.sleep(0)
            self._end = time.perf_counter() + _TIME_SLICE


async def iterate[T](items: Iterable[T]) -> AsyncIterator[T]:
    """Iterate over many items without blocking the event loop."""
    turn = TimeSlice()
    for item in items:
        yield item
        await turn.yield_if_due()


async def in_time_slices[T](items: Iterable[T], do: Callable[[T], object]) -> None:
    """Do something for each, without keeping others waiting however many there are."""
    turn = TimeSlice()
    for item in items:
        do(item)
        await turn.yield_if_due()


class RateLimiter:
    """A bound on how often something happens: so many times a second, some at once after a rest."""

    def __init__(self, per_second: float, at_once: int) -> None:
        self._gap = 1 / per_second
        self._rest = at_once * self._gap
        self._due = -math.inf

    def delay(self) -> float:
        """Reserve the next event and return the seconds until then."""
        now = time.monotonic()
        self._due = max(self._due, now - self._rest) + self._gap
        return max(0.0, self._due - now)
