"""The traffic of the last seven days."""

from datetime import date, datetime, timedelta

from .. import coerce
from ..provider import DayTraffic
from ..rows import Row
from .rows import SHANGHAI


def account_days(rows: list[Row]) -> tuple[DayTraffic, ...]:
    """Read the account's days, whose dates lack the year."""
    today = datetime.now(SHANGHAI).date()
    recent = {f"{day:%m-%d}": day for day in (today - timedelta(days=ago) for ago in range(8))}
    return tuple(
        DayTraffic(
            day=recent[time].isoformat(),
            traffic_in=coerce.count(row.get("traffic_in")),
            traffic_out=coerce.count(row.get("traffic_out")),
        )
        for row in rows
        if (time := coerce.text(row.get("time"))) in recent
    )


def tunnel_days(row: Row) -> tuple[DayTraffic, ...]:
    """Read a tunnel's days out of two lists without dates, today at their end."""
    today: date = datetime.now(SHANGHAI).date()
    ins, outs = (value if isinstance(value, list) else [] for value in map(row.get, _LISTS))
    return tuple(
        DayTraffic(
            day=(today - timedelta(days=ago)).isoformat(),
            traffic_in=coerce.count(traffic_in),
            traffic_out=coerce.count(traffic_out),
        )
        for ago, traffic_in, traffic_out in zip(reversed(range(len(ins))), ins, outs, strict=False)
    )


_LISTS = ("traffic_in", "traffic_out")
