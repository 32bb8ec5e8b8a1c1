"""Converts the raw values of services: the only place that knows their types.

Services send the same field as string, number, bool or null. Every function accepts any decoded
JSON value and returns None for one that it cannot convert. All results can be stored and published:
integers have 64 bits, other numbers are finite, texts have a maximum length and no control
characters.
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
"""Characters of a text for display. A state can have 255, all attributes of an entity 16 KiB."""
MAX_ID = 255
"""Characters of an id, which becomes part of unique ids."""
MAX_TOKEN = 8000
"""Characters of a token. Servers refuse longer headers."""
MAX_DOCUMENT = 1_000_000
"""Characters of a configuration file or certificate, which must not be cut."""
MAX_ITEMS = 100
"""Items of a list that is one value, such as the addresses of a peer."""
_MAX_LINES = 10_000
"""Characters of a notice or a message."""
_MAX_HTML = 16_000
"""Characters of HTML that are parsed, which takes 20 ms at most."""
MAX_NUMBER = 2**63
"""No real value is larger. Counters that underflow are (2**64 - something)."""
_MAX_DIGITS = 64
"""Characters of a number, including spaces around it."""
_MAX_URL = 2000
_MAX_NESTING = 8
_MAX_SIZE = 30_000
"""Characters of an answer that is passed on as it came. To search each for secrets takes 1 µs."""
_LEAST_SIZE = 15
"""As how many characters even an empty value counts."""

_YEARS = range(1970, date.max.year)
"""Services use the years 1 and 1970 for zero and 9999 for never. All others exist in every time
zone.
"""

_BRACKETS = str.maketrans({mark: f"%{ord(mark):X}" for mark in "()<>"})
_URL = re.compile(
    r"https?://(?:\[[0-9a-f:.]+(?:%25\w+)?\]|[^\s\\/@?#%:\[\]]+)(?::\d{1,5})?(?:[/?#].*)?",
    re.IGNORECASE,
)
"""Without a username and password. Browsers treat a backslash as a slash."""

_LINE_ENDS = dict.fromkeys(map(ord, "\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), "\n")
_UNPRINTABLE: dict[int, str | None] = (
    dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
    | {ord("\t"): " "}
    # Bidirectional control characters, which can make a name look like another one.
    | dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
    # Surrogates, which cannot be encoded.
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
    """Text of any length without surrounding spaces, for values that are sent back or hidden.

    A number becomes its digits; "" and null are unknown.
    """
    if isinstance(value, str):
        return value.strip() or None
    return None if number(value) is None else str(value)


def secret(value: object) -> str | None:
    """A secret with all of its characters, including spaces; "" and null are unknown."""
    return value or None if isinstance(value, str) else verbatim(value)


def text(value: object) -> str | None:
    """One line of text for display, of at most MAX_TEXT characters; see verbatim for other text."""
    words = verbatim(value)
    if words is None or (len(words) <= MAX_TEXT and words.isprintable()):
        return words
    return _cut(words, MAX_TEXT).translate(_IN_A_LINE).strip() or None


def lines(value: object) -> str | None:
    """Text of several lines for display, of at most 10,000 characters."""
    words = verbatim(value)
    if words is None or (len(words) <= _MAX_LINES and words.isprintable()):
        return words
    return _cut(words, _MAX_LINES).translate(_IN_LINES).strip() or None


def _cut(words: str, longest: int) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def identifier(value: object) -> str | None:
    """An id of at most MAX_ID characters; unknown if it cannot be shown unchanged.

    A cut id, or one without some characters, could be the id of something else.
    """
    words = text(value)
    return words if words == verbatim(value) and len(words or "") <= MAX_ID else None


def token(value: object) -> str | None:
    """A token for a header; unknown if it is not valid there."""
    words = verbatim(value)
    return words if words and words.isprintable() and len(words) <= MAX_TOKEN else None


def document(value: object) -> str | None:
    """A complete text file, unchanged; unknown if it is too long or not a text."""
    if not isinstance(value, str) or len(value) > MAX_DOCUMENT or _NO_TEXT.search(value):
        return None
    return value


def human_text(words: str | None) -> str | None:
    """Text that was written for people: neither JSON nor only punctuation."""
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
    """An object that is returned unchanged, but limited in size and depth.

    hide: removes secrets from a text.
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
    """An http or https URL for a browser that Markdown accepts as one URL.

    It has no username, which could make another host look like the intended one.
    """
    words = verbatim(value)
    if words is None or len(words) > _MAX_URL or not words.isprintable():
        return None
    try:
        # It refuses hosts that change when they are converted to ASCII.
        return str(URL(words)).translate(_BRACKETS) if _URL.fullmatch(words) else None
    except ValueError:
        return None


