"""What can be done with the rows that a service keeps: tunnels, nodes, users, subdomains..."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import UnsupportedError
from ..models.base import Resource
from ..models.subdomains import Subdomain
from . import Capability


async def _unsupported(*_: object) -> None:
    raise UnsupportedError


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableCollection[Draft]:
    """Rows of one kind that can be created, changed and deleted.

    create: creates a row; its id. update: changes what the payload names and nothing else.
    delete: deletes a row; one that is gone already counts as deleted.
    """

    create: Callable[[Draft], Awaitable[str]]
    update: Callable[[str, Draft], Awaitable[None]] = _unsupported
    delete: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubdomainCollection(EditableCollection[Subdomain]):
    """The account's names under domains of the service.

    list: returns them. domains: returns the domains under which there may be names.
    """

    list: Callable[[], Awaitable[tuple[Subdomain, ...]]]
    domains: Callable[[], Awaitable[tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateCollection[Draft](EditableCollection[Draft]):
    """The TLS certificates of a node. pem: returns one by its id, never its key."""

    pem: Callable[[str], Awaitable[str]]


class CanEdit(Capability):
    """The service has rows that can be edited.

    toggled: the resources whose rows can be enabled and disabled.
    """

    toggled: ClassVar[Collection[type[Resource]]] = ()

    @abstractmethod
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        """Return what can be edited, by the class of its payloads."""

    def collection[Draft](self, payload: type[Draft]) -> EditableCollection[Draft]:
        """Return the rows that are made of such payloads; raises UnsupportedError."""
        if (collection := self.collections().get(payload)) is None:
            raise UnsupportedError
        return collection

    async def set_enabled(self, of: type[Resource], row_id: str, *, enabled: bool) -> None:
        """Enable or disable a row of one of the kinds in `toggled`."""
        raise UnsupportedError


def can_toggle(provider: object, of: type[Resource]) -> bool:
    """Tell whether resources of a kind can be enabled and disabled."""
    return isinstance(provider, CanEdit) and of in provider.toggled
