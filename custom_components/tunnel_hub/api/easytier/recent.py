"""What `recent_status` tells: a digit for each ten minutes of the last 30 days, the newest last.

1 is offline, 2 to 9 are how loaded the node was; a node that never reported has none.
"""

from .. import coerce
from ..rows import Row

_OFFLINE = "1"
_LOADS = "23456789"
_DAY = 24 * 6
"""Digits a day."""


def load(row: Row) -> float | None:
    """Return how loaded the node was in the last ten minutes, in percent; 0 is the least digit."""
    place = _LOADS.find(_digits(row)[-1:] or _OFFLINE)
    return None if place < 0 else round(100 * place / (len(_LOADS) - 1), 1)


def availability(row: Row, days: int) -> float | None:
    """Return for how much of the last days the node was online, in percent.

    Of a node that is younger, for how much of its life.
    """
    digits = _digits(row)[-days * _DAY :]
    known = sum(map(digits.count, _OFFLINE + _LOADS))
    return round(100 - 100 * digits.count(_OFFLINE) / known, 2) if known else None


def _digits(row: Row) -> str:
    return (coerce.verbatim(row.get("recent_status")) or "")[-30 * _DAY :]
