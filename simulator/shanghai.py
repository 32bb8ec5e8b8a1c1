"""The days of the Chinese services: a new one starts at Shanghai's midnight."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

DAY = 86400
AHEAD = timedelta(hours=8)
"""How far Shanghai is ahead of UTC, all year."""


def local(at: float) -> datetime:
    """Return the moment as Shanghai's clocks show it."""
    return datetime.fromtimestamp(at, timezone(AHEAD))


def midnight(at: float) -> float:
    """Return when the day of this moment began."""
    return at - (at + AHEAD.total_seconds()) % DAY


def spans(start: float, end: float) -> Iterator[tuple[float, bool]]:
    """Cut a time at the midnights: seconds of each part, and whether a midnight ends it."""
    while start < end:
        tomorrow = midnight(start) + DAY
        yield min(tomorrow, end) - start, end >= tomorrow
        start = tomorrow
