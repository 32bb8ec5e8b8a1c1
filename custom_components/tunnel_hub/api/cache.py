"""A reading that several feeds share when they are polled in the same moment."""

import asyncio
from collections.abc import Awaitable, Callable

from .age import Stamp


class CachedRead[T]:
    """What was read a moment ago counts as read now, until something is written."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._reading = asyncio.Lock()
        self._last: tuple[Stamp, T] | None = None
        self._writes = 0

    async def get(self, max_age: float) -> T:
        """Return what was read less than so many seconds ago, or read it.

        Whom that is new enough for need not wait for a newer one that is being read.
        """
        if self._last is not None and self._last[0].age < max_age:
            return self._last[1]
        async with self._reading:
            if self._last is not None and self._last[0].age < max_age:
                return self._last[1]
            writes, now = self._writes, Stamp.now()
            value = await self._read()
            # Read before a write was done, it tells nothing of it.
            self._last = (now, value) if writes == self._writes else None
            return value

    def forget(self) -> None:
        """Drop the cached value."""
        self._writes += 1
        self._last = None
