"""Removes secrets from a service's messages, in any form in which the service repeats them.

Secrets are searched in the text and in its decodings: percent encoding, HTML entities, JSON
escapes, base64, hexadecimal digits; and as digests that services store instead of a password. The
time is proportional to the length of the text.
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import md5, sha1, sha256
import html
import re
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

from .time_slices import TimeSlice

_NAMES = frozenset(
    {
        *("access_token", "api_key", "apitoken", "client_secret", "csrf", "current_password"),
        *("device_code", "email", "groupKey", "httpPassword", "jwt_secret", "mail"),
        *("network_secret", "network_token", "secretKey"),
        *("new_password", "newpass", "node_token", "nodetoken", "original_password", "passwd"),
        *("password", "private_key", "proxy_passwords", "psk", "refresh_token", "report_token"),
        *("sk", "token", "user_email", "usertoken", "verification_token"),
    }
)
"""Names of fields with secrets, sent or received."""
_SENT_NAMES = _NAMES | {"code", "key", "regcode"}
"""The same in requests. Services use the additional names for other values, too."""

_SHORTEST = 3
_SHORTEST_SEEN = 4
"""Characters of the shortest secret that is learned. A shorter one would hide ordinary words."""
_LONGEST = 4096
_MOST_GIVEN = 200
_MOST_SEEN = 2000
"""The number of learned secrets. Tokens are replaced every few minutes."""

_NESTED = (dict, list)
"""A tuple takes isinstance() a third of the time of a union."""
_HIDDEN = "**"
_SPACES = str.maketrans("\t\n\r", "   ")
_ESCAPES = re.compile(
    r"(?P<percent>(?:%[0-9a-f]{2})+)"
    r"|(?P<entity>&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});?)"
    r"|\\u(?P<utf16>[0-9a-f]{4}(?:\\u[0-9a-f]{4})*)"
    r"|\\x(?P<byte>[0-9a-f]{2})"
    r"|\\(?P<mark>.)",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE_SIGNS = frozenset("%&+\\")
_UNFINISHED = re.compile(
    r"(?:%[0-9a-f]?|&#?[0-9a-z]{0,7}|\\+(?:u[0-9a-f]{0,3}|x[0-9a-f]?)?)\Z", re.IGNORECASE
)
"""An escape sequence that was cut at the end of the text."""
_MARKS = {"n": "\n", "r": "\r", "t": "\t"}
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX = re.compile(r"[0-9a-fA-F]{6,}")
_DIGEST = re.compile(r"[0-9a-fA-F]{32}")
"""At least as long as the shortest of the digests below."""
_DIGESTS = (md5, sha1, sha256)
_DIGEST_LENGTHS = (64, 40, 32)
_BEGUN_DIGEST = re.compile(r"[0-9a-fA-F]{8,63}\Z")
"""The beginning of a digest at the end of a text that was cut."""
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_LAYERS = 3
"""How often text may be encoded repeatedly."""
_MAIL_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+")
"""Matches only whole addresses, so that every character is visited once or twice."""
_CUT_MAIL_ADDRESS = re.compile(rf"{_MAIL_ADDRESS.pattern}|(?<![\w.+-])[\w.+-]++@[\w.-]*\Z")


class Secrets:
    """The secrets to remove; they can only be added.

    Some are given, such as credentials. Others are learned from requests and answers; the newest
    2,000 of those are remembered.
    """

    def __init__(self) -> None:
        self._given: dict[str, None] = {}
        self._seen: dict[str, None] = {}

    def add(self, *secrets: str | None) -> None:
        """Add secrets to hide, with their digests."""
        _remember(self._given, filter(None, secrets), _SHORTEST, _MOST_GIVEN)

    def learn(self, data: object, *, sent: bool = False) -> None:
        """Add the values of fields with the names of secrets.

        data: decoded JSON, or a form.
        """
        for found in _secrets_in(data, _SENT_NAMES if sent else _NAMES):
            self._see(found)

    async def learn_in_turns(self, data: object) -> None:
        """Do the same for a large answer, in time slices."""
        time_slice = TimeSlice()
        for found in _secrets_in(data, _NAMES):
            if found:
                self._see(found)
            await time_slice.yield_if_due()

    def _see(self, found: Iterable[str]) -> None:
        _remember(self._seen, found, _SHORTEST_SEEN, _MOST_SEEN)

    def hide(self, words: str, *, is_cut: bool = False) -> str:
        """Return text without secrets and email addresses.

        is_cut: whether the text was longer, so that it may end within a secret.
        """
        if is_cut:
            words = _UNFINISHED.sub("", words)
        spans = list(self._spans(words.translate(_SPACES), is_cut=is_cut))
        mails = _CUT_MAIL_ADDRESS if is_cut else _MAIL_ADDRESS
        spans += [match.span() for match in mails.finditer(words)]
        shown: list[str] = []
        end = 0
        for start, stop in sorted(spans):
            if start >= end:
                shown += (words[end:start], _HIDDEN)
            end = max(end, stop)
        return "".join((*shown, words[end:]))

    def _spans(self, words: str, *, is_cut: bool) -> Iterator[tuple[int, int]]:
        """Return the positions of secrets in a text."""
        secrets = (*self._given, *self._seen)
        # A secret that contains escapes is also searched for unescaped.
        plain = (_plain(secret) for secret in secrets if not _ESCAPE_SIGNS.isdisjoint(secret))
        forms = (*secrets, *(form for form in plain if len(form.strip()) >= _SHORTEST))
        for view in _views(words):
            for form in forms:
                if form in view.text:
                    yield from view.places_of(form)
            if is_cut and view.ends and view.ends[-1] == len(words):
                yield from view.ends_within(forms)
        begun = _BEGUN_DIGEST.search(words) if is_cut else None
        if begun or _DIGEST.search(words):
            digests = {digest for secret in secrets for digest in _digests(secret)}
            yield from _digests_in(words.translate(_LOWER), digests)
            if begun and any(digest.startswith(begun[0].lower()) for digest in digests):
                yield begun.span()


def _remember(known: dict[str, None], secrets: Iterable[str], shortest: int, most: int) -> None:
    """Add secrets as one line each; the oldest ones are removed."""
    for secret in secrets:
        line = " ".join(secret[:_LONGEST].split())
        if len(line) >= shortest:
            known.pop(line, None)
            known[line] = None
    while len(known) > most:
        del known[next(iter(known))]


def _secrets_in(data: object, names: frozenset[str]) -> Iterator[list[str]]:
    """Yield the texts in fields with these names and below them."""
    waiting = [(data, False)]
    while waiting:
        value, is_secret = waiting.pop()
        if isinstance(value, dict):
            hidden = value.keys() if is_secret else names.intersection(value)
            waiting += [
                (inner, name in hidden)
                for name, inner in value.items()
                if isinstance(inner, _NESTED)
            ]
            yield [inner for name in hidden if isinstance(inner := value[name], str)]
        elif isinstance(value, list):
            waiting += [(inner, is_secret) for inner in value if isinstance(inner, _NESTED)]
            yield [inner for inner in value if isinstance(inner, str)] if is_secret else []


def _digests_in(words: str, digests: Collection[str]) -> Iterator[tuple[int, int]]:
    """Yield the positions of digests in lower-case text."""
    for run in _HEX.finditer(words):
        for start in range(run.start(), run.end() - _DIGEST_LENGTHS[-1] + 1):
            for length in _DIGEST_LENGTHS:
                if words[start : start + length] in digests:
                    yield start, start + length


class _View(NamedTuple):
    """A decoding of a text.

    starts, ends: for each character, the positions in the text that it was decoded from.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def places_of(self, secret: str) -> Iterator[tuple[int, int]]:
        """Return the positions of a secret in a text."""
        place = self.text.find(secret)
        while place >= 0:
            yield self.starts[place], self.ends[place + len(secret) - 1]
            place = self.text.find(secret, place + len(secret))

    def ends_within(self, secrets: Iterable[str]) -> Iterator[tuple[int, int]]:
        """Return where the text ends with the beginning of a secret."""
        # A character that was cut cannot be decoded.
        text = self.text.rstrip("\N{REPLACEMENT CHARACTER}")
        for secret in secrets:
            beginning, first = secret[:4], max(0, len(text) - len(secret) + 1)
            place = text.find(beginning, first)
            while place >= 0 and not secret.startswith(text[place:]):
                place = text.find(beginning, place + 1)
            if place < 0:
                shorter = (text[-length:] for length in (3, 2, 1))
                place = len(text) - len(next(filter(secret.startswith, shorter), ""))
            if place < len(text):
                yield self.starts[place], self.ends[-1]


