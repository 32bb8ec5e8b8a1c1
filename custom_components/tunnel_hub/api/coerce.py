"""From what services send to what we mean: the only place that knows raw types.

Services send the same field as string, number, bool or null, from one day to the next.
Every function takes any decoded JSON value and returns None for what it cannot read. What it
returns can be stored and published: whole numbers have 64 bits, others are finite, texts have a
largest length and no control characters.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from html.parser import HTMLParser
from ipaddress import IPv6Address
import re
from typing import override

import orjson
from yarl import URL

MAX_TEXT = 1000
"""Characters of a text to show. A state takes 255, all attributes of an entity 16 KiB."""
MAX_ID = 255
"""Characters of an id, from which unique ids are made."""
MAX_TOKEN = 8000
"""Characters of a token; servers refuse headers that are longer."""
MAX_DOCUMENT = 1_000_000
"""Characters of a configuration file or a certificate, which is of no use in part."""
MAX_ITEMS = 100
"""Items of a list that is one value, such as the addresses of a peer."""
_MAX_LINES = 10_000
"""Characters of a notice or a message."""
_MAX_HTML = 16_000
"""Characters of HTML that are read; parsing them takes some 20 ms at most."""
MAX_NUMBER = 2**63
"""Nothing real is as large; counters that underflow are (2**64 - something)."""
_MAX_DIGITS = 64
"""Characters of a number, spaces around it included."""
_MAX_URL = 2000
_MAX_NESTING = 8
_MAX_SIZE = 30_000
"""Characters of an answer that is passed on as it came. To search each for secrets takes 1 µs."""
_LEAST_SIZE = 15
"""As how many characters even an empty value counts."""

_YEARS = range(1970, date.max.year)
"""A service's zero is year 1 or 1970, its "never" 9999; all others exist in every time zone."""

_BRACKETS = str.maketrans({mark: f"%{ord(mark):X}" for mark in "()<>"})
_URL = re.compile(
    r"https?://(?:\[[0-9a-f:.]+(?:%25\w+)?\]|[^\s\\/@?#%:\[\]]+)(?::\d{1,5})?(?:[/?#].*)?",
    re.IGNORECASE,
)
"""Without a name and password before the host; browsers take a backslash for a slash."""