def host_port(host: str | None, port: int | None) -> str | None:
    """An address host:port, with an IPv6 host as [host]:port; without a port only the host."""
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
    """A finite number below 2**63, from a number or its digits, with or without %."""
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
    # Comparisons with infinity and NaN are false.
    return result if abs(result) < MAX_NUMBER else None


def integer(value: object) -> int | None:
    """A whole number below 2**63."""
    if type(value) is int and -MAX_NUMBER < value < MAX_NUMBER:
        return value
    if isinstance(value, str) and len(value) <= _MAX_DIGITS:
        digits = value.strip()
        if (unsigned := digits.removeprefix("-")).isdecimal():
            return integer(int(digits)) if len(unsigned) < 20 else None
    result = number(value)
    return None if result is None else round(result)


_SCALARS: Mapping[type, Callable[[object], object]] = {
    bool: lambda value: value,
    float: number,
    int: integer,
    str: lambda value: lines(value) or "",
}


def count(value: object) -> int | None:
    """A whole number that is not negative. Many services use -1 for an unknown number."""
    result = integer(value)
    return None if result is None or result < 0 else result


def amount(value: object) -> float | None:
    """A number that is not negative."""
    result = number(value)
    return None if result is None or result < 0 else result


def boolean(value: object) -> bool | None:
    """A bool, from a bool, 0, 1 or a word."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return bool(value) if value in (0, 1) else None
    if isinstance(value, str) and len(value) <= MAX_ID:
        return _WORDS.get(value.strip().lower())
    return None


def epoch(value: object) -> datetime | None:
    """An aware time from seconds since 1970; 0 and the years from 9999 mean never."""
    seconds = number(value)
    if seconds is None or seconds <= 0:
        return None
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except OverflowError, OSError, ValueError:
        return None
    return moment if moment.year in _YEARS else None


_LARGEST_SECONDS = 10**11
"""The year 5000. A larger number is in milliseconds."""


def moment(value: object, zone: tzinfo = UTC) -> datetime | None:
    """An aware time from seconds or milliseconds since 1970, or ISO 8601.

    zone: the time zone of a text without one.
    """
    if (ticks := number(value)) is None:
        return iso(value, zone)
    return epoch(ticks if ticks < _LARGEST_SECONDS else ticks / 1000)


def iso(value: object, zone: tzinfo = UTC) -> datetime | None:
    """An aware time from ISO 8601.

    Years before 1970 and from 9999 mean never.

    zone: the time zone of a text without one.
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
    """A date from "YYYY-MM-DD"; years before 1970 and from 9999 mean never."""
    if not isinstance(value, str):
        return None
    try:
        result = date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None
    return result if result.year in _YEARS else None


def scaled(value: object, factor: float) -> int | None:
    """A non-negative amount in another unit, as a whole number: bytes from MB or GB."""
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
    """A percentage from "95.65%" or a number; can be more than 100."""
    return amount(value)


def percentage_of(part: float | None, whole: float | None) -> float | None:
    """The percentage of a part; unknown if the whole is 0."""
    return percentage(100 * part / whole) if part is not None and whole else None


class _Words(HTMLParser):
    """Collects the text of HTML, one line per block, without scripts and styles."""

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
    """The text of an HTML fragment, one line per block, without blank lines.

    At most 10,000 characters from the first 16,000 of the HTML.
    """
    words = _Words()
    words.feed(html[:_MAX_HTML])
    words.close()
    known = (" ".join(line.split()) for line in "".join(words.parts).splitlines())
    return lines("\n".join(line for line in known if line)) or ""
