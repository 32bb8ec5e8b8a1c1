"""What a provider is: one account at one service, as feeds and commands."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import Any, ClassVar

from aiohttp import ClientSession

from .feed import Feed
from .http import Transport
from .models.base import Resource

type Credentials = Mapping[str, str]
"""What signs in: username, password, session token, base URL... by name; all secret."""

KIND = "kind"
"""The credential that names the kind of an entry: see Provider.kinds."""

type Options = Mapping[str, object]
"""What the user chose: see NODES, CHOSEN_NODES and NODE_DETAILS."""

OUTSIDE_ADDRESS = "outside_address"
"""Option: the host by which a server is reached from outside, where that is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose account it is. id: tells it from all others; title: what a person calls it.

    known_by: what Provider.is_account_of recognises it by, where the id can change.
    """

    id: str
    title: str
    known_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something that lasts until a person acts.

    key: one of the keys under `issues` in the translations. placeholders: named in its text;
    several names are listed there as the language does it.
    fixable: whether we can do it for the person, by the step of that name in repairs.py.
    """

    key: str
    placeholders: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    fixable: bool = False


PATIENCE = 3
"""Polls in a row that fail before a service on the internet no longer counts as answering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDescription:
    """What is known of a provider without an account.

    key: its name in stored entries. name: its proper name. console_url: the service's own page.
    model: what an account there is called in a device's model.
    time_zone: whose midnight begins the service's days; None where each has its own.
    has_outside_address: whether public addresses may begin with another host, see OUTSIDE_ADDRESS.
    has_public_tunnels: whether anybody can connect to the public addresses of its tunnels.
    has_account: whether there is one, which has a device.
    patience: how many polls in a row must fail before the last good values no longer count: one
    where the program runs at home, so that no internet and no firewall is to blame.
    """

    key: str
    name: str
    console_url: str
    model: str = "Account"
    time_zone: tzinfo | None = UTC
    has_public_tunnels: bool = False
    has_outside_address: bool = False
    has_account: bool = True
    patience: int = PATIENCE


class Provider(ABC):
    """One account at one service, as feeds and commands.

    kinds: the classes of the kinds of entries, by name, where a service has several that can do
    different things. An entry that names none is of the first.
    description: what is known without an account.
    feeds: what can be read, by key.
    credentials: as they are now. on_credentials: called, and awaited, with the new ones
    before they are used, whenever the provider renews them.
    on_memory: called, and awaited, with all that is to be remembered over a restart when that has
    changed, where a service does not tell it again: JSON.
    on_identity: called with what the account is now, when it is read and that can change.
    """

    kinds: ClassVar[Mapping[str, type[Provider]]] = MappingProxyType({})
    description: ClassVar[ProviderDescription]
    feeds: Mapping[str, Feed[Resource]]
    credentials: Credentials
    on_credentials: Callable[[Credentials], Awaitable[None]] | None = None
    on_memory: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None
    on_identity: Callable[[Identity], None] | None = None
    _transport: Transport

    @abstractmethod
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        """Prepare; nothing is sent before the first use."""

    def close(self) -> None:
        """Send nothing more: nobody waits for it. A sign-in that is being renewed is finished."""
        self._transport.close()

    def restore(self, memory: Mapping[str, Any]) -> None:  # noqa: B027  # Most have nothing to remember.
        """Take back what on_memory was called with, before anything is read."""

    async def keep(self, renewed: Credentials) -> None:
        """Store renewed credentials beside the others; only then may they be used."""
        self.credentials = {**self.credentials, **renewed}
        if self.on_credentials is not None:
            await self.on_credentials(self.credentials)

    async def remember(self, memory: Mapping[str, Any]) -> None:
        """Store what is to be remembered over a restart."""
        if self.on_memory is not None:
            await self.on_memory(memory)

    @property
    def time_zone(self) -> tzinfo | None:
        """Whose midnight begins the service's days; None as long as nobody knows."""
        return self.description.time_zone

    @property
    def console_url(self) -> str:
        """The account's own page, for a browser."""
        return self.description.console_url

    @abstractmethod
    async def identify(self) -> Identity:
        """Sign in where needed and tell whose account it is."""

    @classmethod
    def id_in(cls, credentials: Credentials) -> str | None:
        """Return the account's id as stored credentials tell it; None if one has to ask for it.

        Raises InvalidInputError for credentials that nobody could have entered.
        """
        return None

    def is_account_of(self, stored: Credentials, known_by: str) -> bool | None:
        """Tell whether stored credentials are of this account, although it had another id.

        known_by: as in the identity that it had last. None if that remains open. Asked after
        identify.
        """
        return False

    def issues(self) -> Iterable[Issue]:
        """Return the current issues, as far as they are known without a request."""
        return ()

    def statistics(self) -> Mapping[str, int]:
        """Return figures for diagnostics: requests sent, logins made..."""
        return {"requests": self._transport.requests}
