"""HTTP for all providers: bounded, patient, and silent about secrets.

What it guarantees to a client module:
- an answer is complete, at most max_bytes long (after decompression) and came in time;
- redirects are never followed, a firewall's web page never passes for an answer;
- only reads are tried again, with a random pause; a write is sent to another host only when
  the first one could not be reached at all;
- after `Retry-After` nothing is sent until that moment;
- no error or log line holds a query, a header or a body.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
import logging
import random
import re
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
)
import orjson

from . import gradual
from .errors import RateLimitedError, Reason, UnavailableError

_LOGGER = logging.getLogger(__name__)

USER_AGENT = "TunnelHub/1 (Home Assistant; +https://github.com/tunnel-hub/tunnel-hub)"

MAX_BYTES = 8 * 1024**2
"""Four times the largest answer known of most services; thousands of rows are below 2 MB."""

_TIMEOUT = ClientTimeout(total=20, connect=10)
_CONCURRENCY = 4
"""What a browser's console page does at most; more gains nothing and looks like an attack."""
_READ_ATTEMPTS = 2
_RETRY_PAUSE = (0.5, 1.5)
"""Seconds, at random between these, so that many homes do not come back in step."""
_HOST_HOLIDAY = 300.0
"""Seconds for which another host stands in for the first one."""
_LONGEST_RETRY_AFTER = 3600.0
_DEFAULT_RETRY_AFTER = 60.0
_FIREWALL_STATUSES = frozenset({403, 468})
_LARGE = 16 * 1024
"""Bytes from which on decoding an answer costs more than seeing that it is the last one again."""
_VERY_LARGE = 1024**2
"""Bytes from which on decoding an answer takes longer than anybody should have to wait."""
_REPEATED_WITHIN = 2 * 3600.0
"""Seconds within which a path that is polled is asked for again: twice the longest interval."""
_JSON_BEGINS = (b"{", b"[")
"""What else is large, such as a backup, nobody decodes: it is not kept in memory."""
_BEGINNING = 4096
_WORD_KEYS = ("error", "message", "msg", "detail")
"""Where a service's JSON may have words for a failure."""
_ENOUGH_WORDS = 200
"""Of those that tell why a service has failed; cut once its secrets are taken out."""
_MAIL_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


