"""Bodies, rows and errors in the formats of a Go program."""

from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass
import json
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from aiohttp import web

from simulator.service import Call, RefusedError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

OK = {"status": "ok"}


def text(content: str, status: int = 200, **headers: str) -> web.Response:
    """Return a text with a line end; the service also sends errors like this."""
    return web.Response(status=status, text=f"{content}\n", headers=headers)


def refuse(status: int, reason: str) -> RefusedError:
    """Return the exception for a refusal."""
    return RefusedError(text(reason, status, **{"X-Content-Type-Options": "nosniff"}))


def body_of(call: Call) -> Any:
    """Return the JSON of a body with any content type."""
    if not isinstance(call.body, bytes):
        return call.body
    if not call.body:
        raise refuse(400, "EOF")
    try:
        return json.loads(call.body)
    except ValueError as error:
        raise refuse(400, f"invalid JSON: {error}") from error


def object_of(call: Call) -> dict[str, Any]:
    """Return the JSON of a body that must be an object."""
    body = body_of(call)
    if not isinstance(body, dict):
        raise refuse(400, "json: cannot unmarshal into Go value of type struct")
    return body


def decode[Row: DataclassInstance](kind: type[Row], call: Call) -> Row:
    """Return the row of a body: missing fields are empty, unknown fields are ignored.

    A value of the wrong type is refused.
    """
    return _decoded(kind, object_of(call))


def given[Row: DataclassInstance](row: Row, call: Call) -> dict[str, Any]:
    """Return the fields of a row that its body contained."""
    return {name: getattr(row, name) for name in _given(type(row), object_of(call))}


def shown(row: DataclassInstance, *hidden: str) -> dict[str, Any]:
    """Return a row for a response, without the empty fields that Go omits."""
    omitted: Iterable[str] = getattr(row, "OMITTED", ())
    return {
        name: value
        for name, value in asdict(row).items()
        if name not in hidden and (value or name not in omitted)
    }


def _decoded[Row: DataclassInstance](kind: type[Row], body: dict[str, Any]) -> Row:
    hints = {field.name: field.type for field in fields(kind)}
    return kind(**{name: _value(hints[name], body[name], name) for name in _given(kind, body)})


def _given(kind: type[DataclassInstance], body: dict[str, object]) -> list[str]:
    return [field.name for field in fields(kind) if body.get(field.name) is not None]


def _value(hint: Any, value: object, name: str) -> object:
    if isinstance(hint, UnionType):
        (hint,) = set(get_args(hint)) - {NoneType}
    expected = dict if is_dataclass(hint) else get_origin(hint) or hint
    # Not isinstance: in Go a bool is not a number.
    if type(value) is not expected:
        raise refuse(400, f"json: cannot unmarshal into field {name} of type {expected.__name__}")
    match value:
        case list():
            (item,) = get_args(hint)
            return [_value(item, each, name) for each in value]
        case dict() if is_dataclass(hint) and isinstance(hint, type):
            return _decoded(hint, value)
        case _:
            return value
