"""HTTP for all providers: limits, retries, and redaction of secrets.

It guarantees to a client module:
- An answer is complete, has at most max_bytes after decompression, and came in time. The time to
decode it is limited, too.
- Redirects are not followed, and a firewall's web page is not accepted as an answer.
- Only reads are repeated, after a random delay. A write is only sent to another host if the first
one could not be reached at all.
- After `Retry-After`, nothing is sent until that time.
- No error or log message contains a query, a header or a body.
"""

import asyncio
import codecs
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import logging
import random
from ssl import SSLContext
import time

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    ConnectionTimeoutError,
    FormData,
)
import orjson

from . import coerce
from .errors import InvalidInputError, Reason, UnavailableError
from .redaction import Secrets

_LOGGER = logging.getLogger(__name__)

USER_AGENT = "TunnelHub/1 (Home Assistant; +https://github.com/tunnel-hub/tunnel-hub)"

MAX_BYTES = 8 * 1024**2
"""Four times the largest known answer of most services. Thousands of rows are below 2 MB."""

MAX_JSON_BYTES = 12 * 1024**2
"""Larger answers, such as backups, are not decoded."""

MAX_VALUES = 100_000
"""Values in an answer. The largest known answer has 80,000; decoding this many takes up to 25 ms.
"""

_LARGEST_REQUEST = 1024**2
"""The size of an edit's body. aiohttp warns about larger ones, because they block the event loop.
"""

REQUEST_LIMITS = ClientTimeout(total=20, connect=10)
UPLOAD_LIMITS = ClientTimeout(total=300, connect=10)
_STREAM_LIMITS = ClientTimeout(total=None, connect=10, sock_read=600)
"""A stream without data for a long time may be a broken connection."""
_EVENTS = "text/event-stream"
_JSON = "application/json"
_LARGEST_EVENT = 1024**2
_CONCURRENCY = 4
"""The number that a browser uses for a console page. More gains nothing and looks like an attack.
"""
_READ_ATTEMPTS = 2
_RETRY_PAUSE = (0.5, 1.5)
"""The range of random seconds, so that installations do not retry at the same time."""
_FALLBACK_SECONDS = 300.0
"""Seconds for which another host replaces the first one."""
_LONGEST_RETRY_AFTER = 3600.0
_DEFAULT_RETRY_AFTER = 60.0
_FIREWALL_STATUSES = frozenset({403, 468})
LARGE_ANSWER = 16 * 1024
"""Bytes from which comparing an answer with the last one is faster than decoding it."""
REPEATED_WITHIN = 2 * 3600.0
"""Seconds within which a polled path is requested again: twice the longest interval."""
_JSON_BEGINS = ("{", "[")
"""Other large answers, such as backups, are not kept in memory."""
_BEGINNING = 4096
"""Bytes that are enough to recognize a web page."""
_FAILURE_BYTES = 256 * 1024
"""Bytes of an error answer that are read."""
_WORD_FIELDS = ("error", "message", "msg", "Msg", "detail")
"""Fields in which services explain an error."""
_MAX_READ_WORDS = 1000
_MAX_WORDS = 255
"""Characters of a service's message that are read, and that are shown."""
_RECODED = 1024**2
"""Bytes of the largest answer that is decoded from another encoding than UTF-8."""
_SEPARATORS = (b",", b"[", b"{")
"""There is one before almost every value in JSON."""
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_CHARSETS = {"big5": "big5hkscs", "gb18030": "gb18030", "gb2312": "gb18030", "gbk": "gb18030"}
"""Encodings of Chinese servers besides UTF-8, each with the largest one that includes it."""


