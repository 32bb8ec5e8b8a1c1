"""Tests the conversion of rows to resources."""

from dataclasses import dataclass
from typing import ClassVar

from hypothesis import given, strategies as st
import pytest

from custom_components.tunnel_hub.api import coerce
from custom_components.tunnel_hub.api.errors import Reason, UnavailableError
from custom_components.tunnel_hub.api.feed import MINUTE
from custom_components.tunnel_hub.api.models.base import Resource
from custom_components.tunnel_hub.api.rows import (
    Row,
    RowCache,
    RowParser,
    expected,
    field,
    row_in,
    rows_in,
    rows_of,
)

from .payloads import JSON_VALUES


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Resource):
    """A resource with a number and a flag."""

    kind: ClassVar[str] = "thing"

    weight: int | None = None
    heavy: bool | None = None


THINGS = RowParser(
    Thing,
    id=field("no", coerce.text),
    name=field("title", coerce.text),
    weight=field("grams", coerce.count),
)


def test_fields_are_those_with_a_source() -> None:
    assert THINGS.fields == {"id", "name", "weight"}


def test_a_row_is_converted_to_a_resource() -> None:
    row = {"no": 7, "title": " seven ", "grams": "12", "heavy": True}

    assert THINGS.one(row) == Thing(id="7", name="seven", weight=12)


def test_missing_fields_are_unknown() -> None:
    assert THINGS.one({"no": "7"}) == Thing(id="7", name=None, weight=None, heavy=None)


def test_given_values_override_the_row() -> None:
    row = {"no": "7", "grams": 12}

    assert THINGS.one(row, heavy=True, weight=13) == Thing(id="7", weight=13, heavy=True)


@pytest.mark.parametrize("row", [{}, {"no": None}, {"no": ""}, {"no": [7]}])
async def test_a_row_without_an_id_is_skipped(row: Row) -> None:
    assert THINGS.one(row) is None
    assert await THINGS.many([row, {"no": 1}]) == {"1": Thing(id="1")}


async def test_rows_without_any_id_are_malformed() -> None:
    """Otherwise all resources would be removed, which is only correct for an empty list."""
    with pytest.raises(UnavailableError) as caught:
        await THINGS.many([{"number": "1"}, {"number": "2"}])
    assert caught.value.reason is Reason.MALFORMED
    assert await THINGS.many([]) == {}


async def test_the_first_row_with_an_id_counts() -> None:
    rows: list[Row] = [{"no": 1, "grams": 10}, {"no": 2}, {"no": "1", "grams": 20}]

    assert await THINGS.many(rows) == {"1": Thing(id="1", weight=10), "2": Thing(id="2")}
    assert list(await THINGS.many(rows)) == ["1", "2"]


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
async def test_any_json_value_as_rows(value: object) -> None:
    things = await THINGS.many(rows_of([value, {"no": 1, "grams": value}]))

    assert all(thing.id == id_ != "" for id_, thing in things.items())
    assert "1" in things


# Repeated reads of the same list


class CountingParser:
    """Builds resources, and records which."""

    def __init__(self) -> None:
        self.built: list[str] = []
        self.listing = RowCache(
            RowParser(Thing, id=field("no", coerce.text), weight=field("grams", self._weigh))
        )

    def _weigh(self, value: object) -> int | None:
        self.built.append(str(value))
        return coerce.count(value)


def raw(weights: dict[str, int]) -> list[Row]:
    """Return rows that are equal to earlier ones, but not the same objects."""
    return [{"no": number, "grams": weight} for number, weight in weights.items()]


async def test_an_unchanged_list_builds_no_resource() -> None:
    kitchen = CountingParser()
    first = await kitchen.listing.read(raw({"1": 10, "2": 20}))
    assert first == {"1": Thing(id="1", weight=10), "2": Thing(id="2", weight=20)}

    again = await kitchen.listing.read(raw({"1": 10, "2": 20}))

    assert again is first
    assert kitchen.built == ["10", "20"]


