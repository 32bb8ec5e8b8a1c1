"""Caches an answer for feeds that are polled at the same time."""

import asyncio
from collections.abc import Awaitable, Callable

from .age import Stamp


class CachedRead[T]:
    """Caches the result of a read for a short time, until the next write."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._reading = asyncio.Lock()
        self._last: tuple[Stamp, T] | None = None
        self._writes = 0

    async def get(self, max_age: float) -> T:
        """Return a result that is less than `max_age` seconds old, or read it.

        A caller that accepts the cached result does not wait for a read that is running.
        """
        if self._last is not None and self._last[0].age < max_age:
            return self._last[1]
        async with self._reading:
            if self._last is not None and self._last[0].age < max_age:
                return self._last[1]
            writes, now = self._writes, Stamp.now()
            value = await self._read()
            # It was read before a write finished, so it must not be cached.
            self._last = (now, value) if writes == self._writes else None
            return value

    def forget(self) -> None:
        """Drop the cached value."""
        self._writes += 1
        self._last = None