@dataclass(slots=True)
class Answer:
    """A complete answer with a status below 500 that is not a redirect.

    status: the HTTP status. body: at most max_bytes, decompressed. charset: as declared.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    charset: str | None = field(default=None, compare=False)
    _decoded: object = field(default=None, init=False, repr=False, compare=False)
    _failure: UnavailableError | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def is_html(self) -> bool:
        """Whether this is a web page; JSON with the content type of HTML is not."""
        first = self._first
        return first == "<" or (self.content_type == "text/html" and first not in _JSON_BEGINS)

    @property
    def is_json(self) -> bool:
        """Whether this looks like an object or a list."""
        return self._first in _JSON_BEGINS

    @property
    def _first(self) -> str | None:
        """Return the first character that is not a space."""
        return next(iter(_text(self.body[:_BEGINNING], self.charset).lstrip()), None)

    def text(self) -> str:
        """Return the body as text, cut to the length of a document."""
        # A character takes at most four bytes.
        return _text(self.body[: 4 * coerce.MAX_DOCUMENT + 8], self.charset)

    def json(self) -> object:
        """Return the decoded body, each time the same object.

        Raises UnavailableError: FIREWALL for a web page, TOO_LARGE for too many values, otherwise
        MALFORMED.
        """
        if self._failure is not None:
            raise UnavailableError(self._failure.reason, self._failure.detail)
        if self._decoded is None:
            try:
                self._decoded = self._decode()
            except UnavailableError as err:
                self._failure = err
                raise
        return self._decoded

    def _decode(self) -> object:
        if self.is_html:
            raise UnavailableError(Reason.FIREWALL, f"HTTP {self.status}")
        if len(self.body) > MAX_JSON_BYTES:
            raise UnavailableError(Reason.TOO_LARGE, _more_than(MAX_JSON_BYTES))
        if len(self.body) > MAX_VALUES and sum(map(self.body.count, _SEPARATORS)) > MAX_VALUES:
            raise UnavailableError(Reason.TOO_LARGE, f"more than {MAX_VALUES} values")
        for document in self._documents():
            with suppress(orjson.JSONDecodeError):
                return orjson.loads(document)
        raise UnavailableError(Reason.MALFORMED, "no JSON")

    def _documents(self) -> Iterator[bytes | str]:
        """Return possible decodings of the body: UTF-8 unless another charset is declared."""
        is_declared = (self.charset or "").lower() in _CHARSETS
        is_small = len(self.body) <= _RECODED
        if is_small and is_declared:
            yield _text(self.body, self.charset)
        yield self.body.removeprefix(codecs.BOM_UTF8)
        if is_small and not is_declared:
            yield _text(self.body, self.charset)

    @property
    def is_object(self) -> bool:
        """Whether this is a JSON object."""
        try:
            return isinstance(self.json(), dict)
        except UnavailableError:
            return False

    def repeats_its_status(self, words: str) -> bool:
        """Whether a message is the HTTP reason phrase, such as "Forbidden".

        The services never send such a message themselves.
        """
        return words.strip().lower() == HTTPStatus(self.status).phrase.lower()

    def mapping(self) -> Mapping[str, object]:
        """Return the decoded body, which must be a JSON object."""
        decoded = self.json()
        if not isinstance(decoded, dict):
            raise UnavailableError(Reason.MALFORMED, "no JSON object")
        return decoded


class Transport:
    """Sends requests to the first reachable host of a service.

    secrets: removed from a service's messages by redact(); this includes values in fields with the
    names of secrets that were sent or received.
    """

    def __init__(
        self,
        session: ClientSession,
        hosts: Sequence[str],
        *,
        headers: Mapping[str, str] | None = None,
        ssl: SSLContext | bool = True,
        secrets: Secrets | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up with base URLs in order of preference, without a trailing slash.

        ssl: the certificates to trust for HTTPS; False to trust all.
        secrets: shared with another transport.
        """
        self._session = session
        self._hosts = tuple(hosts)
        self._headers = {"User-Agent": USER_AGENT, **(headers or {})}
        self._ssl = ssl
        self._clock = clock
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._fallback_index = 0
        self._fallback_until = 0.0
        self._silent_until = 0.0
        self._large: dict[str, tuple[float, Answer | None]] = {}
        self._closed = False
        self.secrets = secrets or Secrets()
        self.requests = 0

    def redact(self, words: object, *, is_cut: bool = False) -> str:
        """Return a service's message as one short line without secrets and email addresses.

        is_cut: whether the message was longer.
        """
        known = coerce.verbatim(words) or ""
        line = " ".join((coerce.text(known[:_MAX_READ_WORDS]) or "").split())
        shown = self.secrets.hide(line, is_cut=is_cut or len(known) > _MAX_READ_WORDS)
        return shown if len(shown) <= _MAX_WORDS else f"{shown[: _MAX_WORDS - 1]}…"

    def close(self) -> None:
        """Refuse further requests. Those that are running are finished."""
        self._closed = True

    async def request(
        self,
        method: str,
        path: str,
        *,
        read: bool,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, object] | Sequence[object] | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | FormData | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        limits: ClientTimeout | None = None,
    ) -> Answer:
        """Send one request and return its answer.

        Raises UnavailableError, and InvalidInputError for a number in `json` that a service could
        not store.

        read: whether it can be repeated.
        content: a body that is not JSON, such as a file.
        """
        body = None if json is None else _encoded(json)
        failure = UnavailableError(Reason.CONNECTION)
        for fields in (params, json, form):
            self.secrets.learn(dict(fields) if isinstance(fields, Mapping) else fields, sent=True)
        async with self._slots:
            for attempt in range(_READ_ATTEMPTS if read else 1):
                if attempt:
                    await asyncio.sleep(random.uniform(*_RETRY_PAUSE))
                for host in self._hosts_in_order():
                    try:
                        answer = await self._send(
                            host,
                            method,
                            path,
                            params=params,
                            json=body,
                            data=content if form is None else form,
                            headers={**self._headers, **(headers or {})},
                            max_bytes=max_bytes,
                            limits=limits or REQUEST_LIMITS,
                        )
                    except _NotSentError as err:
                        failure = err.failure
                    except UnavailableError as err:
                        failure = err
                        if not read or err.retry_after is not None or err.reason is Reason.CLOSED:
                            raise
                    else:
                        self._prefer(host)
                        return await self._known(path, answer)
        raise failure

    async def stream(
        self, path: str, *, params: Mapping[str, str], check: Callable[[Answer], object]
    ) -> AsyncGenerator[bytes]:
        """Yield the data of server-sent events from the first host until the stream ends.

        It does not count for the limit of parallel requests. Raises UnavailableError.

        check: raises for an answer that is not a stream.
        """
        self._check_open()
        self.secrets.learn(dict(params), sent=True)
        try:
            with _failures():
                async with self._session.get(
                    self._hosts[0] + path,
                    params=params,
                    headers={**self._headers, "Accept": _EVENTS},
                    allow_redirects=False,
                    ssl=self._ssl,
                    timeout=_STREAM_LIMITS,
                ) as response:
                    await self._check_status(response)
                    if response.content_type != _EVENTS:
                        check(_answer(response, await _body(response, MAX_BYTES)))
                        raise UnavailableError(Reason.MALFORMED, "no events")
                    async for event in _events(response):
                        yield event
        except _NotSentError as err:
            raise err.failure from None

    def _check_open(self) -> None:
        """Count a request; raises UnavailableError if none may be sent."""
        if self._closed or self._session.closed:
            raise UnavailableError(Reason.CLOSED)
        if (pause := self._silent_until - self._clock()) > 0:
            raise UnavailableError(Reason.RATE_LIMITED, retry_after=pause)
        self.requests += 1

    async def _known(self, path: str, answer: Answer) -> Answer:
        """Return the previous answer, already decoded, if this large one has the same bytes.

        Only answers of polled paths are kept.
        """
        now = self._clock()
        self._large = {
            path: (asked, kept)
            for path, (asked, kept) in self._large.items()
            if now - asked < REPEATED_WITHIN
        }
        if not answer.is_json:
            return answer
        if len(answer.body) < LARGE_ANSWER:
            with suppress(UnavailableError):
                self.secrets.learn(answer.json())
            return answer
        # Receiving, decoding and parsing it each take a while, so other tasks run in between.
        await asyncio.sleep(0)
        is_repeated = path in self._large
        _, last = self._large.get(path, (now, None))
        if last == answer:
            answer = last
        else:
            with suppress(UnavailableError):
                decoded = answer.json()
                await asyncio.sleep(0)
                await self.secrets.learn_in_turns(decoded)
            await asyncio.sleep(0)
        self._large[path] = now, answer if is_repeated else None
        return answer

    def _hosts_in_order(self) -> Iterable[str]:
        """All hosts, starting with the current one."""
        if self._clock() >= self._fallback_until:
            self._fallback_index = 0
        return self._hosts[self._fallback_index :] + self._hosts[: self._fallback_index]

    def _prefer(self, host: str) -> None:
        """Keep using a host that answered; the first one is tried again after a while."""
        if (index := self._hosts.index(host)) != self._fallback_index:
            self._fallback_index = index
            self._fallback_until = self._clock() + _FALLBACK_SECONDS

    async def _send(
        self,
        host: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        json: bytes | None,
        data: Mapping[str, str] | bytes | FormData | None,
        headers: Mapping[str, str],
        max_bytes: int,
        limits: ClientTimeout,
    ) -> Answer:
        self._check_open()
        started = self._clock()
        with _failures():
            async with self._session.request(
                method,
                host + path,
                params=params,
                data=data if json is None else json,
                headers=headers if json is None else {**headers, "Content-Type": _JSON},
                allow_redirects=False,
                ssl=self._ssl,
                timeout=limits,
            ) as response:
                await self._check_status(response)
                answer = _answer(response, await _body(response, max_bytes))
        _LOGGER.debug(
            "%s %s: HTTP %s, %s bytes in %.3f s",
            method,
            path,
            answer.status,
            len(answer.body),
            self._clock() - started,
        )
        if answer.status in _FIREWALL_STATUSES and answer.is_html:
            raise UnavailableError(Reason.FIREWALL, f"HTTP {answer.status}")
        return answer

    async def _check_status(self, response: ClientResponse) -> None:
        """Raise for a status that is not an answer of the service."""
        if 300 <= response.status < 400:
            raise UnavailableError(Reason.REDIRECT, f"HTTP {response.status}")
        pause = _retry_after(response.headers)
        if response.status == 429:
            pause = pause or _DEFAULT_RETRY_AFTER
            self._silent_until = self._clock() + pause
            raise UnavailableError(Reason.RATE_LIMITED, retry_after=pause)
        if response.status >= 500:
            if pause is not None:
                self._silent_until = self._clock() + pause
            raise UnavailableError(Reason.SERVER_ERROR, await self._failure(response), pause)

    async def _failure(self, response: ClientResponse) -> str:
        """Return the error of a failed request, with the service's message if it has one."""
        body, is_cut = await _beginning(response, _FAILURE_BYTES)
        answer = _answer(response, body)
        words: object = ""
        with suppress(UnavailableError):
            if answer.content_type == "text/plain":
                words = answer.text()
            elif not is_cut:
                row = answer.mapping()
                found = map(row.get, _WORD_FIELDS)
                words = next((words for words in found if coerce.verbatim(words)), "")
        return f"HTTP {response.status} {self.redact(words, is_cut=is_cut)}".strip()


