"""Remembers which resources and fields exist, based on the answers of a feed.

It removes nothing: `devices.py` and `entity.py` remove what is gone.
"""

from collections.abc import Collection, Iterable, Set as AbstractSet


class Inventory:
    """The resources and fields that exist. Only two answers in a row confirm that one is gone.

    known: ids of resources that exist, including those that only the last answer did not list.
    unsupported_fields: fields that the service's version does not provide, by the last answer.
    missing_fields: fields that two answers in a row did not provide.
    """

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.unsupported_fields: frozenset[str] = frozenset()
        self.missing_fields: frozenset[str] = frozenset()
        self._announced: set[str] = set()
        self._absent: set[str] = set()
        self._fields_known = False

    @property
    def awaits_confirmation(self) -> bool:
        """Whether the last answer did not list a resource that may still exist."""
        return bool(self._absent)

    def remember(self, ids: Iterable[str], *, doubted: bool) -> None:
        """Add the resources that were known before a restart.

        doubted: whether the first answer alone decides whether they still exist.
        """
        self.known.update(ids)
        if doubted:
            self._absent.update(self.known)

    def forget(self, resource_id: str) -> None:
        """Remove a resource. The next answer that lists it adds it again."""
        for ids in (self.known, self._announced, self._absent):
            ids.discard(resource_id)

    def update_resources(
        self, listed: AbstractSet[str], *, confirms: bool
    ) -> tuple[Collection[str], Collection[str]]:
        """Update the resources; return the ids of new ones and of those that are gone.

        confirms: whether this answer can be the second one that does not list a resource.
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

    def update_fields(self, unsupported_fields: frozenset[str]) -> bool:
        """Update the fields; return whether something changed."""
        missing = (
            unsupported_fields & self.unsupported_fields
            if self._fields_known
            else self.missing_fields
        )
        differs = (unsupported_fields, missing) != (self.unsupported_fields, self.missing_fields)
        self.unsupported_fields, self.missing_fields, self._fields_known = (
            unsupported_fields,
            missing,
            True,
        )
        return differs
