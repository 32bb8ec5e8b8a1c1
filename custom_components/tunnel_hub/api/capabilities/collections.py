"""Capabilities for collections: tunnels, nodes, users, subdomains and so on."""

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

    create: creates a row and returns its id.
    update: changes only the values in the payload.
    delete: deletes a row; succeeds if it does not exist.
    """

    create: Callable[[Draft], Awaitable[str]]
    update: Callable[[str, Draft], Awaitable[None]] = _unsupported
    delete: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubdomainCollection(EditableCollection[Subdomain]):
    """The account's subdomains.

    list: returns them.
    domains: returns the domains for subdomains.
    """

    list: Callable[[], Awaitable[tuple[Subdomain, ...]]]
    domains: Callable[[], Awaitable[tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateCollection[Draft](EditableCollection[Draft]):
    """The TLS certificates of a node.

    pem: returns one by id, without its key.
    """

    pem: Callable[[str], Awaitable[str]]


class CanEdit(Capability):
    """The service has editable collections.

    toggled: the resources that can be enabled and disabled.
    """

    toggled: ClassVar[Collection[type[Resource]]] = ()

    @abstractmethod
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        """Return the collections by the class of their payloads."""

    def collection[Draft](self, payload: type[Draft]) -> EditableCollection[Draft]:
        """Return the collection for a class of payloads; raises UnsupportedError."""
        if (collection := self.collections().get(payload)) is None:
            raise UnsupportedError
        return collection

    async def set_enabled(self, of: type[Resource], row_id: str, *, enabled: bool) -> None:
        """Enable or disable a resource of a class in `toggled`."""
        raise UnsupportedError


def can_toggle(provider: object, of: type[Resource]) -> bool:
    """Return whether resources of a class can be enabled and disabled."""
    return isinstance(provider, CanEdit) and of in provider.toggled