def _encoded(json: object) -> bytes:
    """Return JSON to send; raises InvalidInputError for invalid numbers."""
    _check_numbers(json)
    try:
        encoded = orjson.dumps(json)
    except TypeError as err:
        raise UnavailableError(Reason.MALFORMED, str(err)) from None
    if len(encoded) > _LARGEST_REQUEST:
        raise UnavailableError(Reason.TOO_LARGE, _more_than(_LARGEST_REQUEST))
    return encoded


def _check_numbers(value: object) -> None:
    """Raise InvalidInputError for a number that JSON or 64 bits cannot represent."""
    if isinstance(value, int | float) and not abs(value) < coerce.MAX_NUMBER:
        # Integers can be larger than a float.
        number = value if isinstance(value, float) else Decimal(value).normalize()
        raise InvalidInputError("number_too_large", number=f"{number:.3g}")
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for inner in value:
            _check_numbers(inner)


class _NotSentError(Exception):
    """There was no connection, so the host has not received the request."""

    def __init__(self, failure: UnavailableError) -> None:
        super().__init__(str(failure))
        self.failure = failure


@contextmanager
def _failures() -> Iterator[None]:
    """Convert the errors of aiohttp.

    They contain the URL with its query, so they must not be in the traceback.
    """
    try:
        yield
    except ConnectionTimeoutError:
        raise _NotSentError(UnavailableError(Reason.TIMEOUT)) from None
    except ClientSSLError as err:
        raise _NotSentError(_unconnected(Reason.TLS, err)) from None
    except ClientConnectorError as err:
        raise _NotSentError(_unconnected(Reason.CONNECTION, err)) from None
    except TimeoutError:
        raise UnavailableError(Reason.TIMEOUT) from None
    except (ClientError, OSError, ValueError) as err:
        raise _unconnected(Reason.CONNECTION, err) from None


