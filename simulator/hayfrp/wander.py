"""Varies the types of HayFrp's answers between string, number, bool and null."""

from collections.abc import Mapping
from zlib import crc32


def documented(value: object) -> object:
    """Return the value as documented: everything except null is a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def forms(value: object) -> tuple[object, ...]:
    """Return every type in which the value can be sent; text has only one."""
    match value:
        case None:
            return None, ""
        case bool():
            return documented(value), value, int(value), str(int(value))
        case int() | float():
            return str(value), value
        case str() if value.endswith("%"):
            return value, value[:-1], float(value[:-1])
        case _:
            return (value,)


def wander(row: Mapping[str, object], place: str) -> dict[str, object]:
    """Return a row with one of these types for each field, always the same for a place."""
    return {name: _pick(forms(value), f"{place}/{name}") for name, value in row.items()}


def _pick(choices: tuple[object, ...], place: str) -> object:
    return choices[crc32(place.encode()) % len(choices)]
