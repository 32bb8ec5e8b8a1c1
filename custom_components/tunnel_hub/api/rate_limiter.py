"""Limits how often something happens, such as requests to a service."""

import math
import time


class RateLimiter:
    """Limits how often something happens: a rate, and a number of events without delay."""

    def __init__(self, per_second: float, at_once: int) -> None:
        self._gap = 1 / per_second
        self._rest = at_once * self._gap
        self._due = -math.inf

    def delay(self) -> float:
        """Reserve the next event and return the seconds until then."""
        now = time.monotonic()
        self._due = max(self._due, now - self._rest) + self._gap
        return max(0.0, self._due - now)