def _unconnected(reason: Reason, err: Exception) -> UnavailableError:
    """Return the error for a failed connection; the name of aiohttp's error is only for the log."""
    _LOGGER.debug("No connection: %s", type(err).__name__)
    return UnavailableError(reason)


async def _events(response: ClientResponse) -> AsyncGenerator[bytes]:
    """Yield the data of events: lines that begin with "data:", up to an empty line."""
    rest, data = b"", b""
    async for piece in response.content.iter_any():
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) + len(data) > _LARGEST_EVENT:
            raise UnavailableError(Reason.TOO_LARGE, _more_than(_LARGEST_EVENT))
        for line in map(bytes.strip, lines):
            if line.startswith(b"data:"):
                data += line.removeprefix(b"data:").strip()
            elif not line and data:
                yield data
                data = b""


def _more_than(size: int) -> str:
    return f"more than {size // 1024**2} MB"


def _answer(response: ClientResponse, body: bytes) -> Answer:
    return Answer(response.status, response.content_type, body, response.charset)


async def _body(response: ClientResponse, max_bytes: int) -> bytes:
    """Read a body that may be too large."""
    body, is_cut = await _beginning(response, max_bytes)
    if is_cut:
        raise UnavailableError(Reason.TOO_LARGE, _more_than(max_bytes))
    return body


