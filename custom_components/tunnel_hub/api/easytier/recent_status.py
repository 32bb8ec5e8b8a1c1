"""What a node's reports tell, and since when it has been silent.

`recent_status` has one digit for each report, the newest last, 4320 at most: 1 is a report that the
node is offline, 2 to 9 are how loaded it was. Nothing is added while a node is silent, so the
digits have no clock: only `last_report_at`, which an account's own nodes have, tells when the last
of them came. A report is due every ten minutes; the server itself takes a node for offline that
has not reported for so long.
"""

from datetime import datetime, timedelta

from .. import coerce
from ..rows import Row

OVERDUE = "overdue_reports"
"""What `at_time` adds to a row: how many reports have not come since the last one."""

_INTERVAL = timedelta(minutes=10)
_OFFLINE = "1"
_ONLINE = "23456789"


def at_time(row: Row, now: datetime) -> Row:
    """Return a node's row with what follows from the time.

    That is how many reports are overdue, if any, and that a reset which should have come is
    unknown: the server moves it on with the next report only.
    """
    known = dict[str, object]()
    last_report = coerce.iso(row.get("last_report_at"))
    # The next one may be on its way.
    if last_report is not None and (overdue := (now - last_report) // _INTERVAL - 1) > 0:
        known[OVERDUE] = overdue
    if (reset := coerce.iso(row.get("reset_date"))) is not None and reset <= now:
        known["reset_date"] = None
    return {**row, **known} if known else row


def is_silent(row: Row) -> bool:
    """Return whether reports are overdue."""
    return _overdue(row) > 0


def availability(row: Row, reports: int) -> float | None:
    """Return with how many of its last reports a node was online, in percent.

    Those that are overdue count, and the node was not online then. None for a node that never
    reported, and for one that is offline of which nobody knows since when.
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
    """Return the digits; "" for anything that does not consist of them."""
    text = coerce.verbatim(value) or ""
    return text if text.isdecimal() else ""


def _overdue(row: Row) -> int:
    return coerce.count(row.get(OVERDUE)) or 0
