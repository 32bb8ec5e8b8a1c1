"""Converts payloads to the service's fields, and validates them.

The public source of the service stores everything without validation.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from .. import coerce
from ..errors import InvalidInputError
from ..models.directory import RelayNodeConnection, RelayNodeUpdate
from ..ports import check_port
from ..rows import Row
from . import models

_RESET_DAYS = range(32)
_NEEDED = ("name", "region", "connections")
_DEFAULTS: Mapping[str, object] = {
    "region_detail": "",
    "reset_cycle": 0,
    "tags": "",
    "valid_until": models.FOREVER.isoformat(),
    "allow_relay": 0,
}
"""Servers fail if one of these is missing."""


class _Field(NamedTuple):
    """A field of a row.

    write: converts the value of a payload. read: converts the value of a row.
    """

    raw: str
    write: Callable[[Any], object]
    read: Callable[[object], object]


def _text(value: object) -> str:
    return coerce.verbatim(value) or ""


def _secret(value: object) -> str:
    return coerce.secret(value) or ""


def _ways(connections: Sequence[RelayNodeConnection]) -> list[dict[str, object]]:
    return [{"type": way.type.upper(), "ip": way.host, "port": way.port} for way in connections]


def _ways_there(value: object) -> list[dict[str, object]]:
    return _ways(models.connections({"connections": value}))


def _as_it_is(value: object) -> object:
    return value


_FIELDS: Mapping[str, _Field] = {
    "name": _Field("node_name", _text, _text),
    "region": _Field("region_type", str, _text),
    "place": _Field("region_detail", _text, _text),
    "connections": _Field("connections", _ways, _ways_there),
    "bandwidth_tier": _Field("tier_bandwidth", _as_it_is, coerce.number),
    "bandwidth_maximum": _Field("max_bandwidth", _as_it_is, coerce.number),
    "traffic_allowed": _Field("max_traffic", _as_it_is, coerce.number),
    "reset_day": _Field("reset_cycle", _as_it_is, coerce.integer),
    "connections_allowed": _Field("max_connections", _as_it_is, coerce.integer),
    "tags": _Field("tags", ",".join, _text),
    "notes": _Field("notes", _text, _text),
    "valid_until": _Field("valid_until", date.isoformat, lambda value: _text(value)[:10]),
    "allow_relay": _Field("allow_relay", int, coerce.integer),
    "network_name": _Field("network_name", _text, _text),
    "network_secret": _Field("network_token", _secret, _secret),
}


def new_fields(payload: RelayNodeUpdate) -> dict[str, object]:
    """Return the fields of a new node; raises InvalidInputError."""
    for name in _NEEDED:
        if getattr(payload, name) is None:
            raise InvalidInputError("node_field_needed", field=name)
    return {**_DEFAULTS, **_named_fields(payload)}


def not_stored(payload: RelayNodeUpdate, row: Row) -> list[str]:
    """Return the names of fields that differ from the payload."""
    return [raw for raw in changed_fields(payload, row) if raw in row]


def changed_fields(payload: RelayNodeUpdate, row: Row) -> dict[str, object]:
    """Return the values of the payload that differ from the row; raises InvalidInputError.

    row: the current node; a missing field counts as different.
    """
    read = {field.raw: field.read for field in _FIELDS.values()}
    return {
        raw: value
        for raw, value in _named_fields(payload).items()
        if raw not in row or read[raw](row[raw]) != value
    }


def _named_fields(payload: RelayNodeUpdate) -> dict[str, object]:
    """Return the values of the payload in the service's words."""
    _check(payload)
    return {
        field.raw: field.write(value)
        for name, field in _FIELDS.items()
        if (value := getattr(payload, name)) is not None
    }


def _check(payload: RelayNodeUpdate) -> None:
    for name in _NEEDED:
        if getattr(payload, name) in ("", (), []):
            raise InvalidInputError("node_field_needed", field=name)
    for way in payload.connections or ():
        check_port(way.port)
    if payload.reset_day is not None and payload.reset_day not in _RESET_DAYS:
        raise InvalidInputError(
            "reset_day_out_of_range",
            day=str(payload.reset_day),
            minimum=str(_RESET_DAYS[0]),
            maximum=str(_RESET_DAYS[-1]),
        )
    # The service removes a node at the beginning of this day.
    if payload.valid_until is not None and payload.valid_until <= datetime.now(UTC).date():
        raise InvalidInputError("valid_until_past", date=payload.valid_until.isoformat())
