"""Malicious answers: bodies, corrupted values, names and raw HTTP."""

from asyncio import sleep
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cache, partial
import gzip
import json
from typing import Any
import zlib

from ..reliability.providers import Case
from .raw_server import Raw

MEGABYTE = 1024**2
_NEAR_LIMIT = 8 * MEGABYTE - 64
"""Just below the size limit of most answers."""

# Replacements for texts

EVIL = '<img src=x onerror="alert(1)"> [free](https://evil.example) {{ 1 + 1 }} `x`'

TEXTS: Mapping[str, str] = {
    "100,000 letters": "a" * 100_000,
    "100,000 mail addresses": "a@b." * 25_000,
    "100,000 escapes": "%41" * 33_000,
    "100,000 backslashes": "\\" * 100_000,
    "100,000 entities": "&amp;" * 20_000,
    "100,000 spaces": " " * 100_000,
    "100,000 Chinese characters": "签已" * 50_000,
    "100,000 line ends": "\r\n" * 50_000,
    "half a character": "x\ud800y",
    "NUL": "a\x00b",
    "control characters": "\x1b[2J\x07\x7f\x85a\rERROR\n2026-01-01 ERROR b",
    "right to left": "\u202egpj.exe\u2066\u2069",
    "combining characters": "a" + "\u0301" * 10_000,
    "characters above 16 bits": "\U0001f468\u200d\U0001f469" * 2000,
    "HTML, Markdown, template": EVIL,
    "script": "</script><script>alert(1)</script>",
    "template of Home Assistant": "{{ states | list }}{% for a in range(10**9) %}x{% endfor %}",
    "format": "%s%s%n{0.__class__}{message}",
    "path": "../../../../etc/passwd\x00.json",
    "URL": "https://user:pass@evil.example/\u2066",
    "5,000 digits": "9" * 5000,
    "a number without end": "1e400",
    "not a number": "NaN",
    "a date out of range": "9999-12-31T23:59:59.999999-23:59",
    "a date before all time zones": "0001-01-01T00:00:00+14:00",
    "empty": "",
}

NAMES: Mapping[str, str] = {
    name: TEXTS[name]
    for name in (
        *("100,000 letters", "NUL", "control characters", "right to left"),
        *("combining characters", "characters above 16 bits", "HTML, Markdown, template"),
        *("script", "template of Home Assistant", "format", "path", "URL", "empty"),
    )
} | {
    "10,000 letters": "x" * 10_000,
    "80 Chinese characters": "隧道" * 40,
    "248 letters": "x" * 248,
    "..": "..",
    "slashes": "a/b//c\\d",
    "a query": "a?b=c#d&e=%2e%2e%2f",
    "colons": "a:b:c:d",
    "an entity": "sensor.x",
}

NUMBERS: Mapping[str, object] = {
    "9e18": 9e18,
    "2**63": 2**63,
    "2**64 - 1": 2**64 - 1,
    "-2**63": -(2**63),
    "-1": -1,
    "1e308": 1e308,
    "5e-324": 5e-324,
    "253402300799, the last second": 253402300799,
    "10**400": 10**400,
    "digits of 2**63": str(2**63),
    "9e18 in a text": "9e18",
}


def rows(count: int) -> list[dict[str, object]]:
    """Returns rows with nothing but an id."""
    return [{"id": number, "name": f"n{number}"} for number in range(count)]


def nested(depth: int, inner: object = None) -> object:
    """Returns objects within objects."""
    for _ in range(depth):
        inner = {"a": inner}
    return inner


def _enveloped(value: object, **more: object) -> bytes:
    """Returns an answer that all providers accept, with a value in all fields for rows."""
    places = (
        "data",
        "nodes",
        "proxies",
        "servers",
        "lists",
        "results",
        "devices",
        "rules",
        "peers",
    )
    texts = ("message", "msg", "error", "info")
    return json.dumps(
        {
            "status": 200,
            "code": 200,
            "state": "success",
            **dict.fromkeys(places, value),
            **dict.fromkeys(texts, "fine"),
            **more,
        }
    ).encode()


def _rows_in(place: str) -> bytes:
    """Returns an accepted answer with as many rows as the size limit allows."""
    several = [{"id": number} for number in range(49_000)]
    return json.dumps({"status": 200, "code": 200, "state": "success", place: several}).encode()


_BILLION = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;&b;&b;</x>'