@dataclass(slots=True)
class Answer:
    """A complete answer below HTTP 500 that is not a redirect.

    status: the HTTP status. body: at most max_bytes, decompressed.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    _decoded: object = field(default=None, init=False, repr=False, compare=False)

    @property
    def is_html(self) -> bool:
        """Whether this is a web page; a server that says so of its JSON is not believed."""
        first = self.body.lstrip()[:1]
        return first == b"<" or (self.content_type == "text/html" and first not in _JSON_BEGINS)

    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode(errors="replace")

    def json(self) -> object:
        """Return the decoded body, each time the same object.

        Raises UnavailableError: firewall for a web page, malformed for anything else.
        """
        if self._decoded is not None:
            return self._decoded
        if self.is_html:
            raise UnavailableError(Reason.FIREWALL, f"HTTP {self.status}")
        try:
            self._decoded = orjson.loads(self.body)
        except orjson.JSONDecodeError as err:
            raise UnavailableError(Reason.MALFORMED, "no JSON") from err
        return self._decoded

    async def decode_in_turns(self) -> None:
        """Have the body decoded before it is asked for, which others then need not wait for."""
        with suppress(orjson.JSONDecodeError):
            self._decoded = await gradual.decode(self.body)

    def repeats_its_status(self, words: str) -> bool:
        """Whether words are those of HTTP, such as "Forbidden": no service of ours says them."""
        return words.strip().lower() == HTTPStatus(self.status).phrase.lower()

    def mapping(self) -> Mapping[str, object]:
        """Return the decoded body, which must be a JSON object."""
        decoded = self.json()
        if not isinstance(decoded, dict):
            raise UnavailableError(Reason.MALFORMED, "no JSON object")
        return decoded


class Transport:
    """Sends requests to the first reachable of a service's hosts.

    secrets: values that redact() takes out of a service's own words.
    """

    def __init__(
        self,
        session: ClientSession,
        hosts: Sequence[str],
        *,
        headers: Mapping[str, str] | None = None,
        ssl: SSLContext | bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take base URLs in order of preference, without a slash at the end.

        ssl: what HTTPS certificates are checked against; False for nothing.
        """
        self._session = session
        self._hosts = tuple(hosts)
        self._headers = {"User-Agent": USER_AGENT, **(headers or {})}
        self._ssl = ssl
        self._clock = clock
        self._slots = asyncio.Semaphore(_CONCURRENCY)
        self._stand_in = 0
        self._stand_in_until = 0.0
        self._silent_until = 0.0
        self._large: dict[str, tuple[float, Answer | None]] = {}
        self.secrets: set[str] = set()
        self.requests = 0

    def redact(self, words: str) -> str:
        """Take known secrets and mail addresses out of a service's own words."""
        # The longest first: one secret may be the beginning of another.
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            words = words.replace(secret, "**")
        return _MAIL_ADDRESS.sub("**", words)

    async def request(
        self,
        method: str,
        path: str,
        *,
        read: bool,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, object] | Sequence[object] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Send one request and return its answer.

        read: whether repeating it is harmless.
        Raises UnavailableError, and RateLimitedError for HTTP 429.
        """
        failure = UnavailableError(Reason.CONNECTION)
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
                            json=json,
                            data=form,
                            headers={**self._headers, **(headers or {})},
                            max_bytes=max_bytes,
                        )
                    except _NotSentError as err:
                        failure = err.failure
                    except RateLimitedError:
                        raise
                    except UnavailableError as err:
                        failure = err
                        if not read or err.retry_after is not None or self._session.closed:
                            raise
                    else:
                        self._prefer(host)
                        return await self._known(path, answer)
        raise failure

    async def _known(self, path: str, answer: Answer) -> Answer:
        """Return the last answer, already decoded, if this large one is the same again.

        Kept are answers of paths that are polled: what somebody asks for once can be as large as
        all of them together.
        """
        now = self._clock()
        self._large = {
            path: (asked, kept)
            for path, (asked, kept) in self._large.items()
            if now - asked < _REPEATED_WITHIN
        }
        if len(answer.body) < _LARGE or answer.body[:1] not in _JSON_BEGINS:
            return answer
        if very_large := len(answer.body) >= _VERY_LARGE:
            # To receive it took long enough: it is compared, and used, in another turn of the loop.
            await asyncio.sleep(0)
        is_repeated = path in self._large
        _, last = self._large.get(path, (now, None))
        if last == answer:
            answer = last
        elif very_large:
            await answer.decode_in_turns()
        self._large[path] = now, answer if is_repeated else None
        return answer

    def _hosts_in_order(self) -> Iterable[str]:
        """All hosts, the one in use first."""
        if self._clock() >= self._stand_in_until:
            self._stand_in = 0
        return self._hosts[self._stand_in :] + self._hosts[: self._stand_in]

    def _prefer(self, host: str) -> None:
        """Stay with a host that answered; the first one is tried again after a while."""
        if (index := self._hosts.index(host)) != self._stand_in:
            self._stand_in = index
            self._stand_in_until = self._clock() + _HOST_HOLIDAY

    async def _send(
        self,
        host: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        json: Mapping[str, object] | Sequence[object] | None,
        data: Mapping[str, str] | None,
        headers: Mapping[str, str],
        max_bytes: int,
    ) -> Answer:
        """Send to one host."""
        if self._session.closed:
            raise UnavailableError(Reason.CLOSED)
        if (pause := self._silent_until - self._clock()) > 0:
            raise RateLimitedError(pause)
        self.requests += 1
        started = self._clock()
        try:
            async with self._session.request(
                method,
                host + path,
                params=params,
                json=json,
                data=data,
                headers=headers,
                allow_redirects=False,
                ssl=self._ssl,
                timeout=_TIMEOUT,
            ) as response:
                await self._check_status(response)
                answer = Answer(
                    response.status, response.content_type, await _body(response, max_bytes)
                )
        # aiohttp's errors name the URL with its query: a traceback must not show them behind ours.
        except ConnectionTimeoutError:
            raise _NotSentError(UnavailableError(Reason.TIMEOUT)) from None
        except ClientSSLError as err:
            raise _NotSentError(UnavailableError(Reason.TLS, type(err).__name__)) from None
        except ClientConnectorError as err:
            raise _NotSentError(UnavailableError(Reason.CONNECTION, type(err).__name__)) from None
        except TimeoutError:
            raise UnavailableError(Reason.TIMEOUT) from None
        except (ClientError, OSError, ValueError) as err:
            raise UnavailableError(Reason.CONNECTION, type(err).__name__) from None
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
        """Raise for what no service means as an answer."""
        if 300 <= response.status < 400:
            raise UnavailableError(Reason.REDIRECT, f"HTTP {response.status}")
        pause = _retry_after(response.headers.get("Retry-After"))
        if response.status == 429:
            pause = pause or _DEFAULT_RETRY_AFTER
            self._silent_until = self._clock() + pause
            raise RateLimitedError(pause)
        if response.status >= 500:
            if pause is not None:
                self._silent_until = self._clock() + pause
            raise UnavailableError(Reason.SERVER_ERROR, await self._failure(response), pause)

    async def _failure(self, response: ClientResponse) -> str:
        """Return what is known of a failure, in the service's own words where it has some."""
        words = ""
        if read_words := _WORDS.get(response.content_type):
            beginning = await response.content.read(_BEGINNING)
            words = " ".join(self.redact(read_words(beginning)).split())
        return f"HTTP {response.status} {words[:_ENOUGH_WORDS]}".strip()


def _words_in_text(beginning: bytes) -> str:
    return beginning.decode(errors="replace")


def _words_in_json(beginning: bytes) -> str:
    """Return what a JSON object has for words, "" where it has none or is not whole."""
    try:
        said = orjson.loads(beginning)
    except orjson.JSONDecodeError:
        return ""
    found = map(said.get, _WORD_KEYS) if isinstance(said, dict) else ()
    return next((words for words in found if isinstance(words, str)), "")


_WORDS = {"application/json": _words_in_json, "text/plain": _words_in_text}
"""How the words of a failure are read, by its content type."""


class _NotSentError(Exception):
    """No connection came about, so the host has seen nothing."""

    def __init__(self, failure: UnavailableError) -> None:
        super().__init__(str(failure))
        self.failure = failure


async def _body(response: ClientResponse, max_bytes: int) -> bytes:
    """Read a body that may be larger than we want, in pieces as they come."""
    pieces: list[bytes] = []
    room = max_bytes
    async for piece in response.content.iter_any():
        pieces.append(piece)
        room -= len(piece)
        if room < 0:
            raise UnavailableError(Reason.TOO_LARGE, f"more than {max_bytes // 1024**2} MB")
    return b"".join(pieces)


def _retry_after(value: str | None) -> float | None:
    """Seconds out of a Retry-After header, which holds seconds or a date; an hour at most."""
    if value is None:
        return None
    try:
        seconds = (
            float(value)
            if value.strip().isdecimal()
            else (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        )
    except TypeError, ValueError:
        return None
    return min(max(seconds, 1.0), _LONGEST_RETRY_AFTER)
