"""Decodes a long list a row at a time, so that nobody else in the house waits for it."""

from collections.abc import Iterator
import re

import orjson

from .pace import Turn

_BRACES = 64
"""How many closing braces a row may have: one for each object in it, and those in its words."""
_AFTER_ROW = re.compile(rb"[ \t\r\n]*(?:(?P<last>\])|,[ \t\r\n]*(?=\{))")
_BEFORE_ROWS = re.compile(rb"\[[ \t\r\n]*(?=\{)")
_STAND_IN = "\0"
"""In the place of the rows while the rest is decoded; in quotes, so that no text can hold it."""


async def decode(body: bytes) -> object:
    """Decode JSON as orjson.loads does; raises orjson.JSONDecodeError.

    In turns where the first list of objects is all there is, or stands in an object or in objects
    within each other: that is how services send many things. In one go otherwise.
    """
    try:
        return await _rows_in_turns(body)
    except ValueError:
        return orjson.loads(body)


async def _rows_in_turns(body: bytes) -> object:
    """Raise ValueError for anything but rows in their usual place."""
    before = _BEFORE_ROWS.search(body)
    if before is None:
        raise ValueError
    turn = Turn()
    rows: list[object] = []
    place = before.end()
    while True:
        row, end = _row(body, place)
        rows.append(row)
        if (after := _AFTER_ROW.match(body, end)) is None:
            raise ValueError
        place = after.end()
        if after["last"]:
            break
        await turn.give_way()
    rest = orjson.loads(body[: before.start()] + orjson.dumps(_STAND_IN) + body[place:])
    if rest == _STAND_IN:
        return rows
    [(holder, name)] = _holders(rest)
    holder[name] = rows
    return rest


def _holders(rest: object) -> Iterator[tuple[dict[str, object], str]]:
    """Find the stand-in, and what only looks like it, in objects within each other."""
    waiting = [rest]
    while waiting:
        if isinstance(holder := waiting.pop(), dict):
            waiting += holder.values()
            yield from ((holder, name) for name, value in holder.items() if value == _STAND_IN)


def _row(body: bytes, begin: int) -> tuple[object, int]:
    """Decode the object that begins here and tell where it ends.

    Up to one of the closing braces it is a whole one; no other beginning of it is JSON.
    """
    end = begin
    for _ in range(_BRACES):
        end = body.index(b"}", end) + 1
        try:
            return orjson.loads(body[begin:end]), end
        except orjson.JSONDecodeError:
            continue
    raise ValueError
