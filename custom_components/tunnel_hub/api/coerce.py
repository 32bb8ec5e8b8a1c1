"""From what services send to what we mean: the only place that knows raw types.

Services send the same field as string, number, bool or null, from one day to the next.
Every function takes any decoded JSON value and returns None for what it cannot read.
"""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from html.parser import HTMLParser
from typing import override

from yarl import URL

_LARGEST = 2**63
"""Nothing real is as large; counters that underflow are (2**64 - something)."""

_BRACKETS = str.maketrans({mark: f"%{ord(mark):X}" for mark in "()<>"})

_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def text(value: object) -> str | None:
    """Text without surrounding space; numbers as their digits; "" and null are unknown."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def web_address(value: object) -> str | None:
    """A URL for a browser, http or https, that Markdown takes for one URL."""
    try:
        url = URL(text(value) or "")
    except ValueError:
        return None
    if url.scheme not in ("http", "https") or not url.host:
        return None
    return str(url).translate(_BRACKETS)


def number(value: object) -> float | None:
    """A finite number below 2**63 in size, from a number or its digits, with or without %."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        result = float(value.strip().removesuffix("%") if isinstance(value, str) else value)
    except ValueError, OverflowError:
        return None
    # Neither infinity nor "not a number" is smaller than anything.
    return result if abs(result) < _LARGEST else None


def integer(value: object) -> int | None:
    """A whole number below 2**63 in size."""
    if type(value) is int and -_LARGEST < value < _LARGEST:
        return value
    if isinstance(value, str) and (digits := value.strip()).removeprefix("-").isdecimal():
        # Longer than any real count, and int() is slow on very long ones.
        return integer(int(digits)) if len(digits) < 20 else None
    result = number(value)
    return None if result is None else round(result)


def count(value: object) -> int | None:
    """A whole number that is not negative: -1 means unknown to many services."""
    result = integer(value)
    return None if result is None or result < 0 else result


def amount(value: object) -> float | None:
    """A number that is not negative."""
    result = number(value)
    return None if result is None or result < 0 else result


def boolean(value: object) -> bool | None:
    """True or false, from a bool, 0, 1 or a word for it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int):
        return _WORDS.get(str(value).strip().lower())
    return None


def epoch(value: object) -> datetime | None:
    """An aware moment out of seconds since 1970; 0 means never."""
    seconds = number(value)
    if seconds is None or seconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except OverflowError, OSError, ValueError:
        return None


def iso(value: object, zone: tzinfo = UTC) -> datetime | None:
    """An aware moment out of ISO 8601; zone: where its clock stands if it does not say."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        # Only what can be shown in every time zone counts as a moment.
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError, ValueError:
        return None


def day(value: object) -> date | None:
    """A date out of "YYYY-MM-DD"; the years from 9999 on mean never."""
    if not isinstance(value, str):
        return None
    try:
        result = date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None
    return result if result.year < date.max.year else None


def scaled(value: object, factor: float) -> int | None:
    """A not negative amount in another unit, as a whole number: bytes out of MB or GB."""
    result = amount(value)
    return None if result is None else round(result * factor)


MEGABYTE = 1024**2
GIGABYTE = 1024**3


def megabytes(value: object) -> int | None:
    """Bytes out of megabytes."""
    return scaled(value, MEGABYTE)


def gigabytes(value: object) -> int | None:
    """Bytes out of gigabytes."""
    return scaled(value, GIGABYTE)


def percentage(value: object) -> float | None:
    """Percent from 0 to 100, out of "95.65%" or a number."""
    result = amount(value)
    return result if result is not None and result <= 100 else None


def same_day(moment: datetime | None, now: datetime, offset: timedelta) -> bool | None:
    """Whether a moment lies on today's date at a service that lives at a UTC offset."""
    if moment is None:
        return None
    midnight = now.astimezone(timezone(offset)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight <= moment < midnight + timedelta(days=1)


class _Words(HTMLParser):
    """Collects the text between tags, one line per block, without scripts and styles."""

    _SILENT = frozenset({"script", "style", "head", "template"})
    _BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        if tag in self._BREAKS:
            self.parts.append("\n")

    @override
    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in self._SILENT))
        if tag in self._BREAKS:
            self.parts.append("\n")

    @override
    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain_text(html: str) -> str:
    """The words of an HTML fragment, one line per block, no tags, scripts or blank lines."""
    words = _Words()
    words.feed(html)
    words.close()
    lines = (" ".join(line.split()) for line in "".join(words.parts).splitlines())
    return "\n".join(line for line in lines if line)
