"""Varies the types in HayFrp's responses between string, number, bool and null."""

from collections.abc import Mapping
from zlib import crc32


def documented(value: object) -> object:
    """Return the value as documented: everything except null is a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def representations(value: object) -> tuple[object, ...]:
    """Return the value in every type that the service may send; text has only one."""
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


def vary_types(row: Mapping[str, object], place: str) -> dict[str, object]:
    """Return a row with one of these types for each field, always the same for a place."""
    return {name: _pick(representations(value), f"{place}/{name}") for name, value in row.items()}


def _pick(choices: tuple[object, ...], place: str) -> object:
    return choices[crc32(place.encode()) % len(choices)]
