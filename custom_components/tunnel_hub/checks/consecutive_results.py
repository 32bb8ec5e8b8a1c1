"""Counts checks in a row with the same result: an address is down or up only after several."""

from dataclasses import dataclass

FAILURES_FOR_DOWN = 2
SUCCESSES_FOR_UP = 2


@dataclass(slots=True)
class ConsecutiveResults:
    """Changes the state of an address after several checks in a row with the same result.

    is_up: the state; None before the first checks, and while checks are inconclusive.
    """

    is_up: bool | None = None
    _last_state: bool | None = None
    _successes: int = 0
    _failures: int = 0

    def add(self, *, reached: bool | None) -> bool | None:
        """Add a result and return the state."""
        if reached is None:
            self._successes = self._failures = 0
            self.is_up = None
            return None
        self._successes = self._successes + 1 if reached else 0
        self._failures = 0 if reached else self._failures + 1
        # An address that was never down needs no second success.
        if reached and (self._last_state is not False or self._successes >= SUCCESSES_FOR_UP):
            self._last_state = True
        elif not reached and self._failures >= FAILURES_FOR_DOWN:
            self._last_state = False
        self.is_up = self._last_state
        return self.is_up
