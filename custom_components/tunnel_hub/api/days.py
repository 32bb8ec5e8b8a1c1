"""The days of a service, which begin at midnight in its time zone."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

SHANGHAI = timezone(timedelta(hours=8))
"""UTC+8 without daylight saving time, the time zone of the Chinese services."""


def day_of(moment: datetime, zone: tzinfo) -> date:
    """Return the date of an aware time in a time zone."""
    return moment.astimezone(zone).date()


def today(zone: tzinfo) -> date:
    """Return the current date in a time zone."""
    return day_of(datetime.now(UTC), zone)


def start_of(day: date, zone: tzinfo) -> datetime:
    """Return the time in UTC at which a date begins in a time zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
