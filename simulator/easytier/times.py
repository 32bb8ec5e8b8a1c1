"""The time formats of the node manager, all in UTC, and the traffic reset day."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta


def iso(at: float) -> str:
    """Format a time as JavaScript does: 2026-05-08T09:00:00.000Z."""
    return _utc(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sql(at: float) -> str:
    """Format a time as SQLite does: 2026-05-08 09:00:00."""
    return f"{_utc(at):%Y-%m-%d %H:%M:%S}"


def day(at: float) -> str:
    """Format the date of a time: 2026-05-08."""
    return f"{_utc(at):%Y-%m-%d}"


def seconds(written: str) -> float:
    """Parse a time in any of the formats; raises ValueError."""
    read = datetime.fromisoformat(written)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def first_reset(at: float, cycle: int) -> str:
    """Return the next midnight that begins the reset day of a month; day 0 is the last.

    In a month without this day, it is the last day.
    """
    reset = _reset_in(_month_of(at), cycle).timestamp()
    return iso(reset) if at <= reset else next_reset(at, cycle)


def next_reset(at: float, cycle: int) -> str:
    """Return the reset day of next month, which the server stores after a reset day."""
    following = (_month_of(at) + timedelta(days=31)).replace(day=1)
    return iso(_reset_in(following, cycle).timestamp())


def _month_of(at: float) -> datetime:
    return _utc(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _reset_in(month: datetime, cycle: int) -> datetime:
    _, last = monthrange(month.year, month.month)
    return month.replace(day=min(cycle or last, last))


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