def _views(words: str) -> Iterator[_View]:
    """Return the text in all encodings in which services repeat what they received."""
    view = _view(words)
    yield from _unpacked(view, _HEX, _hex, 2)
    for _ in range(_LAYERS):
        yield view
        yield from _unpacked(view, _BASE64, _base64, 4)
        if (inner := _unescaped(view)).text == view.text:
            break
        view = inner
    yield view._replace(text=view.text.replace("+", " "))


def _plain(secret: str) -> str:
    """Return a secret in the last of these decodings."""
    *_, last = _views(secret)
    return last.text


def _view(words: str) -> _View:
    return _View(words, range(len(words)), range(1, len(words) + 1))


def _unescaped(view: _View) -> _View:
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    for match in _ESCAPES.finditer(view.text):
        first, last = match.span()
        decoded = _meaning(match).translate(_SPACES)
        parts += (view.text[place:first], decoded)
        starts += (*view.starts[place:first], *[view.starts[first]] * len(decoded))
        ends += (*view.ends[place:first], *[view.ends[last - 1]] * len(decoded))
        place = last
    return _View(
        "".join((*parts, view.text[place:])),
        (*starts, *view.starts[place:]),
        (*ends, *view.ends[place:]),
    )


def _meaning(escape: re.Match[str]) -> str:
    match escape.lastgroup:
        case "percent":
            return bytes.fromhex(escape[0].replace("%", "")).decode(errors="replace")
        case "entity":
            return html.unescape(escape[0])
        case "utf16":
            units = bytes.fromhex(re.sub(r"\\u", "", escape["utf16"], flags=re.IGNORECASE))
            return units.decode("utf-16-be", "replace")
        case "byte":
            return chr(int(escape["byte"], 16))
        case _:
            return _MARKS.get(escape["mark"], escape["mark"])


