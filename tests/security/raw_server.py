"""A server on raw sockets that answers each request with the bytes that a test chose.

Without an HTTP library, answers need not be valid HTTP.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import orjson

from ..reliability.names import HOST

_END_OF_HEAD = b"\r\n\r\n"
_PIECE = 64 * 1024
_LONGEST_HEAD = 256 * 1024


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def kind(self) -> str:
        """The kind of request: method, path, and the type where several share a path."""
        kind = ""
        with suppress(orjson.JSONDecodeError):
            if isinstance(fields := orjson.loads(self.body), dict):
                kind = f" {fields.get('type', '')}".rstrip()
        return f"{self.method} {urlsplit(self.target).path}{kind}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A valid answer."""

    status: int
    content_type: str
    body: bytes = field(repr=False)

    def raw(self) -> bytes:
        """Returns the answer as raw HTTP."""
        head = (
            f"HTTP/1.1 {self.status} X\r\nContent-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + self.body


type Raw = bytes | AsyncIterator[bytes]
type Answer = Callable[[ReceivedRequest], Awaitable[Raw]]


async def nothing(_: ReceivedRequest) -> Raw:
    """Closes the connection without an answer."""
    return b""


class RawServer:
    """The server. answer: returns the answer to a request. asked: all requests."""

    def __init__(self, answer: Answer = nothing) -> None:
        self.answer = answer
        self.asked: list[ReceivedRequest] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Opens a port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LONGEST_HEAD)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the port and all connections."""
        assert self._server
        self._server.close()
        self._server.close_clients()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The server's port."""
        assert self._server
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = await _read(reader)
            self.asked.append(asked)
            said = await self.answer(asked)
            if isinstance(said, bytes):
                for place in range(0, len(said), _PIECE):
                    writer.write(said[place : place + _PIECE])
                    await writer.drain()
            else:
                async for piece in said:
                    writer.write(piece)
                    await writer.drain()
                    # Writing does not yield to the event loop while the buffer has room.
                    await asyncio.sleep(0)
        writer.close()


async def _read(reader: asyncio.StreamReader) -> ReceivedRequest:
    """Reads a request; our client sends the length of each body."""
    head = (await reader.readuntil(_END_OF_HEAD)).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ReceivedRequest(method, target, headers, body)


def redirected(credentials: Mapping[str, str], port: int, raw_server: RawServer) -> dict[str, str]:
    """Returns credentials with the address of a local port replaced by the raw server's."""
    there = f"127.0.0.1:{raw_server.port}"
    return {
        name: str(raw_server.port)
        if value == str(port)
        else value.replace(HOST, "127.0.0.1").replace(f"127.0.0.1:{port}", there)
        for name, value in credentials.items()
    }


def port_of(url: str) -> int:
    """Returns the port in a URL."""
    port = urlsplit(url).port
    assert port
    return port


def corrupted(reply: Reply, corrupt: Callable[[Any], Any]) -> Reply:
    """Returns a valid answer with its JSON, or its text, corrupted."""
    try:
        answer = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        answer = reply.body.decode(errors="replace")
    changed = corrupt(answer)
    text = changed if isinstance(changed, str) else json.dumps(changed)
    return replace(reply, body=text.encode(errors="surrogatepass"))


def forwarding(port: int) -> Callable[[ReceivedRequest], Awaitable[Reply]]:
    """Returns a function that forwards a request to a local port."""

    async def _forward(asked: ReceivedRequest) -> Reply:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        headers = {**asked.headers, "connection": "close", "accept-encoding": "identity"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{asked.method} {asked.target} HTTP/1.1\r\n{lines}\r\n"
        writer.write(head.encode("latin-1") + asked.body)
        answer = await reader.read()
        writer.close()
        first, _, rest = answer.partition(b"\r\n")
        lines_of_head, _, body = rest.partition(_END_OF_HEAD)
        known = {
            name.strip().lower(): value.strip()
            for name, _, value in (
                line.partition(":") for line in lines_of_head.decode("latin-1").split("\r\n")
            )
        }
        return Reply(int(first.split(b" ")[1]), known.get("content-type", "text/plain"), body)

    return _forward
