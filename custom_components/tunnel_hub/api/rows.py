"""From the rows of an answer to resources, as a table: field = where it stands, how to read it."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from .errors import Reason, UnavailableError
from .models.base import Resource
from .throttling import TimeSlice

type Row = Mapping[str, object]
type Source = Callable[[Row], object]


def field[T](name: str, read: Callable[[object], T]) -> Callable[[Row], T]:
    """Return a reader of one raw field."""
    return lambda row: read(row.get(name))


class RowParser[R: Resource]:
    """How one kind of row becomes one kind of resource.

    fields: the fields of the resource that this service can tell.
    """

    def __init__(self, resource: Callable[..., R], **sources: Source) -> None:
        """Take the resource's class and, for each field, its source."""
        self._resource = resource
        self._sources = sources
        self.fields = frozenset(sources)

    def one(self, row: Row, **known: object) -> R | None:
        """Build one resource; None for a row without an id.

        known: further fields that do not stand in the row.
        """
        values = {name: source(row) for name, source in self._sources.items()} | known
        return self._resource(**values) if values.get("id") else None

    def id_of(self, row: Row) -> object:
        """Read only a row's id."""
        return self._sources["id"](row)

    async def many(self, rows: Iterable[Row]) -> dict[str, R]:
        """Build a feed's mapping; rows without an id are left out, of doubles the first counts.

        In turns, as there may be thousands.

        Raises UnavailableError when no row has an id: that is a service that calls its fields by
        other names today, not one whose things are all gone.
        """
        turn = TimeSlice()
        resources: dict[str, R] = {}
        row = None
        for row in rows:
            if (resource := self.one(row)) is not None:
                resources.setdefault(resource.id, resource)
            await turn.yield_if_due()
        _check_ids(resources, of_rows=row is not None)
        return resources


def _check_ids(resources: Mapping[str, Resource], *, of_rows: bool) -> None:
    """Raise UnavailableError for rows of which none has an id."""
    if of_rows and not resources:
        raise UnavailableError(Reason.MALFORMED, "no ids")


def rows_of(value: object) -> list[Row]:
    """The objects of a JSON list; anything else in it, or in its place, is left out."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


class BuildCache[*Parts, R]:
    """Makes things out of parts by id, anew only those of which a part differs from last time."""

    def __init__(self, make: Callable[[*Parts], R]) -> None:
        """Take what makes one; it must depend on nothing but its parts."""
        self._make = make
        self._made: dict[str, tuple[tuple[*Parts], R]] = {}

    async def all(self, parts: Iterable[tuple[str, tuple[*Parts]]]) -> dict[str, R]:
        """Make all, each out of its parts; of doubles the first counts."""
        turn = TimeSlice()
        before, now = self._made, dict[str, tuple[tuple[*Parts], R]]()
        for id_, of in parts:
            if id_ in now:
                continue
            # Taken out one by one: thousands of old parts, let go of at once, would take a while.
            known = before.pop(id_, None)
            if known is not None and known[0] == of:
                # The new parts: of an answer that is kept in part, all would be kept.
                now[id_] = of, known[1]
            else:
                now[id_] = of, self._make(*of)
            await turn.yield_if_due()
        self._made = now
        return {id_: made for id_, (_, made) in now.items()}


class RowCache[R: Resource]:
    """Reads a list that hardly changes, again and again: only new and changed rows are built.

    For tables whose sources depend on nothing but the row.
    """

    def __init__(self, table: RowParser[R]) -> None:
        self._table = table
        self._cache = BuildCache[Row, R | None](table.one)
        self._rows: Sequence[Row] = ()
        self._resources: Mapping[str, R] = {}

    async def read(self, rows: Sequence[Row]) -> Mapping[str, R]:
        """Build a feed's mapping as RowParser.many does; the same one again if no row differs."""
        if rows != self._rows:
            self._rows = ()
            built = await self._cache.all((str(self._table.id_of(row)), (row,)) for row in rows)
            resources = {r.id: r for r in built.values() if r is not None}
            _check_ids(resources, of_rows=bool(rows))
            self._rows, self._resources = rows, resources
        return self._resources
