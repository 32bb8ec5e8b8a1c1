"""Decodes a long list a row at a time, so that nobody else in the house waits for it."""

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

    In turns where it is a list of objects, or an object with such a list before any other object:
    that is how services send many things. In one go otherwise.
    """
    try:
        return await _rows_in_turns(body)
    except ValueError:
        return orjson.loads(body)


async def _rows_in_turns(body: bytes) -> object:
    """Raise ValueError for anything but rows in their usual place."""
    before = _BEFORE_ROWS.search(body)
    if before is None or body.count(b"{", 0, before.start()) > 1:
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
    if isinstance(rest, dict) and list(rest.values()).count(_STAND_IN) == 1:
        return {name: rows if value == _STAND_IN else value for name, value in rest.items()}
    raise ValueError


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
