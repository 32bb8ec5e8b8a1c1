"""The base class of resources: accounts, tunnels, nodes and so on.

A resource is immutable and has an id that is unique in its feed. Units: traffic in bytes, shares in
percent (above 100 if the service counts like that), times as aware datetimes. An unknown value is
None, never 0, "" or -1. The feed declares which fields a service provides. A field whose name ends
in `_today` is valid for one day of the service.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing at a service.

    kind: its name in identifiers, not shown to users.
    part_of: the kind of the resource with the same id whose device it shares.
    may_be_enabled_later: whether `enabled_by_default` can become true later.
    """

    kind: ClassVar[str]
    part_of: ClassVar[str | None] = None
    may_be_enabled_later: ClassVar[bool] = False

    id: str
    name: str | None = None

    @property
    def enabled_by_default(self) -> bool:
        """Whether its entities are enabled by default, as far as their rows in the tables are."""
        return True


def today_fields(resource: type[Resource]) -> Collection[str]:
    """Return the names of a class's fields that are valid for one day of the service."""
    return tuple(field.name for field in fields(resource) if field.name.endswith("_today"))


def without_today[R: Resource](resource: R) -> R:
    """Return a resource without the values that are valid for one day of the service."""
    known: dict[str, Any] = {
        name: None for name in today_fields(type(resource)) if getattr(resource, name) is not None
    }
    return replace(resource, **known) if known else resource
