"""Servers on loopback at the public addresses of the demo's tunnels."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
import socket
import ssl

from .certificate import self_signed

type Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behavior:
    """The behavior of a server.

    is_tls: whether it has a certificate, which is self-signed.
    """

    serve: Handler
    is_tls: bool = False


async def _wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_10.0\r\n")
    await reader.read()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()


SILENT = Behavior(serve=_wait)
SSH = Behavior(serve=_greet)
HTTP = Behavior(serve=_answer)
HTTPS = Behavior(serve=_answer, is_tls=True)


class PublicAddress:
    """A public address.

    port: the port on loopback that it resolves to. It is open at first, as if the tunnel's client
    were connected.
    """

    def __init__(self, behavior: Behavior, tls: ssl.SSLContext | None) -> None:
        self.port = 0
        self._behavior = behavior
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._is_connected = True

    async def open(self) -> None:
        """Opens a free port the first time, then the same one."""
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._serve, _HOST, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Closes the port and all connections."""
        if self._server is not None:
            self._server.close()
            self._server.close_clients()
            await self._server.wait_closed()
            self._server = None

    async def follow(self, *, connected: bool) -> None:
        """Opens the port when the tunnel's client connects, and closes it when it disconnects.

        It keeps other changes in the meantime.
        """
        if connected != self._is_connected:
            await (self.open() if connected else self.close())
            self._is_connected = connected

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._behavior.serve(reader, writer)
        writer.close()


@asynccontextmanager
async def listening(
    behaviors: Mapping[str, Behavior],
) -> AsyncIterator[Mapping[str, PublicAddress]]:
    """Opens public addresses. behaviors: by "host:port"."""
    hosts = [address.rpartition(":")[0] for address, does in behaviors.items() if does.is_tls]
    tls = self_signed(hosts) if hosts else None
    async with AsyncExitStack() as stack:
        addresses: dict[str, PublicAddress] = {}
        for address, behavior in behaviors.items():
            public = PublicAddress(behavior, tls if behavior.is_tls else None)
            await public.open()
            stack.push_async_callback(public.close)
            addresses[address] = public
        yield addresses


@contextmanager
def closed_port() -> Iterator[int]:
    """Reserves a port on loopback that refuses connections."""
    with socket.socket() as sock:
        sock.bind((_HOST, 0))
        port: int = sock.getsockname()[1]
        yield port
