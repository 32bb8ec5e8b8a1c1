"""How long ago something was."""

from dataclasses import dataclass
import time
from typing import Self


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment by both of a machine's clocks, in seconds.

    The wall clock can be set, and the monotonic clock may stand still while the machine sleeps.
    """

    wall: float
    monotonic: float

    @classmethod
    def now(cls) -> Self:
        """Return a stamp of the current time."""
        return cls(time.time(), time.monotonic())

    @property
    def age(self) -> float:
        """Seconds since then by the clock that says more: what is old must not pass for new."""
        return max(time.time() - self.wall, time.monotonic() - self.monotonic)

    @property
    def uncounted(self) -> float:
        """Seconds since then that no timer has counted: of sleep, or of a clock set forward."""
        return (time.time() - self.wall) - (time.monotonic() - self.monotonic)
