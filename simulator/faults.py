"""Faults between a client and a service, for selected calls.

Every kind of fault is a function in `KINDS`; its keyword arguments are the options of a fault. A
kind that calls `exchange.genuine()` lets the service handle the call and damages the answer. With
other kinds, the call does not reach the service, so its state does not change.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
import gzip
import inspect
import json
import re
import socket
import struct

from aiohttp import web

from . import dotted_paths

MEGABYTE = 1024 * 1024
SHAPES: Mapping[str, object] = {"list": [1, 2], "number": 7, "string": "oops", "null": None}
FIREWALL_PAGE = (
    "<!DOCTYPE html><html><head><title>访问已被拦截</title></head>"
    "<body><h1>请求存在威胁,已被拦截</h1><script>check()</script></body></html>"
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call for a fault: the request, and the answers that the service would give."""

    request: web.Request
    genuine: Callable[[], web.Response]
    broken: Callable[[], web.Response]


type Kind = Callable[..., Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Fault:
    """Damages the matching calls to `route`, `times` of them after the first `after`.

    `route` is a path of the service's route table, a concrete path, or ``*``. `times` None means
    until cleared.
    """

    route: str
    kind: str
    match: Mapping[str, object] = field(default_factory=dict)
    times: int | None = 1
    after: int = 0
    options: Mapping[str, object] = field(default_factory=dict)
    seen: int = 0

    def __post_init__(self) -> None:
        """Refuse unknown kinds and options."""
        if self.kind not in KINDS:
            raise ValueError(f"no fault of kind {self.kind!r}; there are {', '.join(KINDS)}")
        inspect.signature(KINDS[self.kind]).bind(None, **self.options)

    def take(self) -> bool:
        """Count a matching call; return whether to damage it."""
        self.seen += 1
        turn = self.seen - self.after
        return turn > 0 and (self.times is None or turn <= self.times)

    async def damage_answer(self, exchange: Exchange) -> web.StreamResponse:
        """Return the damaged response."""
        return await KINDS[self.kind](exchange, **self.options)


def raw_or_json(content: object) -> bytes:
    """Return bytes and text unchanged, and anything else as JSON."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    return json.dumps(content, ensure_ascii=False).encode()


def _json(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=raw_or_json(content),
        status=status,
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


async def status(
    _: Exchange, *, status: int = 500, headers: Mapping[str, str] | None = None, body: object = ""
) -> web.StreamResponse:
    """An HTTP status, for instance 429 with headers={"Retry-After": "30"}."""
    return web.Response(body=raw_or_json(body), status=status, headers=headers)


async def body(
    _: Exchange, *, body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """Another body: an object as JSON, bytes and text unchanged."""
    return _json(body, status, headers)


async def error(exchange: Exchange) -> web.StreamResponse:
    """The service's own answer for an internal error."""
    return exchange.broken()


async def html(_: Exchange, *, status: int = 403) -> web.StreamResponse:
    """A firewall's page."""
    return web.Response(text=FIREWALL_PAGE, status=status, content_type="text/html")


async def patch(
    exchange: Exchange, *, patch: Mapping[str, object] | None = None, remove: Iterable[str] = ()
) -> web.StreamResponse:
    """The genuine JSON with dotted paths set or removed (``*`` means every item)."""
    genuine = exchange.genuine()
    answer = json.loads(genuine.body) if isinstance(genuine.body, bytes) else None
    for path, value in (patch or {}).items():
        dotted_paths.put(answer, path, value)
    for path in remove:
        dotted_paths.drop(answer, path)
    return _json(answer, genuine.status)


_ABSENT = object()
_NUMBER = re.compile(r"-?\d+(\.\d+)?%?")
DAMAGES: Mapping[str, Callable[[object], object]] = {
    "absent": lambda _: _ABSENT,
    "null": lambda _: None,
    "object": lambda _: {"not": ["what", "was", "expected"]},
    "huge": lambda value: 1e300 if _is_number(value) else value,
}


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _damaged(value: object, change: Callable[[object], object], keep: Collection[str]) -> object:
    """Change every value that is not a list, an object, or in a field to keep."""
    if isinstance(value, dict):
        changed = {
            key: inner if key in keep else _damaged(inner, change, keep)
            for key, inner in value.items()
        }
        return {key: inner for key, inner in changed.items() if inner is not _ABSENT}
    if isinstance(value, list):
        items = (_damaged(inner, change, keep) for inner in value)
        return [inner for inner in items if inner is not _ABSENT]
    return change(value)


def _doubled(value: object) -> object:
    """Duplicate every item of every list."""
    if isinstance(value, dict):
        return {key: _doubled(inner) for key, inner in value.items()}
    return [*map(_doubled, value)] * 2 if isinstance(value, list) else value


def _rewritten(exchange: Exchange, rewrite: Callable[[object], object]) -> web.StreamResponse:
    """Change the genuine JSON; other bodies stay unchanged."""
    genuine = exchange.genuine()
    try:
        answer = json.loads(genuine.body) if isinstance(genuine.body, bytes) else None
    except ValueError:
        return genuine
    if answer is None:
        return genuine
    return _json(json.dumps(rewrite(answer)), genuine.status)


async def damage(
    exchange: Exchange, *, to: str = "null", keep: Collection[str] = ()
) -> web.StreamResponse:
    """The genuine JSON with all values absent, null, an object, or (only numbers) huge."""
    return _rewritten(exchange, lambda answer: _damaged(answer, DAMAGES[to], keep))


async def double(exchange: Exchange) -> web.StreamResponse:
    """The genuine JSON with all list items duplicated."""
    return _rewritten(exchange, _doubled)


def _type_of(answer: web.Response) -> Mapping[str, str]:
    """Return the content type header of an answer; an empty one may have none."""
    return {name: answer.headers[name] for name in ("Content-Type",) if name in answer.headers}


async def cut(exchange: Exchange, *, keep: float = 0.5) -> web.StreamResponse:
    """The beginning of the genuine body, as a share of its length."""
    genuine = exchange.genuine()
    whole = genuine.body if isinstance(genuine.body, bytes) else b""
    return web.Response(
        body=whole[: int(len(whole) * keep)],
        status=genuine.status,
        headers=_type_of(genuine),
    )


async def empty(_: Exchange, *, status: int = 200) -> web.StreamResponse:
    """No body."""
    return web.Response(status=status)


async def wrong_type(_: Exchange, *, shape: str = "list") -> web.StreamResponse:
    """Valid JSON of an unexpected type: list, number, string or null."""
    return _json(json.dumps(SHAPES[shape]))


async def delay(exchange: Exchange, *, seconds: float) -> web.StreamResponse:
    """The genuine answer, late."""
    await asyncio.sleep(seconds)
    return exchange.genuine()


async def hang(_: Exchange) -> web.StreamResponse:
    """No answer until the client gives up."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def reset(exchange: Exchange) -> web.StreamResponse:
    """The TCP connection is reset."""
    transport = exchange.request.transport
    if transport is not None:
        # Without SO_LINGER, closing sends RST instead of FIN.
        no_linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, no_linger
        )
        transport.abort()
    return await hang(exchange)


async def lost(exchange: Exchange) -> web.StreamResponse:
    """The service handles the call, but the TCP connection is reset before the answer."""
    exchange.genuine()
    return await reset(exchange)


async def redirect(
    _: Exchange, *, location: str = "/login", status: int = 302
) -> web.StreamResponse:
    """A redirect to a login page."""
    return web.Response(status=status, headers={"Location": location})


async def huge(exchange: Exchange, *, megabytes: int = 32) -> web.StreamResponse:
    """A very large JSON body without a length."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(exchange.request)
    # A client may disconnect before the end.
    with suppress(ConnectionResetError):
        await response.write(b'{"status": 200, "padding": "')
        for _ in range(megabytes * 16):
            await response.write(b"x" * (MEGABYTE // 16))
        await response.write(b'"}')
    return response


@cache
def _compressed(megabytes: int) -> bytes:
    padding = b'{"status": 200, "padding": "' + b"x" * (megabytes * MEGABYTE) + b'"}'
    return gzip.compress(padding, compresslevel=1)


async def gzip_bomb(_: Exchange, *, megabytes: int = 32) -> web.StreamResponse:
    """A small compressed body that decompresses to many megabytes."""
    return web.Response(
        body=_compressed(megabytes),
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )


async def drip(exchange: Exchange, *, seconds: float = 0.05, size: int = 1) -> web.StreamResponse:
    """The genuine body in chunks of `size` bytes, with `seconds` between them."""
    genuine = exchange.genuine()
    whole = genuine.body if isinstance(genuine.body, bytes) else b""
    response = web.StreamResponse(headers=_type_of(genuine))
    await response.prepare(exchange.request)
    for start in range(0, len(whole), size):
        await asyncio.sleep(seconds)
        await response.write(whole[start : start + size])
    return response


KINDS: Mapping[str, Kind] = {
    kind.__name__: kind
    for kind in (
        status,
        body,
        error,
        html,
        patch,
        damage,
        double,
        cut,
        empty,
        wrong_type,
        delay,
        hang,
        reset,
        lost,
        redirect,
        huge,
        gzip_bomb,
        drip,
    )
}
