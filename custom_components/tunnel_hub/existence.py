"""Which resources and fields exist, as a feed's answers have shown."""

from collections.abc import Collection, Iterable, Set as AbstractSet


class Existence:
    """What exists. One answer may be a slip: gone or missing is what two in a row do not have.

    known: ids of resources that exist, also those that the last answer left out.
    lacking: fields that this version of the service does not tell, as of the last answer.
    missing: fields that two answers in a row did not tell.
    """

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.lacking: frozenset[str] = frozenset()
        self.missing: frozenset[str] = frozenset()
        self._announced: set[str] = set()
        self._absent: set[str] = set()
        self._fields_known = False

    @property
    def is_doubtful(self) -> bool:
        """Whether the last answer left out something that may still exist."""
        return bool(self._absent)

    def remember(self, ids: Iterable[str], *, doubted: bool) -> None:
        """Count what was known before a restart as existing.

        doubted: whether the first answer alone decides.
        """
        self.known.update(ids)
        if doubted:
            self._absent.update(self.known)

    def forget(self, resource_id: str) -> None:
        """Give a resource up; it is new in the next answer that lists it."""
        for ids in (self.known, self._announced, self._absent):
            ids.discard(resource_id)

    def see_resources(
        self, listed: AbstractSet[str], *, confirms: bool
    ) -> tuple[Collection[str], Collection[str]]:
        """Take in which resources an answer lists; return the ids that are new and that are gone.

        confirms: whether this answer can be the second one that lacks a resource.
        """
        if listed == self.known == self._announced:
            self._absent = set()
            return (), ()
        absent = self.known - listed
        gone = absent & self._absent if confirms else set()
        added = listed - self._announced
        self._absent = absent - gone
        self.known = (self.known | listed) - gone
        self._announced = (self._announced | listed) - gone
        return added, gone

    def see_fields(self, lacking: frozenset[str]) -> bool:
        """Take in which fields an answer lacks; tell whether that differs from before."""
        missing = lacking & self.lacking if self._fields_known else self.missing
        differs = (lacking, missing) != (self.lacking, self.missing)
        self.lacking, self.missing, self._fields_known = lacking, missing, True
        return differs
