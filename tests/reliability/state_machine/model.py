"""Base classes for the state machine's model of a service."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from homeassistant.const import Platform

from ...common import HOUR
from ..providers import Act, AnyService, Case, Life, Outcome, Trouble
from .expected import Expected, nth

type Options = Mapping[str, Any]
"""The entry's options."""
type Request = tuple[str, Mapping[str, object]]
"""Which calls a gate holds: a route and matching fields."""


class Race(NamedTuple):
    """Two activities that affect the same resource: the first is held while the second runs.

    first, second: names of activities, of which one each is selected.
    requests: where the first one is held.
    """

    first: tuple[str, ...]
    requests: tuple[Request, ...]
    second: tuple[str, ...]


type Sequence = Callable[[Any], None]
"""Runs rules of a machine in an order that once failed."""

STARTS = (
    datetime(2026, 10, 20, 4, tzinfo=UTC),
    # Summer time ends in Berlin and, a week later, in Los Angeles; it begins in Berlin.
    datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 10, 31, 15, 55, tzinfo=UTC),
    datetime(2027, 3, 27, 15, 58, tzinfo=UTC),
)
"""When examples start."""
_CHANGE = "is_change"
_MOST = 4
"""The maximum number of resources of a kind."""


def change[M: ServiceModel](method: Callable[[M, int], None]) -> Callable[[M, int], None]:
    """Marks a change at a service as a rule of the state machine."""
    setattr(method, _CHANGE, True)
    return method


class ServiceModel(ABC):
    """A service's possible changes and the expected states.

    case: the kind of entry. lives: resources that are added, removed and renamed.
    nodes: number of the simulated service's nodes.
    options: possible options of the entry.
    named: kinds of things that the model identifies by name, with the kind of the device that has
    the name; their ids are not predictable.
    lasting: kinds of things that stay when the service does not list them.
    off: entities ("kind.platform.key") that are disabled by default.
    requests: requests that can be held or corrupted, besides any call.
    races: pairs of activities that affect the same resource. idle: rules that don't apply.
    slowest: seconds until everything has been polled.
    tells_midnight: whether the service's day begins at midnight in Shanghai.
    sequences: sequences that once failed, each run as a test.
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
        self.service = service
        self._made = 0
        self._gone: list[tuple[Life, str, Any]] = []

    @classmethod
    def changes(cls) -> dict[str, Callable[..., None]]:
        """Return the changes at the service, by name."""
        found = {name: getattr(cls, name) for name in dir(cls)}
        return {name: method for name, method in found.items() if hasattr(method, _CHANGE)}

    @classmethod
    def troubles(cls) -> Mapping[str, Trouble]:
        """Return the account's faults, by name."""
        return {
            name: trouble
            for name, trouble in cls.case.troubles.items()
            # Faults of the simulator are cleared by each check, and such a fault with them.
            if not (trouble.only_later and trouble.outcome is Outcome.REFUSED)
        }

    @abstractmethod
    def on_set_up(self, options: Options) -> None:
        """Stores the options that the entry is set up with."""

    @abstractmethod
    def expected(self, options: Options) -> Expected:
        """Return the expected states, computed from the service's state."""

    def tunnels(self) -> Mapping[str, Any]:
        """Return the rows of the tunnels that can be forced down, by id."""
        return {}

    def thing(self, tunnel_id: str) -> str:
        """Return a tunnel's thing."""
        return f"tunnel:{tunnel_id}"

    # Changes at every service

    def _next(self) -> int:
        """Return an unused number."""
        self._made += 1
        return self._made

    def _rows(self, life: Life) -> dict[str, Any]:
        rows = life.rows(self.service)
        return {id_: row for id_, row in sorted(rows.items()) if life.is_ours(row)}

    @change
    def come(self, pick: int) -> None:
        """Adds a resource."""
        life = nth(self.lives, pick)
        if len(self._rows(life)) < _MOST and life.rows(self.service):
            life.add(self.service, self._next())

    @change
    def go(self, pick: int) -> None:
        """Deletes a resource."""
        life = nth(self.lives, pick)
        if rows := self._rows(life):
            id_ = nth(rows, pick // len(self.lives))
            self._gone.append((life, id_, life.rows(self.service).pop(id_)))

    @change
    def come_back(self, pick: int) -> None:
        """Restores a deleted resource."""
        if self._gone:
            life, id_, row = self._gone.pop(pick % len(self._gone))
            life.rows(self.service).setdefault(id_, row)

    @change
    def rename(self, pick: int) -> None:
        """Renames a resource."""
        life = nth(self.lives, pick)
        if rows := self._rows(life):
            life.rename(self.service, nth(rows, pick // len(self.lives)), self._next())

    @change
    def end_session(self, _: int) -> None:
        """Ends the account's session."""
        if end := self.lives[0].end_tokens:
            end(self.service)

    # The user's actions

    @property
    def acts(self) -> tuple[Act, ...]:
        """Return the user's actions that are no switches."""
        return tuple(act for act in self.case.acts if act.domain != Platform.SWITCH)

    def own_acts(self) -> Mapping[str, Act]:
        """Return the user's actions that are activities themselves, by name."""
        return {}


def force_down_race(*requests: Request) -> Race:
    """Return the race for a forced-down tunnel. requests: which disable or disconnect it."""
    first = ("hold", "release", "return client")
    return Race(first, requests, (*first, "poll", "reload", "switch off", "switch on"))


class TunnelModel(ServiceModel):
    """A service with tunnels that can be forced down."""

    @abstractmethod
    def is_down(self, tunnel_id: str) -> bool:
        """Return whether a tunnel is offline."""

    @abstractmethod
    def enabled(self, tunnel_id: str) -> bool | None:
        """Return whether a tunnel is enabled; None where tunnels cannot be disabled."""

    @abstractmethod
    def return_client(self, tunnel_id: str) -> None:
        """Reconnects the client of a tunnel, as clients with automatic retries do."""


class SignInModel(ServiceModel):
    """A service with a daily sign-in."""

    @abstractmethod
    def last_sign_in(self) -> datetime | None:
        """Return the time of the account's last sign-in."""

    @abstractmethod
    def sign_ins_answered(self) -> int:
        """Return the number of sign-in requests that the service has answered."""
