"""Gives the fields of a row every type that services have been seen to send.

What is read of them is right or unknown, never wrong. What is right, a test says for each field of
a resource, with the functions below; they share no code with what is tested.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from math import inf, isclose, isfinite, nan
import re
from typing import Any

type Row = Mapping[str, Any]
type Meaning = Callable[[Row], object]
"""The meaning of a resource's field for a row; None if it is unknown."""

WILD: Mapping[str, object] = {
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
"""And a field that is missing."""
_LARGEST = 2**63
_NUMBER = re.compile(r"\s*(-?\d{1,18}(?:\.\d+)?)%?\s*")


def wild_rows(row: Row) -> Iterator[tuple[str, Row]]:
    """Return a row with each of its fields in every type, and without it; named."""
    for field in row:
        yield f"{field} is missing", {name: row[name] for name in row if name != field}
        for kind, value in WILD.items():
            yield f"{field} is {kind}: {value!r}", {**row, field: value}


def check_readings(
    read: Callable[[Row], Any], row: Row, meanings: Mapping[str, Meaning], *, ignored: str = ""
) -> int:
    """Read a row in all its forms, and fail for a value that is wrong; how many were read.

    read: makes a resource of a row, None for a row that is none.
    meanings: for every field of the resource that can be told, what is right.
    ignored: a field of the row that is not to be changed, since the row needs it.
    """
    genuine = read(row)
    told = {field.name for field in fields(genuine) if getattr(genuine, field.name) is not None}
    assert told <= meanings.keys(), f"no meaning of {sorted(told - meanings.keys())}"
    for name, meaning in meanings.items():
        value, right = getattr(genuine, name), meaning(row)
        assert _same(value, right), f"{name} is {value!r}, recorded as {right!r}"
    count = 0
    for described, wild in wild_rows(row):
        if described.startswith(f"{ignored} is ") or (resource := read(wild)) is None:
            continue
        count += 1
        for name, meaning in meanings.items():
            value, right = getattr(resource, name), meaning(wild)
            assert value is None or _same(value, right), (
                f"{described}: {name} is {value!r}, right is {right!r}"
            )
    return count


def _same(value: object, right: object) -> bool:
    if isinstance(value, bool) or isinstance(right, bool):
        return value is right
    if isinstance(value, int | float) and isinstance(right, int | float):
        return isclose(value, right, rel_tol=1e-9, abs_tol=0.006)
    return value == right


# What is right


def as_number(value: object) -> float | None:
    """Return a number, also one in digits, that is finite and has 64 bits at most."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        value = float(found[1]) if found else None
    if not isinstance(value, int | float) or abs(value) >= _LARGEST or not isfinite(value):
        return None
    return float(value)


def amount(field: str, unit: float = 1, *, zero: bool = True) -> Meaning:
    """A number that is not negative, in a unit. zero: whether 0 means 0, not "none"."""

    def _right(row: Row) -> float | None:
        number = as_number(row.get(field))
        if number is None or number < 0 or (number == 0 and not zero):
            return None
        return number * unit

    return _right


def count(field: str) -> Meaning:
    """A whole number that is not negative; the nearest one to a fraction."""

    def _right(row: Row) -> int | None:
        number = as_number(row.get(field))
        return None if number is None or number < 0 else round(number)

    return _right


def flag(field: str) -> Meaning:
    """True or false, as bool, number or word."""
    words = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
    return lambda row: words.get(str(row.get(field)).strip().lower())


def text(field: str) -> Meaning:
    """A text; numbers as they are written."""

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
    """A moment in ISO 8601; without a time, midnight in UTC."""

    def _right(row: Row) -> datetime | None:
        try:
            found = datetime.fromisoformat(row.get(field, ""))
        except TypeError, ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    return _right


def day(field: str) -> Meaning:
    """A day, whatever time follows it."""

    def _right(row: Row) -> date | None:
        found = moment(field)(row)
        return found.date() if isinstance(found, datetime) else None

    return _right
