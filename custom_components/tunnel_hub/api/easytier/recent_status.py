"""Evaluates the reports of a node, and since when there are none.

`recent_status` has one digit for each report, the newest last, 4320 at most: 1 means that the node
is offline, 2 to 9 is its load. Nothing is added while a node does not report, so the digits have no
time: only `last_report_at`, which an account's own nodes have, is the time of the last one. A
report is due every ten minutes. The server marks a node as offline after ten minutes without one.
"""

from datetime import datetime, timedelta

from .. import coerce
from ..rows import Row

OVERDUE = "overdue_reports"
"""The field that `at_time` adds to a row: the number of missing reports."""

_INTERVAL = timedelta(minutes=10)
_OFFLINE = "1"
_ONLINE = "23456789"


def at_time(row: Row, now: datetime) -> Row:
    """Return a node's row with the values that depend on the time.

    These are the number of missing reports, and a traffic reset that has passed: it becomes
    unknown, because the server only updates it with the next report.
    """
    known = dict[str, object]()
    last_report = coerce.iso(row.get("last_report_at"))
    # The next report may arrive soon.
    if last_report is not None and (overdue := (now - last_report) // _INTERVAL - 1) > 0:
        known[OVERDUE] = overdue
    if (reset := coerce.iso(row.get("reset_date"))) is not None and reset <= now:
        known["reset_date"] = None
    return {**row, **known} if known else row


def is_silent(row: Row) -> bool:
    """Return whether reports are missing."""
    return _overdue(row) > 0


def availability(row: Row, reports: int) -> float | None:
    """Return the percentage of the last reports in which a node was online.

    Missing reports count as offline. None for a node that never reported, and for one that is
    offline since an unknown time.
    """
    last_report = coerce.iso(row.get("last_report_at"))
    if last_report is None and coerce.text(row.get("status")) != "online":
        return None
    digits = _digits(row.get("recent_status"))
    missed = min(_overdue(row), reports)
    last = digits[max(0, len(digits) - (reports - missed)) :]
    online = sum(map(last.count, _ONLINE))
    if not digits or not (known := missed + online + last.count(_OFFLINE)):
        return None
    return round(100 * online / known, 2)


def _digits(value: object) -> str:
    """Return the digits; "" for a value with other characters."""
    text = coerce.verbatim(value) or ""
    return text if text.isdecimal() else ""


def _overdue(row: Row) -> int:
    return coerce.count(row.get(OVERDUE)) or 0
