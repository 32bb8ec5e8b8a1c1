"""What the reliability tests know of a provider: kinds of entries, daily life, questions, limits.

Each provider tells it in its folder, see provider_modules.py.
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
"""One of the simulated services; each row knows which."""

type AnyRow = Any
"""What a service knows of one thing."""

type Ask = Callable[[Any], Awaitable[object]]
"""Asks a provider; Any, because each row knows which one it is for."""


def named(url: str) -> str:
    """Return an address with a name in it, so that names are looked up."""
    return url.replace("127.0.0.1", HOST)


def url_of(service: AnyService) -> str:
    return named(service.url)


class Outcome(Enum):
    """What a trouble comes to."""

    UNAVAILABLE = "unavailable"
    """No usable answer at all: wait, keep the last good values for a while, come back."""
    REFUSED = "refused"
    """The login is refused: ask the user."""
    HEALED = "healed"
    """Users notice nothing."""
    ODD = "odd"
    """Answers that make some sense: no exception, no new login, all as before afterwards."""


class Value(NamedTuple):
    """An entity. thing: such as "tunnel:1"."""

    platform: str
    thing: str
    key: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person does: an action of ours, or of an entity (key).

    after: what must have been done before. asks: whether the service is asked at all.
    answers: what is a fault elsewhere, but a good answer here.
    """

    action: str
    thing: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    domain: str = DOMAIN
    key: str = ""
    after: Act | None = None
    asks: bool = True
    answers: frozenset[str] = frozenset()


def press(thing: str, key: str) -> Act:
    return Act("press", thing, domain="button", key=key)


def turn(action: str, thing: str, key: str) -> Act:
    """Turn a switch on or off."""
    return Act(f"turn_{action}", thing, domain="switch", key=key)


def release(thing: str) -> Act:
    """Let a tunnel be that was held down."""
    return replace(turn("off", thing, "force_down"), after=turn("on", thing, "force_down"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What may happen to an account. end: makes it as it was, where time does not.

    only_later: it takes a session that has been there for a while.
    """

    begin: Callable[[AnyService], object]
    outcome: Outcome
    end: Callable[[AnyService], object] = lambda _: None
    only_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of entry.

    service: the provider, and its name at the simulator. kind: as in Provider.kinds. url: where the
    service is, of the addresses that it has.
    credentials: what the entry holds. account: what its unique id ends with.
    ways: steps of the config flow that sign in, and what is entered there.
    steady: entities that show the same as long as nothing happens.
    acts: what a person can do.
    interval: seconds in which all steady entities are read once.
    prepare: makes the service's world as the row expects it.
    other: what the entry of another account there holds, and what its unique id ends with; None
    where a service has only one. elsewhere: makes a second service another one in that case.
    secrets: what must not be shown. envelope: the fields that identify an answer; ids: those that
    identify the thing that a row is about.
    answers: what is a fault elsewhere, but a good answer at a sign-in here.
    """

    name: str
    service: str
    credentials: Callable[[AnyService], dict[str, str]]
    account: Callable[[AnyService], str]
    ways: Mapping[str, Callable[[AnyService], dict[str, Any]]]
    steady: tuple[Value, ...]
    acts: tuple[Act, ...]
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
    def of(self) -> str:
        """The name of what is known of its kind of entries."""
        return self.kind or self.service


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One service's daily life.

    kind: of the resources that come and go. rows: the service's own, by id; is_ours: whether one is
    the account's. add: makes another one. rename: gives one another name.
    end_tokens: ends the session; None if it ends after some time.
    daily: whether traffic is counted from 0 again when the service's day begins.
    counts: whether there are counters at all.
    forgets: the action that gives up what is kept although the service no longer lists it.
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
    """Add a row like the first one, with another id and other fields."""
    row = deepcopy(next(iter(rows.values())))
    for name, value in fields.items():
        setattr(row, name, value)
    rows[id_] = row


class Limits(NamedTuple):
    """requests: of an hour. seconds: after which it is seen that something went offline.

    online: whether it is. end: makes it go.
    """

    requests: int
    seconds: int
    online: Value
    end: Callable[[AnyService], None]


class Variant(NamedTuple):
    """A kind of entry. base: the one of which it differs little, if any."""

    case: Case
    base: str | None = None
    prepare: Callable[[AnyService], object] = lambda _: None
    options: Mapping[str, Any] = MappingProxyType({})


def with_settings(**settings: object) -> Callable[[AnyService], None]:
    """Return what changes the simulated service's settings."""

    def _prepare(service: AnyService) -> None:
        for name, value in settings.items():
            setattr(service.state.settings, name, value)

    return _prepare


def _nothing(_: AnyService) -> None:
    """Leave it to the simulator, whose counters move with the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """What is known of a provider.

    cases: kinds of entries. variants: those of which tests/contract tells, by the names of the
    files. life: what goes on at the service. commands: what can be asked besides
    its feeds. limits: of what an account costs. settings: of the simulated service, with which all
    can be asked, and with less history than a real one. measure: changes what is only measured.
    extra: what else an entry may hold, with which more is read.
    other_kinds: the same of other kinds of entries, where the provider has several.
    """

    cases: tuple[Case, ...]
    variants: Mapping[str, Variant]
    life: Life
    commands: Mapping[str, Ask]
    limits: Limits
    settings: Mapping[str, object] = field(default_factory=dict)
    measure: Callable[[AnyService], None] = _nothing
    extra: Mapping[str, str] = field(default_factory=dict)
    other_kinds: tuple[Reliability, ...] = ()