BODIES: Mapping[str, bytes | Callable[[], bytes]] = {
    # Not JSON, or truncated
    "nothing": b"",
    "spaces": b" " * 1000,
    "8 MB of spaces": lambda: b" " * _NEAR_LIMIT,
    "8 MB of NUL": lambda: b"\x00" * _NEAR_LIMIT,
    "8 MB of 0xFF": lambda: b"\xff" * _NEAR_LIMIT,
    "NUL": b"\x00",
    "text": "维护中，请稍后再试。".encode(),
    "text in GBK": "维护中，请稍后再试。".encode("gbk"),
    "8 MB of GBK": lambda: "汉字".encode("gbk") * (_NEAR_LIMIT // 4),
    "text with control characters": b"\x1b[2J\r\nERROR forged\r\n",
    "100,000 letters": b"a" * 100_000,
    "100,000 mail addresses": b"a@b." * 25_000,
    "an unclosed list": b"[[[[",
    "100,000 unclosed lists": b"[" * 100_000,
    "100,000 unclosed objects": b'{"a":' * 100_000,
    "an unclosed object": b'{"status": 200, "code": 200, "message": "',
    "8 MB in an unclosed text": lambda: b'{"message": "' + b"a" * _NEAR_LIMIT,
    "two documents": b'{"status": 200}{"status": 200}',
    "comments": b'{/* x */"status": 200}',
    "single quotes": b"{'status': 200}",
    "JSONP": b'callback({"status": 200});',
    "a prefix against inclusion": b')]}\'\n{"status": 200}',
    "YAML": b"status: !!python/object/apply:os.system ['true']",
    "a pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00}\x94.",
    "XML with entities": _BILLION,
    "a web page": b"<!DOCTYPE html><html><body>" + EVIL.encode() + b"</body></html>",
    "8 MB of paragraphs": lambda: b"<p>" * (_NEAR_LIMIT // 3),
    "8 MB of unclosed comments": lambda: b"words<!--" * (_NEAR_LIMIT // 9),
    "8 MB of HTML attributes": lambda: b"words<a" + b" b='" * (_NEAR_LIMIT // 4),
    "gzip without the header": gzip.compress(b'{"status": 200}'),
    # Unexpected JSON
    **{f"JSON {text}": text.encode() for text in ("null", "true", "0", '""', "[]", "{}", "[null]")},
    "JSON not a number": b'{"status": NaN, "code": Infinity}',
    "8 MB of digits": lambda: b"1" * _NEAR_LIMIT,
    "8 MB of digits in an object": lambda: (
        b'{"status": 200, "code": 200, "data": ' + b"1" * _NEAR_LIMIT + b"}"
    ),
    "8 MB of a text": lambda: b'"' + b"a" * _NEAR_LIMIT + b'"',
    "8 MB of escapes": lambda: (
        b'{"status": 200, "message": "' + b"\\u6c49" * (_NEAR_LIMIT // 6) + b'"}'
    ),
    "8 MB of lists": lambda: b"[" + b",".join([b"[]"] * (_NEAR_LIMIT // 3)) + b"]",
    "8 MB of objects": lambda: b"[" + b",".join([b"{}"] * (_NEAR_LIMIT // 3)) + b"]",
    "nested 1,000 times": json.dumps(nested(400, [nested(400)])).encode(),
    "half a character": b'{"status": 200, "code": 200, "message": "\\ud800"}',
    "every key twice": b'{"status": 200, "status": 403, "code": 200, "code": 401}',
    "keys of Python": b'{"__class__": {"__init__": 1}, "__proto__": {}, "status": 200}',
    "100,000 keys": lambda: json.dumps(
        {f"key{n}": n for n in range(49_000)} | {"status": 200}
    ).encode(),
    "after a byte order mark": "\ufeff".encode() + _enveloped([]),
    "in UTF-16": _enveloped([]).decode().encode("utf-16"),
    "a refusal in GBK": '{"status": 500, "code": 400, "error": "没有", "msg": "没有"}'.encode(
        "gbk"
    ),
    # Accepted answers with unexpected fields
    "rows: null": _enveloped(None),
    "rows: a text": _enveloped("x"),
    "rows: an object": _enveloped({"a": 1}),
    "rows: texts": _enveloped(["x"] * 1000),
    "rows: lists": _enveloped([[{}]] * 1000),
    "rows without an id": _enveloped([{"a": 1}] * 1000),
    "identical rows": _enveloped([{"id": 1, "name": "x"}] * 1000),
    "ids that are lists and objects": _enveloped([{"id": [1]}, {"id": {"a": 1}}, {"id": None}]),
    **{
        f"49,000 rows in {place}": partial(_rows_in, place)
        for place in ("data", "nodes", "proxies", "servers", "devices", "rules")
    },
    "49,000 rows": lambda: json.dumps([{"id": number} for number in range(49_000)]).encode(),
    "33,000 rows with names": lambda: json.dumps(rows(33_000)).encode(),
    "a row with a large object": lambda: _enveloped([{"id": 1, "name": "x", "a": rows(5000)}]),
    "a row of 8 MB": lambda: json.dumps(
        {"status": 200, "code": 200, "nodes": [{"id": 1, "a": [{"a": "}" * 100}] * 70_000}]}
    ).encode(),
    "a status without end": _enveloped([], status=9e18, code=10**400),
    "a status of 5,000 digits": _enveloped([], status="9" * 5000, code="9" * 5000),
    "a nested status": _enveloped([], status=nested(300), code=[[]]),
    "a refusal of 100,000 letters": _enveloped(
        [], status=500, code=400, **dict.fromkeys(("message", "msg", "error"), "a" * 100_000)
    ),
    "a refusal in lists": _enveloped(
        [], status=403, code=401, **{name: [["a"] * 1000] for name in ("message", "msg", "error")}
    ),
}

# Corruptions of valid answers

type Sample = Callable[[Sequence[Any], int], Sequence[Any]]
"""Returns a sample of a given size; in an extended run, all items."""

type Corruption = Callable[[Any], Any]


def _leaves(value: Any, change: Callable[[object], object], keep: frozenset[str]) -> Any:
    """Returns a value with all scalars changed, except in some fields."""
    match value:
        case dict():
            return {
                name: inner if name in keep else _leaves(inner, change, keep)
                for name, inner in value.items()
            }
        case list():
            return [_leaves(inner, change, keep) for inner in value]
    return change(value)


def _is_number(value: object) -> bool:
    """Returns whether this is a number, or its digits."""
    if isinstance(value, str):
        return value.strip("%-").replace(".", "", 1).isdecimal()
    return isinstance(value, int | float) and not isinstance(value, bool)


def _texts_are(text: str) -> Callable[[object], object]:
    return lambda value: text if isinstance(value, str) else value


def _numbers_are(number: object) -> Callable[[object], object]:
    return lambda value: number if _is_number(value) else value


def _all_are(other: object) -> Callable[[object], object]:
    return lambda _: other


def _many_rows(value: Any, count: int = 5000) -> Any:
    """Returns a value with the first row of each list repeated with other ids."""
    match value:
        case dict():
            return {name: _many_rows(inner, count) for name, inner in value.items()}
        case [dict() as row, *_] if {"id", "name", "key"} & row.keys():
            sample = range(min(count, 100_000 // (len(row) + 2)))
            return [{**row, **{n: f"{n}{i}" for n in ("id", "name") if n in row}} for i in sample]
    return value


def _deep_rows(value: Any) -> Any:
    """Returns a value with a large object in the first row of each list."""
    match value:
        case dict():
            return {name: _deep_rows(inner) for name, inner in value.items()}
        case [dict() as row, *others]:
            return [{**row, "a": nested(300, rows(2000)), "connections": rows(2000)}, *others]
    return value


def corruptions(case: Case) -> dict[str, Corruption]:
    """Returns all corruptions of a provider's answers that keep envelopes and ids, by name."""
    keep = (case.envelope - {"message", "msg"}) | case.ids
    changes: dict[str, Callable[[object], object]] = {
        **{f"texts: {name}": _texts_are(text) for name, text in TEXTS.items()},
        **{f"numbers: {name}": _numbers_are(number) for name, number in NUMBERS.items()},
        **{
            f"all: {name}": _all_are(other)
            for name, other in {
                "null": None,
                "true": True,
                "a list": [1],
                "an object": {"a": {"b": 1}},
                "9e18": 9e18,
                "a large object": rows(50),
            }.items()
        },
    }

    def _with(change: Callable[[object], object]) -> Corruption:
        return lambda answer: _leaves(answer, change, keep)

    return {
        **{name: _with(change) for name, change in changes.items()},
        "5,000 rows": _many_rows,
        "large rows": _deep_rows,
    }


def with_name(name: str) -> Corruption:
    """Returns a corruption that replaces all names."""
    names = frozenset({"name", "proxy_name", "node_name", "username", "title", "remarks", "notes"})

    def _rename(value: Any) -> Any:
        match value:
            case dict():
                return {
                    key: name if key in names and isinstance(inner, str) else _rename(inner)
                    for key, inner in value.items()
                }
            case list():
                return [_rename(inner) for inner in value]
        return value

    return _rename


# Raw HTTP

_OK = b"HTTP/1.1 200 OK\r\n"
_JSON = b"Content-Type: application/json\r\n"
_SHORT = b'{"status": 200, "code": 200}'
_LENGTH = b"Content-Length: %d\r\n" % len(_SHORT)
_CHUNKED = _OK + _JSON + b"Transfer-Encoding: chunked\r\n\r\n"


def _answer(*headers: bytes, body: bytes = _SHORT, first: bytes = _OK) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return first + _JSON + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


@cache
def _bomb(megabytes: int, wbits: int = 31) -> bytes:
    packer = zlib.compressobj(9, wbits=wbits)
    pieces = [packer.compress(bytes(MEGABYTE)) for _ in range(megabytes)]
    return b"".join((*pieces, packer.flush()))


RAW: Mapping[str, bytes | Callable[[], bytes]] = {
    "closed without a word": b"",
    "half a status line": b"HTTP/1.1 2",
    "a status line alone": _OK,
    "HTTP/0.9": _SHORT,
    "HTTP/1.0 without a length": b"HTTP/1.0 200 OK\r\n" + _JSON + b"\r\n" + _SHORT,
    "HTTP/3": b"HTTP/3.0 200 OK\r\n" + _LENGTH + b"\r\n" + _SHORT,
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
    "SMTP": b"220 mail.example.com ESMTP\r\n",
    "TLS": bytes.fromhex("15030300020228"),
    **{
        f"status {status}": _answer(first=f"HTTP/1.1 {status} X\r\n".encode())
        for status in (
            "0",
            "-1",
            "99",
            "999",
            "1000",
            "2 0 0",
            "abc",
            "200.5",
            "\u0662\u0660\u0660",
        )
    },
    "no reason": _answer(first=b"HTTP/1.1 200\r\n"),
    "a reason of 100 KB": _answer(first=b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n"),
    "a reason with NUL": _answer(first=b"HTTP/1.1 500 a\x00b\r\n"),
    "line feeds alone": _answer().replace(b"\r\n", b"\n"),
    "a header without a colon": _answer(b"nonsense"),
    "a header without a name": _answer(b": x"),
    "a header with a space": _answer(b"X y: z"),
    "a folded header": _answer(b"X: a\r\n b"),
    "a header with NUL": _answer(b"X: a\x00b"),
    "a header in Latin-1": _answer(b"X: \xe9\xff"),
    "a header of 1 MB": _answer(b"X: " + b"x" * MEGABYTE),
    "a header's name of 1 MB": _answer(b"x" * MEGABYTE + b": x"),
    "10,000 headers": _answer(*(b"X-%d: x" % number for number in range(10_000))),
    "1,000 cookies": _answer(*(b"Set-Cookie: a%d=b; Domain=.com" % n for n in range(1000))),
    "two lengths": _answer(b"Content-Length: 1"),
    "a length and chunks": _answer(b"Transfer-Encoding: chunked"),
    "a negative length": _OK + b"Content-Length: -1\r\n\r\n" + _SHORT,
    "a length in words": _OK + b"Content-Length: many\r\n\r\n" + _SHORT,
    "a length of 30 digits": _OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + _SHORT,
    "a length of 10 GB": _OK + b"Content-Length: 10000000000\r\n\r\n" + _SHORT,
    "too short": _OK + _JSON + b"Content-Length: 1000\r\n\r\n" + _SHORT,
    "too long": _OK + _JSON + b"Content-Length: 5\r\n\r\n" + _SHORT,
    "a chunk's size in words": _CHUNKED + b"many\r\n" + _SHORT,
    "a chunk's negative size": _CHUNKED + b"-5\r\n" + _SHORT,
    "a chunk of 16 exabytes": _CHUNKED + b"FFFFFFFFFFFFFFFF\r\n" + _SHORT,
    "a chunk without an end": _CHUNKED + b"5\r\nabcdefgh\r\n0\r\n\r\n",
    "chunks without an end": _CHUNKED + b"5\r\nabcde\r\n",
    "100,000 chunks": _CHUNKED + b"1\r\n \r\n" * 100_000 + b"0\r\n\r\n",
    "a chunk's extension of 1 MB": _CHUNKED + b"1;a=" + b"x" * MEGABYTE + b"\r\n \r\n0\r\n\r\n",
    "10,000 trailers": _CHUNKED + b"1\r\n \r\n0\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
    "chunks twice": _OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "an unknown transfer": _OK + b"Transfer-Encoding: cow\r\n\r\n" + _SHORT,
    "gzip of 64 MB": lambda: _answer(b"Content-Encoding: gzip", body=_bomb(64)),
    "deflate of 64 MB": lambda: _answer(b"Content-Encoding: deflate", body=_bomb(64, 15)),
    "gzip in gzip": lambda: _answer(b"Content-Encoding: gzip, gzip", body=gzip.compress(_bomb(64))),
    "gzip cut off": _answer(b"Content-Encoding: gzip", body=gzip.compress(_SHORT * 100)[:-9]),
    "no gzip": _answer(b"Content-Encoding: gzip"),
    "no brotli": _answer(b"Content-Encoding: br"),
    "no zstandard": _answer(b"Content-Encoding: zstd"),
    "an unknown encoding": _answer(b"Content-Encoding: cow"),
    "1,000 encodings": _answer(b"Content-Encoding: " + b", ".join([b"gzip"] * 1000)),
    **{
        f"charset {charset}": _answer(
            b"Content-Type: application/json; charset=" + charset.encode()
        )
        for charset in ("rot13", "idna", "zlib", "utf-7", "undefined", "x" * 1000, "")
    },
    "no content type": _OK + _LENGTH + b"\r\n" + _SHORT,
    "a content type of nonsense": _OK + b"Content-Type: ///;;;=\r\n" + _LENGTH + b"\r\n" + _SHORT,
    "10,000 times 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000 + _answer(),
    "other protocols": _answer(b"Upgrade: x", first=b"HTTP/1.1 101 X\r\n"),
    "204 with a body": _answer(first=b"HTTP/1.1 204 X\r\n"),
    "304 with a body": _answer(first=b"HTTP/1.1 304 X\r\n"),
    "a second answer": _answer() + _answer(first=b"HTTP/1.1 403 X\r\n"),
    "a redirect to a file": _answer(b"Location: file:///etc/passwd", first=b"HTTP/1.1 302 X\r\n"),
    "a redirect to nowhere": _answer(b"Location: http://[", first=b"HTTP/1.1 302 X\r\n"),
    "401 with a challenge": _answer(
        b'WWW-Authenticate: Digest realm="x"', first=b"HTTP/1.1 401 X\r\n"
    ),
    "500 of 100,000 letters": _answer(
        first=b"HTTP/1.1 500 X\r\n", body=json.dumps({"error": "a" * 100_000}).encode()
    ),
    "500 of 4 MB": lambda: (
        b"HTTP/1.1 500 X\r\nContent-Type: text/plain\r\n\r\n" + b"a@b." * MEGABYTE
    ),
    **{
        f"Retry-After {value[:30]}": _answer(
            b"Retry-After: " + value.encode(), first=b"HTTP/1.1 429 X\r\n"
        )
        for value in ("1e400", "-1", "nan", "9" * 5000, "Fri, 31 Dec 99999 23:59:59 GMT", "\u0661")
    },
}


async def _forever(first: bytes, again: bytes) -> AsyncIterator[bytes]:
    yield first
    while True:
        yield again


async def _slowly(text: bytes) -> AsyncIterator[bytes]:
    for byte in text:
        yield bytes((byte,))
        await sleep(1)


ENDLESS: Mapping[str, Callable[[], Raw]] = {
    "headers without end": lambda: _forever(_OK, b"X: y\r\n" * 100),
    "a header without end": lambda: _forever(_OK + b"X: ", b"y" * 1000),
    "100 Continue without end": lambda: _forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "a body without end": lambda: _forever(_OK + _JSON + b"\r\n", b" " * 1000),
    "chunks of nothing": lambda: _forever(_CHUNKED, b"1;x=y\r\n \r\n" * 100),
    "a chunk's size without end": lambda: _forever(_CHUNKED, b"0" * 1000),
    "trailers without end": lambda: _forever(_CHUNKED + b"0\r\n", b"X: y\r\n" * 100),
    "a byte a second": lambda: _slowly(_answer(body=_SHORT * 100)),
}
"""Answers without an end; each takes as long as the time limit of an answer."""


def build(thing: bytes | Callable[[], bytes]) -> bytes:
    """Returns the bytes of a table's entry; large ones are built on demand."""
    return thing if isinstance(thing, bytes) else thing()
