"""What can be done with the rows that a service keeps: tunnels, nodes, users, subdomains..."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UnsupportedError
from ..models.subdomains import Subdomain
from . import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableCollection[Draft]:
    """Rows of one kind that can be created, changed and deleted.

    create: creates a row; its id. update: changes what the payload names and nothing else.
    delete: deletes a row; one that is gone already counts as deleted.
    """

    create: Callable[[Draft], Awaitable[str]]
    update: Callable[[str, Draft], Awaitable[None]]
    delete: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubdomainCollection(EditableCollection[Subdomain]):
    """The account's names under domains of the service.

    list: returns them. domains: returns the domains under which there may be names.
    """

    list: Callable[[], Awaitable[tuple[Subdomain, ...]]]
    domains: Callable[[], Awaitable[tuple[str, ...]]]


class CanEdit(Capability):
    """The service has rows that can be edited."""

    @abstractmethod
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        """Return what can be edited, by the class of its payloads."""

    def collection[Draft](self, payload: type[Draft]) -> EditableCollection[Draft]:
        """Return the rows that are made of such payloads; raises UnsupportedError."""
        if (collection := self.collections().get(payload)) is None:
            raise UnsupportedError
        return collection
