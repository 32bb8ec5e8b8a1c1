"""What the state machine knows of a service, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from homeassistant.const import Platform

from ...common import HOUR
from ..providers import Act, AnyService, Case, Life, Outcome, Trouble
from .picture import Picture, nth

type Options = Mapping[str, Any]
"""The entry's options."""
type Request = tuple[str, Mapping[str, object]]
"""Which calls a gate stops: a route, and fields that match."""


class Race(NamedTuple):
    """Two things that meddle with the same: the first waits at a request while the second happens.

    first, second: names of activities, of which one each is drawn.
    requests: where the first one is stopped.
    """

    first: tuple[str, ...]
    requests: tuple[Request, ...]
    second: tuple[str, ...]


type Sequence = Callable[[Any], None]
"""Rules of the machine that it is given, in the order that once showed a fault."""

STARTS = (
    datetime(2026, 10, 20, 4, tzinfo=UTC),
    # Summer time ends in Berlin and, a week later, in Los Angeles; it begins in Berlin.
    datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 10, 31, 15, 55, tzinfo=UTC),
    datetime(2027, 3, 27, 15, 58, tzinfo=UTC),
)
"""When the machine may begin."""
_CHANGE = "is_change"
_MOST = 4
"""How many things of a kind there are at most."""


def change[M: ServiceModel](method: Callable[[M, int], None]) -> Callable[[M, int], None]:
    """Mark what may happen at a service: each is a rule of the state machine."""
    setattr(method, _CHANGE, True)
    return method


class ServiceModel(ABC):
    """One service: what may happen there, and what Home Assistant should show of it.

    case: the kind of entry. lives: what comes, goes and is renamed.
    nodes: how many the simulated service has.
    options: what the user may choose among. start_options: before anything is chosen.
    named: kinds of things that go by their names here, with the kind of the device that has the
    name: which ids Home Assistant gives them is its own affair.
    lasting: kinds of things that stay when the service does not show them.
    off: entities ("kind.platform.key") that are disabled unless the user enables them.
    requests: what may be stopped on its way or spoilt, besides any call.
    races: what meddles with the same. idle: rules for which the service has nothing.
    slowest: seconds in which everything is read once.
    tells_midnight: whether it is known that the service's day begins at midnight in Shanghai.
    sequences: known faults are found by them, each run as a test of its own.
    """

    case: ClassVar[Case]
    lives: ClassVar[tuple[Life, ...]]
    nodes: ClassVar[int] = 4
    options: ClassVar[tuple[Options, ...]] = ({},)
    named: ClassVar[Mapping[str, str]] = MappingProxyType({})
    lasting: ClassVar[frozenset[str]] = frozenset()
    off: ClassVar[frozenset[str]] = frozenset()
    requests: ClassVar[tuple[Request, ...]] = ()
    races: ClassVar[tuple[Race, ...]] = ()
    idle: ClassVar[frozenset[str]] = frozenset()
    slowest: ClassVar[float] = HOUR
    tells_midnight: ClassVar[bool] = True
    sequences: ClassVar[tuple[Sequence, ...]] = ()

    def __init__(self, service: AnyService) -> None:
        """Take the service as it is in the beginning."""
        self.service = service
        self._made = 0
        self._gone: list[tuple[Life, str, Any]] = []

    @classmethod
    def changes(cls) -> dict[str, Callable[..., None]]:
        """Return what may happen at the service, by name."""
        found = {name: getattr(cls, name) for name in dir(cls)}
        return {name: method for name, method in found.items() if hasattr(method, _CHANGE)}

    @classmethod
    def troubles(cls) -> Mapping[str, Trouble]:
        """Return what may happen to the account, by name."""
        return {
            name: trouble
            for name, trouble in cls.case.troubles.items()
            # One that lasts only as long as an order at the simulator ends when all settles.
            if not (trouble.only_later and trouble.outcome is Outcome.REFUSED)
        }

    @abstractmethod
    def on_set_up(self, options: Options) -> None:
        """Remember what the entry was set up with."""

    @abstractmethod
    def picture(self, options: Options) -> Picture:
        """Read from the service's state what Home Assistant should show."""

    def tunnels(self) -> Mapping[str, Any]:
        """Return the rows of the tunnels that can be held down, by id."""
        return {}

    def thing(self, tunnel_id: str) -> str:
        """Return the thing that a tunnel is."""
        return f"tunnel:{tunnel_id}"

    # What happens at every service

    def _next(self) -> int:
        """Return a number that was not used yet."""
        self._made += 1
        return self._made

    def _rows(self, life: Life) -> dict[str, Any]:
        rows = life.rows(self.service)
        return {id_: row for id_, row in sorted(rows.items()) if life.is_ours(row)}

    @change
    def come(self, pick: int) -> None:
        """Something new is there."""
        life = nth(self.lives, pick)
        if len(self._rows(life)) < _MOST and life.rows(self.service):
            life.add(self.service, self._next())

    @change
    def go(self, pick: int) -> None:
        """Something is deleted."""
        life = nth(self.lives, pick)
        if rows := self._rows(life):
            id_ = nth(rows, pick // len(self.lives))
            self._gone.append((life, id_, life.rows(self.service).pop(id_)))

    @change
    def come_back(self, pick: int) -> None:
        """Something that was deleted is there again."""
        if self._gone:
            life, id_, row = self._gone.pop(pick % len(self._gone))
            life.rows(self.service).setdefault(id_, row)

    @change
    def rename(self, pick: int) -> None:
        """Something has another name."""
        life = nth(self.lives, pick)
        if rows := self._rows(life):
            life.rename(self.service, nth(rows, pick // len(self.lives)), self._next())

    @change
    def end_session(self, _: int) -> None:
        """The session of the account ends."""
        if end := self.lives[0].end_tokens:
            end(self.service)

    # What a person does in Home Assistant

    @property
    def acts(self) -> tuple[Act, ...]:
        """Return what a person can do."""
        return tuple(act for act in self.case.acts if act.domain != Platform.SWITCH)

    def own_acts(self) -> Mapping[str, Act]:
        """Return what a person can do that is an activity of its own, by name."""
        return {}


def force_down_race(*requests: Request) -> Race:
    """Return the race for a tunnel that is held down. requests: which disable or disconnect it."""
    first = ("hold", "release", "return client")
    return Race(first, requests, (*first, "poll", "reload", "switch off", "switch on"))


class TunnelModel(ServiceModel):
    """A service with tunnels that can be held down."""

    @abstractmethod
    def is_down(self, tunnel_id: str) -> bool:
        """Return whether a tunnel cannot be reached."""

    @abstractmethod
    def enabled(self, tunnel_id: str) -> bool | None:
        """Return whether a tunnel is enabled; None where the service has no such thing."""

    @abstractmethod
    def return_client(self, tunnel_id: str) -> None:
        """Have the client of a tunnel connect again, as insistent ones do."""


class SignInModel(ServiceModel):
    """A service with a daily sign-in."""

    @abstractmethod
    def last_sign_in(self) -> datetime | None:
        """Return when the account signed in last."""

    @abstractmethod
    def sign_ins_answered(self) -> int:
        """Return how often the service was asked to sign the account in."""
