"""The days of a service, which begin at midnight where the service is."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

SHANGHAI = timezone(timedelta(hours=8))
"""UTC+8 without daylight saving time, by which the Chinese services count their days."""


def day_of(moment: datetime, zone: tzinfo) -> date:
    """Return the date of an aware moment in a time zone."""
    return moment.astimezone(zone).date()


def today(zone: tzinfo) -> date:
    """Return the date that a time zone has now."""
    return day_of(datetime.now(UTC), zone)


def start_of(day: date, zone: tzinfo) -> datetime:
    """Return the moment in UTC at which a date begins in a time zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
