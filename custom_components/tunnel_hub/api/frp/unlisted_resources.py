"""Remembers resources that a program only lists while they are running."""

from collections.abc import Iterable, Mapping, Set as AbstractSet
from typing import Any

LASTS = 7 * 86400.0
"""Seconds for which an unlisted resource is shown. frps itself forgets it then."""

_SINCE = "unlisted_since"

type Facts = Mapping[str, Any]
"""The remembered fields of a resource, as JSON."""


class UnlistedResources:
    """Remembers the fields of all resources that were listed, across restarts of both sides.

    changed: whether they differ from the stored data.
    """

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._since: dict[str, float] = {}
        self.changed = False

    def restore(self, memory: object) -> None:
        """Restore the data that `stored` returned."""
        for id_, facts in memory.items() if isinstance(memory, dict) else ():
            if isinstance(facts, dict):
                since = facts.get(_SINCE)
                self._facts[id_] = {name: v for name, v in facts.items() if name != _SINCE}
                if isinstance(since, int | float):
                    self._since[id_] = since

    def stored(self) -> dict[str, object]:
        """Return all data to store, as JSON."""
        self.changed = False
        return {
            id_: {**facts, **({_SINCE: self._since[id_]} if id_ in self._since else {})}
            for id_, facts in self._facts.items()
        }

    def facts(self, id_: str) -> Facts:
        """Return the fields of a resource; empty if it was never listed."""
        return self._facts.get(id_, {})

    def note(self, id_: str, facts: Facts) -> None:
        """Remember the fields of a resource."""
        if self._facts.get(id_) != facts:
            self._facts[id_], self.changed = facts, True

    def follow(self, listed: AbstractSet[str], now: float) -> None:
        """Update which resources are listed.

        now: seconds since 1970.
        """
        for id_ in self._since.keys() & listed:
            del self._since[id_]
            self.changed = True
        for id_ in self._facts.keys() - listed - self._since.keys():
            self._since[id_], self.changed = now, True
        self.drop({id_ for id_, since in self._since.items() if now - since > LASTS})

    def ids(self) -> AbstractSet[str]:
        """Return the ids of resources that are shown although they are not listed."""
        return self._since.keys()

    def drop(self, ids: Iterable[str]) -> None:
        """Forget resources until they are listed again."""
        for id_ in ids:
            if self._facts.pop(id_, None) is not None:
                self.changed = True
            self._since.pop(id_, None)
