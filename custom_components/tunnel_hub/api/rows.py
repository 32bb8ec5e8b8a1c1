"""Converts the rows of an answer to resources.

A table defines for each field where its value is and how to read it.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from .errors import Reason, UnavailableError
from .feed import Feed
from .models.base import Resource
from .time_slices import TimeSlice

type Row = Mapping[str, object]
type Source = Callable[[Row], object]


def field[T](name: str, read: Callable[[object], T]) -> Callable[[Row], T]:
    """Return a reader of one raw field."""
    return lambda row: read(row.get(name))


class RowParser[R: Resource]:
    """Converts one kind of row to one kind of resource.

    fields: the fields of the resource that the service provides.
    """

    def __init__(self, resource: type[R], **sources: Source) -> None:
        self._resource = resource
        self._sources = sources
        self.fields = frozenset(sources)

    def feed(
        self,
        key: str,
        interval: timedelta,
        fetch: Callable[[], Awaitable[Mapping[str, Any]]],
        idle_interval: timedelta | None = None,
        *,
        also: Collection[str] = (),
        **options: Any,
    ) -> Feed[Resource]:
        """Return the feed of these resources. also: fields of another source. options: Feed's."""
        fields = self.fields.union(also)
        return Feed(key, self._resource, fields, interval, fetch, idle_interval, **options)

    def one(self, row: Row, **known: Any) -> R | None:
        """Return a resource, or None for a row without an id.

        known: further fields that are not in the row.
        """
        values: dict[str, Any] = {name: read(row) for name, read in self._sources.items()} | known
        return self._resource(**values) if values.get("id") else None

    async def many(
        self, rows: Iterable[Row], one: Callable[[Row], R | None] | None = None
    ) -> dict[str, R]:
        """Return the resources of a feed by id, without rows that have no id or a duplicate one.

        one: parses a row instead of this parser. Runs in time slices, because there may be
        thousands of rows. Raises UnavailableError if no row has an id: then the service has
        renamed its fields.
        """
        time_slice = TimeSlice()
        one = one or self.one
        resources: dict[str, R] = {}
        row = None
        for row in rows:
            if (resource := one(row)) is not None:
                resources.setdefault(resource.id, resource)
            await time_slice.yield_if_due()
        if row is not None and not resources:
            raise UnavailableError(Reason.MALFORMED, "no ids")
        return resources


def rows_of(value: object) -> list[Row]:
    """The objects of a JSON list; anything else in it, or in its place, is left out."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def expected[T](value: T | None, what: str) -> T:
    """Return a value that an answer must contain; raises UnavailableError if it is None."""
    if value is None:
        raise UnavailableError(Reason.MALFORMED, f"no {what}")
    return value


def row_in(row: Row, name: str) -> Row:
    """The object in a field; raises UnavailableError if there is none."""
    value = row.get(name)
    return expected(value if isinstance(value, dict) else None, name)


def rows_in(value: object, what: str = "rows", *, null: bool = False) -> list[Row]:
    """The objects of a JSON list; raises UnavailableError for anything else.

    null: whether null means an empty list, as in Go.
    """
    if value is None and null:
        return []
    rows = rows_of(value)
    if not isinstance(value, list) or (value and not rows):
        raise UnavailableError(Reason.MALFORMED, f"no list of {what}")
    return rows


class RowCache[R: Resource]:
    """Parses a list repeatedly: what is unchanged, and in its old place, is not parsed again.

    Only for tables whose sources depend on the row alone.
    """

    def __init__(self, table: RowParser[R]) -> None:
        self._table = table
        self._rows: Sequence[Row] = ()
        self._parsed: Sequence[tuple[Row, R | None]] = ()
        self._resources: Mapping[str, R] = {}

    async def read(self, rows: Sequence[Row]) -> Mapping[str, R]:
        """Return the resources as RowParser.many does; the same mapping if no row changed."""
        if rows == self._rows:
            # The same objects are compared fastest: those of an answer that is kept.
            self._rows = rows
            return self._resources
        before = iter(self._parsed)
        parsed: list[tuple[Row, R | None]] = []

        def _one(row: Row) -> R | None:
            last, resource = next(before, (None, None))
            parsed.append((row, resource if row == last else self._table.one(row)))
            return parsed[-1][1]

        resources = await self._table.many(rows, _one)
        self._rows, self._parsed, self._resources = rows, parsed, resources
        return resources