@pytest.mark.parametrize(
    "now, built",
    [
        ({"1": 10, "2": 21, "3": 30}, ["21"]),
        ({"1": 10, "2": 20, "3": 30, "4": 40}, ["40"]),
        ({"1": 10, "2": 20}, []),
        # A resource whose row has moved is built again.
        ({"2": 20, "3": 30}, ["20", "30"]),
        ({"2": 20, "1": 10, "3": 30}, ["20", "10"]),
        ({"1": 10, "4": 20, "3": 30}, ["20"]),
    ],
)
async def test_only_changed_rows_are_built(now: dict[str, int], built: list[str]) -> None:
    kitchen = CountingParser()
    first = await kitchen.listing.read(raw({"1": 10, "2": 20, "3": 30}))
    kitchen.built.clear()

    second = await kitchen.listing.read(raw(now))

    assert second == {id_: Thing(id=id_, weight=weight) for id_, weight in now.items()}
    assert list(second) == list(now)
    assert kitchen.built == built
    assert [id_ for id_ in second if second[id_] is first.get(id_)] == [
        id_ for id_, weight in now.items() if str(weight) not in built
    ]
    assert await kitchen.listing.read(raw(now)) is second
    assert kitchen.built == built


async def test_a_list_skips_rows_without_ids_and_duplicates() -> None:
    """Rows without an id are left out, of doubles the first counts."""
    rows: list[Row] = [{}, {"no": 1, "grams": 10}, {"no": ""}, {"no": "1", "grams": 20}, {"no": 2}]

    assert await RowCache(THINGS).read(rows) == await THINGS.many(rows)
    assert list(await RowCache(THINGS).read(rows)) == ["1", "2"]


@given(answers=st.lists(st.lists(JSON_VALUES), max_size=4))
async def test_a_listing_equals_uncached_rows(answers: list[list[object]]) -> None:
    listing = RowCache(THINGS)
    for answer in answers:
        rows = rows_of([{"no": n % 3, "grams": value} for n, value in enumerate(answer)])
        assert await listing.read(rows) == await THINGS.many(rows)


@pytest.mark.parametrize(
    "value, rows",
    [([], []), ([{"no": 1}], [{"no": 1}]), ([None, {"no": 1}, "x"], [{"no": 1}])],
)
def test_a_required_list(value: object, rows: list[Row]) -> None:
    assert rows_in(value) == rows_in(value, null=True) == rows


@pytest.mark.parametrize("value", ["", {}, {"no": 1}, 0, False, ["x"], [None], [[]]])
@pytest.mark.parametrize("null", [True, False])
def test_an_invalid_list(value: object, null: bool) -> None:
    """A list without objects is not empty: all its resources would be removed."""
    with pytest.raises(UnavailableError, match="malformed: no list of things"):
        rows_in(value, "things", null=null)


def test_null_is_an_empty_list_if_allowed() -> None:
    assert rows_in(None, null=True) == []
    with pytest.raises(UnavailableError, match="malformed: no list of rows"):
        rows_in(None)


def test_a_required_field() -> None:
    assert expected(0, "number") == 0
    assert row_in({"data": {}}, "data") == {}
    with pytest.raises(UnavailableError, match="malformed: no number"):
        expected(None, "number")


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_an_invalid_object(value: object) -> None:
    with pytest.raises(UnavailableError, match="malformed: no data"):
        row_in({"data": value}, "data")


def test_fields_of_a_feed() -> None:
    async def _fetch() -> dict[str, Thing]:
        return {}

    feed = THINGS.feed("things", MINUTE, _fetch, also=("heavy",), required=True)

    assert (feed.key, feed.resource, feed.interval) == ("things", Thing, MINUTE)
    assert (feed.fields, feed.idle_interval, feed.required) == (
        THINGS.fields | {"heavy"},
        None,
        True,
    )
