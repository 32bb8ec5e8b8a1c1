"""What a program lists only for as long as it runs itself: things that exist nevertheless."""

from collections.abc import Iterable, Mapping, Set as AbstractSet
from typing import Any

LASTS = 7 * 86400.0
"""Seconds for which something is told of that is no longer listed. frps itself forgets then."""

_SINCE = "unlisted_since"

type Facts = Mapping[str, Any]
"""What is still told of a thing: JSON."""


class UnlistedResources:
    """Remembers the facts of all things that were listed, over a restart of either side.

    changed: whether that differs from what was stored last.
    """

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._since: dict[str, float] = {}
        self.changed = False

    def restore(self, memory: object) -> None:
        """Take back what `stored` has returned."""
        for id_, facts in memory.items() if isinstance(memory, dict) else ():
            if isinstance(facts, dict):
                since = facts.get(_SINCE)
                self._facts[id_] = {name: v for name, v in facts.items() if name != _SINCE}
                if isinstance(since, int | float):
                    self._since[id_] = since

    def stored(self) -> dict[str, object]:
        """Return all that is remembered, as JSON, to be stored now."""
        self.changed = False
        return {
            id_: {**facts, **({_SINCE: self._since[id_]} if id_ in self._since else {})}
            for id_, facts in self._facts.items()
        }

    def facts(self, id_: str) -> Facts:
        """Return what is known of a thing; nothing of one that was never listed."""
        return self._facts.get(id_, {})

    def note(self, id_: str, facts: Facts) -> None:
        """Remember facts."""
        if self._facts.get(id_) != facts:
            self._facts[id_], self.changed = facts, True

    def follow(self, listed: AbstractSet[str], now: float) -> None:
        """Take in what is listed. now: seconds since 1970."""
        for id_ in self._since.keys() & listed:
            del self._since[id_]
            self.changed = True
        for id_ in self._facts.keys() - listed - self._since.keys():
            self._since[id_], self.changed = now, True
        self.drop({id_ for id_, since in self._since.items() if now - since > LASTS})

    def ids(self) -> AbstractSet[str]:
        """Return the ids of what is told of although it is not listed."""
        return self._since.keys()

    def drop(self, ids: Iterable[str]) -> None:
        """Tell no more of things, until they are listed again."""
        for id_ in ids:
            if self._facts.pop(id_, None) is not None:
                self.changed = True
            self._since.pop(id_, None)
