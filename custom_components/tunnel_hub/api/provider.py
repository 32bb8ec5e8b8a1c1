"""The base class of providers: one account at one service, as feeds and commands."""

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
"""Username, password, session token, base URL and so on by name. All values are secret."""

KIND = "kind"
"""The credential with the kind of an entry, see Provider.kinds."""

type Options = Mapping[str, object]
"""The options of the entry, see NODES, CHOSEN_NODES and NODE_DETAILS."""

OUTSIDE_ADDRESS = "outside_address"
"""Option: the public host of a server, if it differs from the address of the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Identifies an account.

    id: unique for the provider. title: its name for display.
    known_by: the properties that Provider.is_account_of recognizes it by, if the id can change.
    """

    id: str
    title: str
    known_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A problem that lasts until the user acts.

    key: the translation key below `issues`.
    placeholders: the values in its text; several names are joined as a list.
    fixable: whether there is a repair flow for it, see repairs.py.
    """

    key: str
    placeholders: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    fixable: bool = False


PATIENCE = 3
"""Failed polls in a row after which an internet service counts as unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDescription:
    """The properties of a provider without an account.

    key: its name in stored entries. name: the name of the service. console_url: its web page.
    model: the device model of an account.
    time_zone: the time zone of the service's days; None if each server has its own.
    has_outside_address: whether public addresses can have another host, see OUTSIDE_ADDRESS.
    has_public_tunnels: whether the public addresses of tunnels can be reached by everyone.
    has_account: whether the entry has an account, which has a device.
    patience: failed polls in a row after which the last values are not valid any more: one for a
    program at home, because the internet cannot be the cause.
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

    kinds: classes by kind of entry, for a service with several. The first one is the default.
    description: its properties without an account.
    feeds: by key.
    credentials: the current ones.
    on_credentials: called and awaited with renewed credentials before they are used.
    on_memory: called and awaited with JSON data to keep across restarts, when they change.
    on_identity: called with the current identity if it can change.
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
        """Send nothing more. Renewing a sign-in that is running is finished."""
        self._transport.close()

    def restore(self, memory: Mapping[str, Any]) -> None:  # noqa: B027  # Most have nothing to remember.
        """Restore the data that on_memory was called with, before the first read."""

    async def keep(self, renewed: Credentials) -> None:
        """Store renewed credentials; they may only be used after that."""
        self.credentials = {**self.credentials, **renewed}
        if self.on_credentials is not None:
            await self.on_credentials(self.credentials)

    async def keep_token(self, token: str) -> None:
        """Store the token of a new login."""
        await self.keep({"token": token})

    async def remember(self, memory: Mapping[str, Any]) -> None:
        """Store what is to be remembered over a restart."""
        if self.on_memory is not None:
            await self.on_memory(memory)

    @property
    def time_zone(self) -> tzinfo | None:
        """The time zone of the service's days; None while it is unknown."""
        return self.description.time_zone

    @property
    def console_url(self) -> str:
        """The web page of the account."""
        return self.description.console_url

    @abstractmethod
    async def identify(self) -> Identity:
        """Sign in if necessary and return the identity of the account."""

    @classmethod
    def id_in(cls, credentials: Credentials) -> str | None:
        """Return the account id in stored credentials; None if it must be requested.

        Raises InvalidInputError for credentials that cannot have been entered.
        """
        return None

    def is_account_of(self, stored: Credentials, known_by: str) -> bool | None:
        """Return whether stored credentials belong to this account, even with a different id.

        None if it is uncertain. Called after identify.

        known_by: of the identity that was stored with them.
        """
        return False

    def issues(self) -> Iterable[Issue]:
        """Return the current issues, without sending a request."""
        return ()

    def statistics(self) -> Mapping[str, int]:
        """Counters for diagnostics, such as requests and logins."""
        return {"requests": self._transport.requests}
