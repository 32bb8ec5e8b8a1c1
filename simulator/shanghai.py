"""The days of the Chinese services: a new one starts at Shanghai's midnight."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

DAY = 86400
ZONE = timezone(timedelta(hours=8), "CST")


def local(at: float) -> datetime:
    """Return the moment as Shanghai's clocks show it."""
    return datetime.fromtimestamp(at, ZONE)


def midnight(at: float) -> float:
    """Return when the day of this moment began."""
    return at - (at + 8 * 3600) % DAY


def spans(start: float, end: float) -> Iterator[tuple[float, bool]]:
    """Cut a time at the midnights: seconds of each part, and whether a midnight ends it."""
    while start < end:
        tomorrow = midnight(start) + DAY
        yield min(tomorrow, end) - start, end >= tomorrow
        start = tomorrow