_LINE_ENDS = dict.fromkeys(map(ord, "\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), "\n")
_UNPRINTABLE: dict[int, str | None] = (
    dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
    | {ord("\t"): " "}
    # They turn the direction of what follows, so that a name reads as another.
    | dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
    # Halves of characters, which no encoding has.
    | dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
)
_IN_A_LINE = _UNPRINTABLE | dict.fromkeys(_LINE_ENDS, " ")
_IN_LINES = _UNPRINTABLE | _LINE_ENDS
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

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


def verbatim(value: object) -> str | None:
    """Text as it came, however long, without surrounding space: what is sent back or hidden.

    Numbers as their digits; "" and null are unknown.
    """
    if isinstance(value, str):
        return value.strip() or None
    return None if number(value) is None else str(value)


def secret(value: object) -> str | None:
    """A secret to the last character, which may be a space; "" and null are unknown."""
    return value or None if isinstance(value, str) else verbatim(value)


def text(value: object) -> str | None:
    """One line of text to show, of at most MAX_TEXT characters; see verbatim for the rest."""
    words = verbatim(value)
    if words is None or (len(words) <= MAX_TEXT and words.isprintable()):
        return words
    return _cut(words, MAX_TEXT).translate(_IN_A_LINE).strip() or None


def lines(value: object) -> str | None:
    """Text of several lines to show, of at most 10,000 characters."""
    words = verbatim(value)
    if words is None or (len(words) <= _MAX_LINES and words.isprintable()):
        return words
    return _cut(words, _MAX_LINES).translate(_IN_LINES).strip() or None


def _cut(words: str, longest: int) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def identifier(value: object) -> str | None:
    """The id of a thing, of at most MAX_ID characters; unknown if it cannot be shown as it is.

    Cut, or without a character, it would be another thing's.
    """
    words = text(value)
    return words if words == verbatim(value) and len(words or "") <= MAX_ID else None


def token(value: object) -> str | None:
    """What signs in, which goes into a header; unknown if it cannot."""
    words = verbatim(value)
    return words if words and words.isprintable() and len(words) <= MAX_TOKEN else None


def document(value: object) -> str | None:
    """A whole text file, as it came; unknown if it is too long or no text."""
    if not isinstance(value, str) or len(value) > MAX_DOCUMENT or _NO_TEXT.search(value):
        return None
    return value


def told(words: str | None) -> str | None:
    """Words that a person has written: no JSON that came in their place, and not marks alone."""
    if not words or words.startswith("{") or not any(map(str.isalnum, words)):
        return None
    try:
        known = orjson.loads(words)
    except orjson.JSONDecodeError:
        return words
    return None if isinstance(known, str) or number(known) is None else words


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list, of at most MAX_ITEMS."""
    items = value[:MAX_ITEMS] if isinstance(value, list) else []
    return tuple(known for item in items if (known := text(item)))


def data(value: object, hide: Callable[[str], str]) -> dict[str, object]:
    """An object that is passed on as it came, cut to a size and depth that anyone can show.

    hide: takes secrets out of a text.
    """
    room = _MAX_SIZE

    def _hidden(words: str) -> str:
        nonlocal room
        room -= len(words)
        return hide(words)

    def _copy(value: object, depth: int) -> object:
        nonlocal room
        room -= _LEAST_SIZE
        if isinstance(value, dict | list) and depth < _MAX_NESTING:
            if isinstance(value, list):
                return [_copy(item, depth + 1) for item in value if room > 0]
            return {
                _hidden(known): _copy(inner, depth + 1)
                for name, inner in value.items()
                if room > 0 and (known := text(name))
            }
        shown = read(value) if (read := _SCALARS.get(type(value))) else None
        return _hidden(shown) if isinstance(shown, str) else shown

    copy = _copy(value, 0)
    return copy if isinstance(copy, dict) else {}


def web_address(value: object) -> str | None:
    """A URL for a browser, http or https, that Markdown takes for one URL.

    Without a username, behind which another host would look like the one that is meant.
    """
    words = verbatim(value)
    if words is None or len(words) > _MAX_URL or not words.isprintable():
        return None
    try:
        # It refuses hosts that become others when they are written in ASCII.
        return str(URL(words)).translate(_BRACKETS) if _URL.fullmatch(words) else None
    except ValueError:
        return None


def host_port(host: str | None, port: int | None) -> str | None:
    """An address host:port, of an IPv6 host [host]:port; without a port the host alone."""
    if not host or not port:
        return host
    return f"[{host}]:{port}" if _is_ipv6(host) else f"{host}:{port}"


def _is_ipv6(host: str) -> bool:
    if ":" not in host:
        return False
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True


def number(value: object) -> float | None:
    """A finite number below 2**63 in size, from a number or its digits, with or without %."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str):
        if len(value) > _MAX_DIGITS:
            return None
        value = value.strip().removesuffix("%")
    try:
        result = float(value)
    except ValueError, OverflowError:
        return None
    # Neither infinity nor "not a number" is smaller than anything.
    return result if abs(result) < MAX_NUMBER else None


def integer(value: object) -> int | None:
    """A whole number below 2**63 in size."""
    if type(value) is int and -MAX_NUMBER < value < MAX_NUMBER:
        return value
    if isinstance(value, str) and len(value) <= _MAX_DIGITS:
        digits = value.strip()
        if digits.removeprefix("-").isdecimal():
            return integer(int(digits)) if len(digits) < 20 else None
    result = number(value)
    return None if result is None else round(result)


_SCALARS: Mapping[type, Callable[[object], object]] = {
    bool: lambda value: value,
    float: number,
    int: integer,
    str: lambda value: lines(value) or "",
}


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
    if isinstance(value, int):
        return bool(value) if value in (0, 1) else None
    if isinstance(value, str) and len(value) <= MAX_ID:
        return _WORDS.get(value.strip().lower())
    return None


def epoch(value: object) -> datetime | None:
    """An aware moment out of seconds since 1970; 0 means never, as do the years from 9999 on."""
    seconds = number(value)
    if seconds is None or seconds <= 0:
        return None
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except OverflowError, OSError, ValueError:
        return None
    return moment if moment.year in _YEARS else None


_LARGEST_SECONDS = 10**11
"""A number of seconds above this lies beyond the year 5000: it is one of milliseconds."""


def moment(value: object, zone: tzinfo = UTC) -> datetime | None:
    """An aware moment out of seconds or milliseconds since 1970, or ISO 8601.

    zone: where the clock of a text without one stands.
    """
    if (ticks := number(value)) is None:
        return iso(value, zone)
    return epoch(ticks if ticks < _LARGEST_SECONDS else ticks / 1000)


def iso(value: object, zone: tzinfo = UTC) -> datetime | None:
    """An aware moment out of ISO 8601; zone: where its clock stands if it does not say.

    Years before 1970 and from 9999 on mean never.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError, ValueError:
        return None
    return moment if moment.year in _YEARS else None


def day(value: object) -> date | None:
    """A date out of "YYYY-MM-DD"; years before 1970 and from 9999 on mean never."""
    if not isinstance(value, str):
        return None
    try:
        result = date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None
    return result if result.year in _YEARS else None


def scaled(value: object, factor: float) -> int | None:
    """A not negative amount in another unit, as a whole number: bytes out of MB or GB."""
    result = amount(value)
    return None if result is None else integer(result * factor)


MEGABYTE = 1024**2
GIGABYTE = 1024**3


def megabytes(value: object) -> int | None:
    """Convert MiB to bytes."""
    return scaled(value, MEGABYTE)


def gigabytes(value: object) -> int | None:
    """Convert GiB to bytes."""
    return scaled(value, GIGABYTE)


def percentage(value: object) -> float | None:
    """Percent, out of "95.65%" or a number; more than 100 where a service counts like that."""
    return amount(value)


def percentage_of(part: float | None, whole: float | None) -> float | None:
    """Percent that a part is of a whole; unknown where the whole is 0."""
    return percentage(100 * part / whole) if part is not None and whole else None


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
    """The words of an HTML fragment, one line per block, no tags, scripts or blank lines.

    At most 10,000 characters, out of the first 16,000 of the HTML.
    """
    words = _Words()
    words.feed(html[:_MAX_HTML])
    words.close()
    known = (" ".join(line.split()) for line in "".join(words.parts).splitlines())
    return lines("\n".join(line for line in known if line)) or ""