def _unpacked(
    view: _View, runs: re.Pattern[str], unpack: Callable[[str], bytes], steps: int
) -> Iterator[_View]:
    """Return the decoded runs of letters and digits, at any offset.

    A secret in a run hides the whole run.
    """
    found = [match.span() for match in runs.finditer(view.text)]
    for step in range(steps if found else 0):
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for first, last in found:
            decoded = unpack(view.text[first + step : last]).decode(errors="replace") + "\n"
            parts.append(decoded)
            starts += [view.starts[first]] * len(decoded)
            ends += [view.ends[last - 1]] * len(decoded)
        yield _View("".join(parts)[:-1], starts, ends)


def _base64(run: str) -> bytes:
    run = run.rstrip("=").translate(_URL_SAFE)
    # A single remaining character is less than a byte.
    whole = run[: len(run) - (len(run) % 4 == 1)]
    return b64decode(whole + "=" * (-len(whole) % 4))


def _hex(run: str) -> bytes:
    return bytes.fromhex(run[: len(run) // 2 * 2])


@lru_cache(_MOST_GIVEN + _MOST_SEEN)
def _digests(secret: str) -> tuple[str, ...]:
    """Return the digests of a secret that services store or compare."""
    return tuple(digest(secret.encode(), usedforsecurity=False).hexdigest() for digest in _DIGESTS)
