"""Converts the traffic of the last seven days."""

from datetime import timedelta
from itertools import zip_longest

from .. import coerce, days
from ..days import SHANGHAI
from ..models.account import DayTraffic
from ..rows import Row

_MOST_DAYS = 366


def account_days(rows: list[Row]) -> tuple[DayTraffic, ...]:
    """Return the account's days in order; the answer's dates have no year."""
    today = days.today(SHANGHAI)
    recent = {f"{day:%m-%d}": day for day in (today - timedelta(days=ago) for ago in range(8))}
    found = (
        DayTraffic(
            day=recent[time].isoformat(),
            traffic_in=coerce.count(row.get("traffic_in")),
            traffic_out=coerce.count(row.get("traffic_out")),
        )
        for row in rows
        if (time := coerce.text(row.get("time"))) in recent
    )
    return tuple(sorted(found, key=lambda day: day.day))


def tunnel_days(row: Row) -> tuple[DayTraffic, ...]:
    """Return a tunnel's days from two lists without dates that end with today."""
    today = days.today(SHANGHAI)
    newest_first = (
        reversed(value[-_MOST_DAYS:]) if isinstance(value, list) else ()
        for value in (row.get("traffic_in"), row.get("traffic_out"))
    )
    found = [
        DayTraffic(
            day=(today - timedelta(days=ago)).isoformat(),
            traffic_in=coerce.count(traffic_in),
            traffic_out=coerce.count(traffic_out),
        )
        for ago, (traffic_in, traffic_out) in enumerate(zip_longest(*newest_first))
    ]
    return tuple(reversed(found))
