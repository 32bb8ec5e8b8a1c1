"""Measures how long ago something happened."""

from dataclasses import dataclass
import time
from typing import Self


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time by both of a machine's clocks, in seconds.

    The wall clock can be set, and the monotonic clock may stop while the machine sleeps.
    """

    wall: float
    monotonic: float

    @classmethod
    def now(cls) -> Self:
        """Return a stamp of the current time."""
        return cls(time.time(), time.monotonic())

    @property
    def age(self) -> float:
        """Seconds since then, by the clock that shows more time."""
        return max(time.time() - self.wall, time.monotonic() - self.monotonic)

    @property
    def uncounted(self) -> float:
        """Seconds since then that timers did not count: sleep, or a clock that was set forward."""
        return (time.time() - self.wall) - (time.monotonic() - self.monotonic)
