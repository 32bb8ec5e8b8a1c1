"""The days of the Chinese services, which begin at midnight in Shanghai."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

DAY = 86400
AHEAD = timedelta(hours=8)
"""Shanghai's offset from UTC, all year."""


def local(at: float) -> datetime:
    """Return a time in Shanghai."""
    return datetime.fromtimestamp(at, timezone(AHEAD))


def midnight(at: float) -> float:
    """Return the beginning of the day."""
    return at - (at + AHEAD.total_seconds()) % DAY


def spans(start: float, end: float) -> Iterator[tuple[float, bool]]:
    """Split a time span at midnights: the seconds of each part, and whether midnight ends it."""
    while start < end:
        tomorrow = midnight(start) + DAY
        yield min(tomorrow, end) - start, end >= tomorrow
        start = tomorrow
