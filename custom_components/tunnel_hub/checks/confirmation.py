"""Confirms changes: a state changes only after several checks in a row."""

from dataclasses import dataclass

FAILURES_FOR_DOWN = 2
SUCCESSES_FOR_UP = 2


@dataclass(slots=True)
class Confirmation:
    """Confirms a change after several checks in a row with the same result.

    is_up: the confirmed state; None before the first checks, and while checks are inconclusive.
    """

    failures_for_down: int = FAILURES_FOR_DOWN
    successes_for_up: int = SUCCESSES_FOR_UP
    is_up: bool | None = None
    _last_confirmed: bool | None = None
    _successes: int = 0
    _failures: int = 0

    def add(self, *, reached: bool | None) -> bool | None:
        """Add a result and return the confirmed state."""
        if reached is None:
            self._successes = self._failures = 0
            self.is_up = None
            return None
        self._successes = self._successes + 1 if reached else 0
        self._failures = 0 if reached else self._failures + 1
        # An address that was never down needs no second success.
        if reached and (
            self._last_confirmed is not False or self._successes >= self.successes_for_up
        ):
            self._last_confirmed = True
        elif not reached and self._failures >= self.failures_for_down:
            self._last_confirmed = False
        self.is_up = self._last_confirmed
        return self.is_up
