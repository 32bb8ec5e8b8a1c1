"""Servers that are reachable or unreachable in different ways."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
import socket
import ssl
import time

from custom_components.tunnel_hub.checks.certificates import TlsContexts
from simulator.hy2scale.keys import issue, server_context
from simulator.hy2scale.state import Certificate

DAY = 86_400.0


class Incoming:
    """A connection's input. requests: the heads of all requests."""

    def __init__(self, reader: asyncio.StreamReader, requests: list[bytes]) -> None:
        self._reader = reader
        self._requests = requests

    async def head(self) -> bytes:
        """Reads the head of a request."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        self._requests.append(head)
        return head

    async def read_rest(self) -> None:
        """Reads until the client disconnects."""
        while await self._reader.read(65536):
            pass


type Handler = Callable[[Incoming, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Listener:
    """A server. requests: the heads of all requests; names: the server names in TLS handshakes."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)


class Authorities:
    """A trusted certificate authority and an untrusted one."""

    def __init__(self) -> None:
        self.random = Random(7)
        now = time.time()
        self.trusted = issue(
            self.random, now - DAY, "ca", domains=["Trusted CA"], days=365, is_ca=True
        )
        self.private = issue(
            self.random, now - DAY, "own", domains=["Private CA"], days=365, is_ca=True
        )

    def certificate(
        self, *hosts: str, issuer: Certificate | None, start: float = -DAY, days: float = 90
    ) -> Certificate:
        """Issues a certificate. start: seconds from now."""
        return issue(
            self.random,
            time.time() + start,
            "server",
            domains=hosts or ("127.0.0.1", "localhost"),
            days=days,
            issuer=issuer,
        )

    def contexts(self) -> TlsContexts:
        """Returns a client's contexts, which trust one of the authorities."""
        reading = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        reading.check_hostname = False
        reading.verify_mode = ssl.CERT_NONE
        return TlsContexts(ssl.create_default_context(cadata=self.trusted.cert), reading)


@asynccontextmanager
async def listening(
    handler: Handler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: Certificate | None = None,
) -> AsyncIterator[Listener]:
    """Serves connections with a handler, and closes them after it."""
    listener = Listener(0)
    context = None
    if certificate is not None:
        context = server_context(certificate)
        context.sni_callback = lambda _, name, __: listener.names.append(name)

    handling = set[asyncio.Task[None]]()

    def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handling.add(asyncio.create_task(_handle(reader, writer)))

    async def _handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await handler(Incoming(reader, listener.requests), writer)
        finally:
            writer.close()

    server = await asyncio.start_server(_serve, host, port, ssl=context)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        server.close_clients()
        for task in handling:
            task.cancel()
        await asyncio.gather(*handling, return_exceptions=True)
        await server.wait_closed()


def sends_banner(words: bytes) -> Handler:
    """Returns a handler that sends a banner."""

    async def _handle(reader: Incoming, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await reader.read_rest()

    return _handle


def http_handler(
    words: bytes, *, head: bytes | None = None, after: float = 0, body: bytes = b""
) -> Handler:
    """Returns a handler for HEAD and GET. head: the answer to HEAD; after: in seconds."""

    async def _handle(reader: Incoming, writer: asyncio.StreamWriter) -> None:
        request = await reader.head()
        await asyncio.sleep(after)
        is_head = request.startswith(b"HEAD ")
        writer.write(words if head is None or not is_head else head)
        if not is_head:
            writer.write(body)
        await writer.drain()

    return _handle


async def silent(reader: Incoming, _: asyncio.StreamWriter) -> None:
    """Sends nothing until the client disconnects."""
    await reader.read_rest()


async def closing(_: Incoming, __: asyncio.StreamWriter) -> None:
    """Disconnects immediately."""


async def endless(reader: Incoming, writer: asyncio.StreamWriter) -> None:
    """Sends endless headers."""
    await reader.head()
    while True:
        writer.write(b"X" * 65536)
        await writer.drain()


@asynccontextmanager
async def refusing() -> AsyncIterator[Listener]:
    """Reserves a closed port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield Listener(sock.getsockname()[1])


@asynccontextmanager
async def filtering() -> AsyncIterator[Listener]:
    """Opens a port that answers no packets, because its queue of connections is full."""
    async with AsyncExitStack() as stack:
        sock = stack.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(sock.getsockname())
        yield Listener(sock.getsockname()[1])
