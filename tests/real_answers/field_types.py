"""Gives the fields of a row every type that services have sent.

The result must be correct or unknown, never wrong. A test defines the correct value of each field
of a resource with the functions below, which share no code with the parsers.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from math import inf, isclose, isfinite, nan
import re
from typing import Any

type Row = Mapping[str, Any]
type Meaning = Callable[[Row], object]
"""Returns the correct value of a resource's field for a row, None if it is unknown."""

ALL_TYPES: Mapping[str, object] = {
    "number": 7,
    "fraction": 7.5,
    "zero": 0,
    "negative": -1,
    "digits": "7",
    "digits and space": " 7 ",
    "fraction in digits": "7.5",
    "percent": "7.5%",
    "bool": True,
    "no bool": False,
    "word": "many",
    "word for a bool": "true",
    "empty": "",
    "spaces": "  ",
    "null": None,
    "huge": 1e30,
    "huge in digits": "1e30",
    "huge whole number": 10**30,
    "NaN": nan,
    "NaN in letters": "NaN",
    "infinite": inf,
    "moment": "2026-12-24T18:00:00.000Z",
    "day": "2026-12-24",
    "list": [],
    "list of something": [7],
    "object": {},
    "object of something": {"not": "expected"},
}
"""A missing field is tested, too."""
_MAX_NUMBER = 2**63
_NUMBER = re.compile(r"\s*(-?\d{1,18}(?:\.\d+)?)%?\s*")


def rows_of_all_types(row: Row) -> Iterator[tuple[str, Row]]:
    """Yield a row with each of its fields in every type, and without it, with descriptions."""
    for field in row:
        yield f"{field} is missing", {name: row[name] for name in row if name != field}
        for kind, value in ALL_TYPES.items():
            yield f"{field} is {kind}: {value!r}", {**row, field: value}


def check_field_types(
    read: Callable[[Row], Any], row: Row, meanings: Mapping[str, Meaning], *, ignored: str = ""
) -> int:
    """Read a row with all types, and fail for a wrong value; return how many were read.

    read: returns a resource for a row, None for an invalid row.
    meanings: the correct values of all fields of the resource that can be known.
    ignored: a field of the row that must not be changed.
    """
    genuine = read(row)
    known = {field.name for field in fields(genuine) if getattr(genuine, field.name) is not None}
    assert known <= meanings.keys(), f"no meaning of {sorted(known - meanings.keys())}"
    for name, meaning in meanings.items():
        value, right = getattr(genuine, name), meaning(row)
        assert _same(value, right), f"{name} is {value!r}, recorded as {right!r}"
    count = 0
    for description, changed in rows_of_all_types(row):
        if description.startswith(f"{ignored} is ") or (resource := read(changed)) is None:
            continue
        count += 1
        for name, meaning in meanings.items():
            value, right = getattr(resource, name), meaning(changed)
            assert value is None or _same(value, right), (
                f"{description}: {name} is {value!r}, right is {right!r}"
            )
    return count


def _same(value: object, right: object) -> bool:
    if isinstance(value, bool) or isinstance(right, bool):
        return value is right
    if isinstance(value, int | float) and isinstance(right, int | float):
        return isclose(value, right, rel_tol=1e-9, abs_tol=0.006)
    return value == right


# Correct values


def as_number(value: object) -> float | None:
    """Return a finite 64-bit number, also from digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        value = float(found[1]) if found else None
    if not isinstance(value, int | float) or abs(value) >= _MAX_NUMBER or not isfinite(value):
        return None
    return float(value)


def amount(field: str, unit: float = 1, *, zero: bool = True) -> Meaning:
    """A number that is not negative, in a unit. zero: whether 0 is a value, not "none"."""

    def _right(row: Row) -> float | None:
        number = as_number(row.get(field))
        if number is None or number < 0 or (number == 0 and not zero):
            return None
        return number * unit

    return _right


def count(field: str) -> Meaning:
    """A whole number that is not negative; fractions are rounded."""

    def _right(row: Row) -> int | None:
        number = as_number(row.get(field))
        return None if number is None or number < 0 else round(number)

    return _right


def flag(field: str) -> Meaning:
    """True or false, as bool, number or word."""
    words = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
    return lambda row: words.get(str(row.get(field)).strip().lower())


def text(field: str) -> Meaning:
    """A text, or a number as text."""

    def _right(row: Row) -> str | None:
        value = row.get(field)
        if isinstance(value, str):
            return value.strip() or None
        return None if as_number(value) is None else str(value)

    return _right


def one_of(field: str, words: Collection[str]) -> Meaning:
    """One of some words."""
    return lambda row: value if (value := row.get(field)) in list(words) else None


def moment(field: str) -> Meaning:
    """A time in ISO 8601; a date is midnight in UTC."""

    def _right(row: Row) -> datetime | None:
        try:
            found = datetime.fromisoformat(row.get(field, ""))
        except TypeError, ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    return _right


def day(field: str) -> Meaning:
    """A date; a time after it is ignored."""

    def _right(row: Row) -> date | None:
        found = moment(field)(row)
        return found.date() if isinstance(found, datetime) else None

    return _right
