"""One attempt to reach an address: connects and sends a request of its protocol."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
import errno
import re
import socket
import ssl

from .addresses import Lookup, LookupFailedError, Protocol, SocketAddress, Target, resolve, zone_of
from .certificates import TlsContexts, problem_of, read_certificate
from .results import CertificateProblem, CheckResult, Outcome, ServerCertificate

MAX_ANSWER = 4096
"""Bytes of an answer that are read."""
_MAX_ADDRESSES = 4
_MAX_BANNER = 100

_USER_AGENT = "HomeAssistant-TunnelHub"
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_FRP_PAGE = b"Faithfully yours, frp"
"""Text of the page that frps shows if no tunnel serves a request (frp, pkg/util/vhost/resource.go).
"""

_OUR_OWN_TROUBLE = {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EMFILE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Timeouts in seconds.

    banner: for the first bytes that a TCP service sends on its own.
    """

    lookup: float = 10
    connect: float = 6
    answer: float = 6
    banner: float = 3


class _FailedError(Exception):
    """The attempt failed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass(slots=True)
class _Connection:
    """An open connection.

    started: when connecting began, by the clock of the event loop.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    started: float
    connected: float
    certificate: ServerCertificate | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """Tries to reach one address once, with one connection, or with up to three for HTTPS."""

    target: Target
    contexts: TlsContexts
    timeouts: Timeouts
    lookup: Lookup = resolve

    async def make(self) -> CheckResult:
        """Return the result; never raises an error of the server or the network."""
        is_tcp = self.target.protocol is Protocol.TCP
        return await self._result(self._listen if is_tcp else self._ask_twice)

    async def connect(self) -> CheckResult:
        """Connect without sending or reading anything; does not raise such errors either."""
        return await self._result(self._connect_only)

    async def _result(
        self, ask: Callable[[Sequence[SocketAddress]], Awaitable[CheckResult]]
    ) -> CheckResult:
        zone = None
        try:
            addresses = await self._addresses()
            zone = min(zone_of(address.ip) for address in addresses)
            found = await ask(addresses)
        except _FailedError as err:
            found = CheckResult(outcome=err.outcome)
        return replace(found, zone=zone)

    async def _addresses(self) -> Sequence[SocketAddress]:
        """Resolve the name, without addresses in a zone that is not allowed."""
        try:
            async with asyncio.timeout(self.timeouts.lookup):
                found = await self.lookup(self.target.host, self.target.port)
        except TimeoutError, LookupFailedError:
            raise _FailedError(Outcome.DNS) from None
        allowed = [address for address in found if zone_of(address.ip) <= self.target.zone]
        if not allowed:
            raise _FailedError(Outcome.NOT_PUBLIC)
        return allowed[:_MAX_ADDRESSES]

    # TCP

    async def _connect_only(self, addresses: Sequence[SocketAddress]) -> CheckResult:
        sock, started = await self._connect_socket(addresses)
        seconds = asyncio.get_running_loop().time() - started
        sock.close()
        return CheckResult(outcome=Outcome.REACHED, response_time=seconds)

    async def _listen(self, addresses: Sequence[SocketAddress]) -> CheckResult:
        """Connect, and read what the service sends on its own."""
        async with self._connection(addresses) as connection:
            try:
                async with asyncio.timeout(self.timeouts.banner):
                    said = await connection.reader.read(MAX_ANSWER)
            except TimeoutError:
                # Most services wait for the client to speak first.
                seconds = connection.connected - connection.started
                return CheckResult(outcome=Outcome.REACHED, response_time=seconds)
            except OSError:
                said = b""
            if not said:
                return CheckResult(outcome=Outcome.CLOSED)
            seconds = asyncio.get_running_loop().time() - connection.started
            return CheckResult(
                outcome=Outcome.REACHED, response_time=seconds, banner=_first_line(said)
            )

    # HTTP

    async def _ask_twice(self, addresses: Sequence[SocketAddress]) -> CheckResult:
        """Send HEAD, then GET if that returned an error or nothing."""
        first = await self._ask("HEAD", addresses)
        if first.http_status is not None and first.http_status < 400:
            return first
        try:
            second = await self._ask("GET", addresses, first.certificate)
        except _FailedError as err:
            second = CheckResult(outcome=err.outcome)
        if second.http_status is None and first.http_status is not None:
            return first
        return replace(second, certificate=second.certificate or first.certificate)

    async def _ask(
        self, method: str, addresses: Sequence[SocketAddress], seen: ServerCertificate | None = None
    ) -> CheckResult:
        async with self._connection(addresses, seen) as connection:
            found = CheckResult(outcome=Outcome.NO_ANSWER, certificate=connection.certificate)
            connection.writer.write(self._request(method))
            try:
                async with asyncio.timeout(self.timeouts.answer):
                    status, answer = await _read_answer(connection.reader)
            except TimeoutError:
                return found
            except ssl.SSLError:
                return replace(found, outcome=Outcome.TLS)
            except OSError:
                return replace(found, outcome=Outcome.CLOSED)
            if status is None:
                return replace(found, outcome=Outcome.WRONG_ANSWER if answer else Outcome.CLOSED)
            seconds = asyncio.get_running_loop().time() - connection.started
            outcome = Outcome.REACHED
            if status == 404 and _FRP_PAGE in answer + await self._rest(connection.reader, answer):
                outcome = Outcome.NODE_PAGE
            return replace(found, outcome=outcome, response_time=seconds, http_status=status)

    async def _rest(self, reader: asyncio.StreamReader, answer: bytes) -> bytes:
        """Read the rest of the answer, within the limit."""
        rest = b""
        with suppress(OSError):
            async with asyncio.timeout(self.timeouts.answer):
                left = MAX_ANSWER - len(answer)
                while left > len(rest) and (more := await reader.read(left - len(rest))):
                    rest += more
        return rest

    def _request(self, method: str) -> bytes:
        lines = (
            f"{method} {self.target.path} HTTP/1.1",
            f"Host: {self.target.label}",
            f"User-Agent: {_USER_AGENT}",
            "Accept: */*",
            "Connection: close",
        )
        return "\r\n".join((*lines, "", "")).encode("ascii")

    # Connections

    @asynccontextmanager
    async def _connection(
        self, addresses: Sequence[SocketAddress], seen: ServerCertificate | None = None
    ) -> AsyncIterator[_Connection]:
        """Connect; the certificate of an untrusted server is read in a second connection.

        seen: the certificate that an earlier connection has read.
        """
        problem = seen.problem if seen else None
        tls = None
        if self.target.protocol is Protocol.HTTPS:
            tls = self.contexts.reading if problem else self.contexts.trusting
        try:
            connection = await self._connect(addresses, tls, problem)
        except ssl.SSLCertVerificationError as err:
            connection = await self._connect(addresses, self.contexts.reading, problem_of(err))
        try:
            yield connection
        finally:
            # A proper shutdown of TLS would wait for the other side.
            connection.writer.transport.abort()

    async def _connect(
        self,
        addresses: Sequence[SocketAddress],
        tls: ssl.SSLContext | None,
        problem: CertificateProblem | None,
    ) -> _Connection:
        """Connect; raises _FailedError, and SSLCertVerificationError if untrusted."""
        sock, started = await self._connect_socket(addresses)
        connected = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self.timeouts.answer):
                reader, writer = await asyncio.open_connection(
                    sock=sock,
                    limit=MAX_ANSWER,
                    ssl=tls,
                    server_hostname=self.target.host if tls else None,
                )
        except ssl.SSLCertVerificationError:
            raise
        except TimeoutError:
            raise _FailedError(Outcome.NO_ANSWER) from None
        except OSError:
            raise _FailedError(Outcome.TLS) from None
        ssl_object = writer.get_extra_info("ssl_object")
        certificate = ssl_object and read_certificate(ssl_object, problem)
        return _Connection(reader, writer, started, connected, certificate)

    async def _connect_socket(
        self, addresses: Sequence[SocketAddress]
    ) -> tuple[socket.socket, float]:
        """Connect to the first address that accepts; return the socket and the start time.

        Raises _FailedError with the most informative outcome.
        """
        loop = asyncio.get_running_loop()
        outcomes = set[Outcome]()
        for address in addresses:
            started = loop.time()
            sock = socket.socket(address.family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                async with asyncio.timeout(self.timeouts.connect / len(addresses)):
                    await loop.sock_connect(sock, address.sockaddr)
            except OSError as err:
                sock.close()
                outcomes.add(_outcome_of(err))
            except BaseException:
                sock.close()
                raise
            else:
                return sock, started
        raise _FailedError(next(outcome for outcome in _BY_PRIORITY if outcome in outcomes))


_BY_PRIORITY = (Outcome.REFUSED, Outcome.NO_ANSWER, Outcome.UNKNOWN)
"""Outcomes by how much they say about an address, the most informative first."""


def _outcome_of(error: OSError) -> Outcome:
    """Return the outcome of a failed connection. A TimeoutError is an OSError, too."""
    if error.errno in _OUR_OWN_TROUBLE:
        return Outcome.UNKNOWN
    if isinstance(error, ConnectionError):
        return Outcome.REFUSED
    return Outcome.NO_ANSWER


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int | None, bytes]:
    """Read until the status is known; return the status, None if it is not HTTP, and the bytes."""
    answer = b""
    while len(answer) < MAX_ANSWER and (more := await reader.read(MAX_ANSWER - len(answer))):
        answer += more
        if not answer.startswith(b"HTTP/"[: len(answer)]):
            return None, answer
        if (status := _final_status(answer)) is not None:
            return status, answer
    return None, answer


def _final_status(answer: bytes) -> int | None:
    """Return the status after interim responses (1xx); None if it is incomplete."""
    while (line := _STATUS_LINE.match(answer)) is not None:
        status = int(line[1])
        if status >= 200 or status == 101:
            return status
        if (end := _END_OF_HEAD.search(answer)) is None:
            return None
        answer = answer[end.end() :]
    return None


def _first_line(said: bytes) -> str | None:
    line = said.partition(b"\n")[0].decode("utf-8", "replace")
    readable = "".join(character for character in line if character.isprintable())
    return readable.strip()[:_MAX_BANNER] or None
