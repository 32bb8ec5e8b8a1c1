"""Data types for a provider's reliability tests: kinds of entries, changes, calls and limits.

Each provider's test folder defines the data, see provider_modules.py.
"""

from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from custom_components.tunnel_hub.const import DOMAIN

from ..common import MINUTE
from .names import HOST

type AnyService = Any
"""One of the simulated services."""

type AnyRow = Any
"""A service's row for one resource."""

type Ask = Callable[[Any], Awaitable[object]]
"""Calls a provider; Any, because each row is for one type of provider."""


def with_host_name(url: str) -> str:
    """Returns an address with a host name, so that DNS lookups are tested."""
    return url.replace("127.0.0.1", HOST)


def url_of(service: AnyService) -> str:
    return with_host_name(service.url)


class Outcome(Enum):
    """The expected effect of a fault."""

    UNAVAILABLE = "unavailable"
    """No usable answer: the last good values are kept for a while, then unavailable."""
    REFUSED = "refused"
    """The login is refused: reauthentication starts."""
    HEALED = "healed"
    """Users don't notice it."""
    ODD = "odd"
    """Partly valid answers: no exception, no reauthentication, full recovery afterwards."""


class Value(NamedTuple):
    """An entity. thing: a kind and an id, such as "tunnel:1"."""

    platform: str
    thing: str
    key: str


@dataclass(frozen=True, slots=True)
class UserAction:
    """A user's action: one of the integration, or of an entity (key).

    after: an action to run before. asks: whether it sends a request.
    answers: names of faults that are valid answers here.
    """

    action: str
    thing: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    domain: str = DOMAIN
    key: str = ""
    after: UserAction | None = None
    asks: bool = True
    answers: frozenset[str] = frozenset()


def press(thing: str, key: str) -> UserAction:
    return UserAction("press", thing, domain="button", key=key)


def turn(action: str, thing: str, key: str) -> UserAction:
    """Returns the action that turns a switch on or off."""
    return UserAction(f"turn_{action}", thing, domain="switch", key=key)


def release(thing: str) -> UserAction:
    """Returns the action that turns force down off."""
    return replace(turn("off", thing, "force_down"), after=turn("on", thing, "force_down"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A fault of an account. end: reverts it where it does not end after some time.

    only_later: it needs an existing session.
    """

    begin: Callable[[AnyService], object]
    outcome: Outcome
    end: Callable[[AnyService], object] = lambda _: None
    only_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of entry.

    service: the provider, also its name in the simulator. kind: as in Provider.kinds. url: returns
    the service's address.
    credentials: of the entry's data. account: the end of the entry's unique id.
    ways: sign-in steps of the config flow, with their input.
    steady: entities whose states stay the same unless something changes.
    user_actions: the user's actions.
    interval: seconds until all steady entities have been polled.
    prepare: adapts the simulated service.
    other: credentials and the end of the unique id of another account; None where a service has
    only one. elsewhere: makes a second service distinguishable in that case.
    secrets: texts that must not appear in output. envelope: the fields that identify an answer;
    ids: those that identify a row.
    answers: names of faults that are valid answers at sign-in.
    """

    name: str
    service: str
    credentials: Callable[[AnyService], dict[str, str]]
    account: Callable[[AnyService], str]
    ways: Mapping[str, Callable[[AnyService], dict[str, Any]]]
    steady: tuple[Value, ...]
    user_actions: tuple[UserAction, ...]
    secrets: Callable[[AnyService], set[str | None]]
    envelope: frozenset[str]
    ids: frozenset[str]
    troubles: Mapping[str, Trouble]
    other: Callable[[AnyService], tuple[dict[str, str], str]] | None = None
    elsewhere: Callable[[AnyService], object] = lambda _: None
    interval: float = MINUTE
    prepare: Callable[[AnyService], object] = lambda _: None
    kind: str = ""
    url: Callable[[AnyService], str] = lambda service: str(service.url)
    answers: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The key in provider_modules.PROVIDER_DATA."""
        return self.kind or self.service


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChanges:
    """Changes that happen at a service every day.

    kind: of the resources that are added and removed. rows: the service's rows, by id; is_ours:
    whether one belongs to the account. add: adds a row. rename: renames one.
    end_tokens: ends the session; None if sessions expire.
    daily: whether traffic counters reset at midnight of the service.
    counts: whether the service has counters.
    forgets: the action that removes resources which the service no longer lists.
    """

    kind: str
    rows: Callable[[AnyService], dict[str, AnyRow]]
    add: Callable[[AnyService, int], None]
    rename: Callable[[AnyService, str, int], None]
    is_ours: Callable[[AnyRow], bool] = lambda _: True
    end_tokens: Callable[[AnyService], object] | None = None
    daily: bool = True
    forgets: str | None = None
    counts: bool = True


def another(rows: dict[str, AnyRow], id_: str, **fields: object) -> None:
    """Adds a copy of the first row with another id and other fields."""
    row = deepcopy(next(iter(rows.values())))
    for name, value in fields.items():
        setattr(row, name, value)
    rows[id_] = row


class Limits(NamedTuple):
    """Limits while no browser is connected.

    requests: per hour. seconds: within which the entity `online` turns off after `end`.
    """

    requests: int
    seconds: int
    online: Value
    end: Callable[[AnyService], None]


class Variant(NamedTuple):
    """A kind of entry. base: a similar variant, with which the snapshot is compared."""

    case: Case
    base: str | None = None
    prepare: Callable[[AnyService], object] = lambda _: None
    options: Mapping[str, Any] = MappingProxyType({})


def with_settings(**settings: object) -> Callable[[AnyService], None]:
    """Returns a function that changes the simulated service's settings."""

    def _prepare(service: AnyService) -> None:
        for name, value in settings.items():
            setattr(service.state.settings, name, value)

    return _prepare


def _nothing(_: AnyService) -> None:
    """The simulator's counters change with time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """The data of a provider.

    cases: kinds of entries. variants: those in tests/contract, by file name.
    resource_changes: at the service. commands: calls besides the feeds. limits: of an account's
    costs. settings: of the simulated service, so that all calls work, with a short history.
    measure: changes only measurements.
    extra: optional data of an entry with which more is polled.
    other_kinds: the data of other kinds of entries, where the provider has several.
    """

    cases: tuple[Case, ...]
    variants: Mapping[str, Variant]
    resource_changes: ResourceChanges
    commands: Mapping[str, Ask]
    limits: Limits
    settings: Mapping[str, object] = field(default_factory=dict)
    measure: Callable[[AnyService], None] = _nothing
    extra: Mapping[str, str] = field(default_factory=dict)
    other_kinds: tuple[Reliability, ...] = ()
