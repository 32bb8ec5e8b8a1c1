"""From rows to resources."""

from dataclasses import dataclass
from typing import ClassVar

from hypothesis import given
import pytest

from custom_components.tunnel_hub.api import coerce
from custom_components.tunnel_hub.api.errors import Reason, UnavailableError
from custom_components.tunnel_hub.api.resource import Resource
from custom_components.tunnel_hub.api.rows import Row, RowMap, at, rows_of

from .payloads import JSON_VALUES


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Resource):
    """Something with one reading and one flag."""

    kind: ClassVar[str] = "thing"

    weight: int | None = None
    heavy: bool | None = None


THINGS = RowMap(
    Thing,
    id=at("no", coerce.text),
    name=at("title", coerce.text),
    weight=at("grams", coerce.count),
)


def test_fields_are_those_with_a_source() -> None:
    assert THINGS.fields == {"id", "name", "weight"}


def test_a_row_becomes_a_resource() -> None:
    row = {"no": 7, "title": " seven ", "grams": "12", "heavy": True}

    assert THINGS.one(row) == Thing(id="7", name="seven", weight=12)


def test_what_stands_nowhere_in_the_row_is_unknown() -> None:
    assert THINGS.one({"no": "7"}) == Thing(id="7", name=None, weight=None, heavy=None)


def test_what_is_known_otherwise_goes_over_the_row() -> None:
    row = {"no": "7", "grams": 12}

    assert THINGS.one(row, heavy=True, weight=13) == Thing(id="7", weight=13, heavy=True)


@pytest.mark.parametrize("row", [{}, {"no": None}, {"no": ""}, {"no": [7]}])
def test_a_row_without_an_id_is_nothing(row: Row) -> None:
    assert THINGS.one(row) is None
    assert THINGS.many([row, {"no": 1}]) == {"1": Thing(id="1")}


def test_rows_that_all_lack_an_id_are_no_answer() -> None:
    """Or all the things would be taken for gone, which they are only when there is no row."""
    with pytest.raises(UnavailableError) as caught:
        THINGS.many([{"number": "1"}, {"number": "2"}])
    assert caught.value.reason is Reason.MALFORMED
    assert THINGS.many([]) == {}


def test_of_two_rows_with_one_id_the_first_counts() -> None:
    rows: list[Row] = [{"no": 1, "grams": 10}, {"no": 2}, {"no": "1", "grams": 20}]

    assert THINGS.many(rows) == {"1": Thing(id="1", weight=10), "2": Thing(id="2")}
    assert list(THINGS.many(rows)) == ["1", "2"]


@pytest.mark.parametrize(
    "value, rows",
    [
        ([{"a": 1}, {}], [{"a": 1}, {}]),
        ([{"a": 1}, None, 7, "x", [{"a": 2}]], [{"a": 1}]),
        ([], []),
        (None, []),
        ({"a": 1}, []),
        ("abc", []),
        (7, []),
    ],
)
def test_rows_are_the_objects_of_a_list(value: object, rows: list[object]) -> None:
    assert rows_of(value) == rows


@given(value=JSON_VALUES)
def test_any_json_value_can_be_taken_for_rows(value: object) -> None:
    things = THINGS.many(rows_of([value, {"no": 1, "grams": value}]))

    assert all(thing.id == id_ != "" for id_, thing in things.items())
    assert "1" in things