async def _beginning(response: ClientResponse, most: int) -> tuple[bytes, bool]:
    """Read the beginning of a body; return it and whether the body continues."""
    pieces: list[bytes] = []
    room = most
    async for piece in response.content.iter_any():
        pieces.append(piece[:room])
        if (room := room - len(piece)) < 0:
            return await _joined(pieces), True
        # aiohttp decompresses the next chunk as soon as it is requested.
        await asyncio.sleep(0)
    return await _joined(pieces), False


async def _joined(pieces: list[bytes]) -> bytes:
    """Join chunks; large ones in an executor, because copying them takes a while."""
    if sum(map(len, pieces)) < MAX_BYTES:
        return b"".join(pieces)
    return await asyncio.to_thread(b"".join, pieces)


def _text(body: bytes, charset: str | None) -> str:
    """Decode text by its byte order mark, the declared charset, or UTF-8.

    A character that is cut at the end is left out.
    """
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if body.startswith(mark):
            return codecs.getincrementaldecoder(encoding)("replace").decode(body[len(mark) :])
    declared = _CHARSETS.get((charset or "").lower(), "utf-8")
    for encoding in dict.fromkeys((declared, "utf-8", "gb18030")):
        with suppress(UnicodeDecodeError):
            return codecs.getincrementaldecoder(encoding)().decode(body)
    return body.decode(errors="replace")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header with seconds or a date; an hour at most.

    A date is compared with the Date header, because the local clock may be wrong.
    """
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        seconds = (
            float(value)
            if value.strip().isdecimal()
            else (parsedate_to_datetime(value) - _date(headers)).total_seconds()
        )
    except TypeError, ValueError:
        return None
    return min(max(seconds, 1.0), _LONGEST_RETRY_AFTER)


def _date(headers: Mapping[str, str]) -> datetime:
    """Return the service's time, or the local time if it does not send one."""
    with suppress(ValueError):
        date = parsedate_to_datetime(headers.get("Date", ""))
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    return datetime.now(UTC)
