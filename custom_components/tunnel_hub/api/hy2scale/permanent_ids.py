"""Gives things ids that stay when their names change.

The node identifies connections, peers and WireGuard peers by name, and names change: a new
connection takes the name of the node that it connects to, and a renamed node appears under its new
name. Therefore the first name becomes the id, and things are recognized later by a mark (an
address, a node id, a public key), by name, or by place.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ..rows import Row

_RENAME_SECONDS = 120.0
"""A renamed thing appears again within this time. A thing that is missing for longer was not
renamed.
"""
KEPT_SECONDS = 28 * 86_400.0
"""How long something is kept that the node no longer lists."""


class Sighting(NamedTuple):
    """A thing in an answer.

    marks: identify it, the most reliable one first.
    """

    name: str
    marks: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Known:
    """A thing that was seen before.

    id: never changes.
    name, marks: as last seen.
    parent: the id of the thing that it is below, or "".
    gone_at: since when it is missing, in seconds since 1970; None while it is listed.
    removed: whether the user has removed it while it was missing.
    facts: other data as last seen, as JSON.
    """

    id: str
    name: str
    marks: tuple[str, ...] = ()
    parent: str = ""
    gone_at: float | None = None
    removed: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


_EVIDENCE: tuple[Callable[[Sighting | Known], Collection[str]], ...] = (
    lambda thing: thing.marks[:1],
    lambda thing: thing.marks,
    lambda thing: (thing.name,),
)


def without_repetitions[K](rows: Iterable[tuple[K | None, Row]]) -> Iterator[tuple[K | None, Row]]:
    """Leave out exact repetitions of a row.

    rows: each with what identifies it; None for rows that are not identified.
    """
    firsts: dict[K, Row] = {}
    for identity, row in rows:
        first = row if identity is None else firsts.setdefault(identity, row)
        if first is row or first != row:
            yield identity, row


def recognise(found: Sequence[Sighting], known: Iterable[Known]) -> list[Known | None]:
    """Return the known thing for each sighting, or None for a new one.

    If several look the same, the first one matches the first; missing things match last.
    """
    candidates = sorted(known, key=lambda one: one.gone_at is not None)
    result: list[Known | None] = [None] * len(found)
    taken = set[str]()
    for evidence in _EVIDENCE:
        alike = defaultdict[str, deque[Known]](deque)
        for one in candidates:
            for sign in evidence(one) if one.id not in taken else ():
                alike[sign].append(one)
        for index, sighting in enumerate(found):
            if result[index] is not None:
                continue
            if seen := _first_left([alike[sign] for sign in evidence(sighting)], taken):
                result[index] = seen
                taken.add(seen.id)
    return result


def _first_left(queues: Iterable[deque[Known]], taken: Collection[str]) -> Known | None:
    """Return the first thing that isn't taken, and remove those in front of it from their queue."""
    for queue in queues:
        while queue and queue[0].id in taken:
            queue.popleft()
        if queue:
            return queue[0]
    return None


def renamed(known: Iterable[Known], *, but: Iterable[Known | None], now: float) -> list[Known]:
    """Return the things that may have a new name because they are missing for a short time."""
    others = {one.id for one in but if one}
    return [
        one
        for one in known
        if one.id not in others
        and not one.removed
        and (one.gone_at is None or now - one.gone_at <= _RENAME_SECONDS)
    ]


class Register:
    """The known things of one kind by id.

    changed: whether they differ from the stored data.
    """

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.changed = False
        self._numbers: dict[str, int] = {}

    def restore(self, stored: Iterable[Mapping[str, Any]]) -> None:
        """Restore stored data."""
        for row in stored:
            self.known[row["id"]] = Known(**{**row, "marks": tuple(row["marks"])})

    def stored(self) -> list[dict[str, Any]]:
        """Return the data to store, as JSON."""
        self.changed = False
        return [asdict(one) for one in self.known.values()]

    def present(self) -> list[Known]:
        """Return what is present."""
        return [one for one in self.known.values() if one.gone_at is None]

    def name_of(self, id_: str) -> str:
        """Return the current name of a thing, or its id if it is unknown."""
        one = self.known.get(id_)
        return one.name if one else id_

    def note(self, sighting: Sighting, one: Known | None, *, id_: str, parent: str = "") -> Known:
        """Update a thing with a sighting.

        one: the known thing, None for a new one.
        id_: for a new one.
        """
        if one is None:
            one = self._add(id_, sighting.name)
        self.set(one, name=sighting.name, parent=parent, gone_at=None, removed=False)
        if sighting.marks and not set(sighting.marks) <= set(one.marks):
            self.set(one, marks=sighting.marks)
        return one

    def _add(self, wanted: str, name: str) -> Known:
        """Add a thing; a number is appended to an id that is taken."""
        number = self._numbers.get(wanted, 1)
        id_ = wanted
        while id_ in self.known:
            number += 1
            id_ = f"{wanted}~{number}"
        self._numbers[wanted] = number
        one = self.known[id_] = Known(id=id_, name=name)
        self.changed = True
        return one

    def set(self, one: Known, **values: Any) -> None:
        """Change the stored facts of a thing."""
        for name, value in values.items():
            if getattr(one, name) != value:
                setattr(one, name, value)
                self.changed = True

    def miss_all_but(self, present: Collection[str], now: float) -> None:
        """Mark all others as missing; forget those that have been missing for weeks."""
        for one in list(self.known.values()):
            if one.id in present:
                continue
            if one.gone_at is None:
                self.set(one, gone_at=now)
            elif now - one.gone_at > KEPT_SECONDS:
                del self.known[one.id]
                self.changed = True

    def follow(self, found: Sequence[Sighting], now: float) -> list[Known]:
        """Recognize the things of a complete list, in its order."""
        matches = recognise(found, self.known.values())
        ones = [
            self.note(sighting, one, id_=sighting.name)
            for sighting, one in zip(found, matches, strict=True)
        ]
        self.miss_all_but({one.id for one in ones}, now)
        return ones
