"""What a person would name: accounts, tunnels, nodes and the service itself.

Every resource is an immutable value with an id that is unique in its feed. Units are fixed
here: traffic in bytes, shares in percent (above 100 where a service counts like that), moments as
aware datetimes. Unknown is None, never 0, "" or -1. Which fields a service fills is told by its
feed. What a field whose name ends in `_today` holds is true for one day of the service, and unknown
on the next.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing at a service.

    kind: its name in identifiers, never shown.
    part_of: the kind of the thing with the same id that it tells something about.
    may_be_enabled_later: whether `enabled_by_default` may become true later.
    """

    kind: ClassVar[str]
    part_of: ClassVar[str | None] = None
    may_be_enabled_later: ClassVar[bool] = False

    id: str
    name: str | None = None

    @property
    def enabled_by_default(self) -> bool:
        """Whether most people want to see it without having asked."""
        return True


def today_fields(resource: type[Resource]) -> Collection[str]:
    """Return the names of a class's fields whose values belong to one day of the service."""
    return tuple(field.name for field in fields(resource) if field.name.endswith("_today"))


def without_today[R: Resource](resource: R) -> R:
    """Return a resource without what belongs to one day of the service."""
    known: dict[str, Any] = {
        name: None for name in today_fields(type(resource)) if getattr(resource, name) is not None
    }
    return replace(resource, **known) if known else resource
