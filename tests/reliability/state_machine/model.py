"""Base classes for the state machine's model of a service."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from homeassistant.const import Platform

from ...common import HOUR
from ..providers import AnyService, Case, Outcome, ResourceChanges, Trouble, UserAction
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
_MAX_RESOURCES = 4
"""The maximum number of resources of a kind."""


def change[M: ServiceModel](method: Callable[[M, int], None]) -> Callable[[M, int], None]:
    """Marks a change at a service as a rule of the state machine."""
    setattr(method, _CHANGE, True)
    return method


class ServiceModel(ABC):
    """A service's possible changes and the expected states.

    case: the kind of entry. resource_changes: resources that are added, removed and renamed.
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
    resource_changes: ClassVar[tuple[ResourceChanges, ...]]
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
        self._gone: list[tuple[ResourceChanges, str, Any]] = []

    @classmethod
    def changes(cls) -> dict[str, Callable[..., None]]:
        """Returns the changes at the service, by name."""
        found = {name: getattr(cls, name) for name in dir(cls)}
        return {name: method for name, method in found.items() if hasattr(method, _CHANGE)}

    @classmethod
    def troubles(cls) -> Mapping[str, Trouble]:
        """Returns the account's faults, by name."""
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
        """Returns the expected states, computed from the service's state."""

    def tunnels(self) -> Mapping[str, Any]:
        """Returns the rows of the tunnels that can be forced down, by id."""
        return {}

    def thing(self, tunnel_id: str) -> str:
        """Returns a tunnel's thing."""
        return f"tunnel:{tunnel_id}"

    # Changes at every service

    def _next(self) -> int:
        """Returns an unused number."""
        self._made += 1
        return self._made

    def _rows(self, resource_changes: ResourceChanges) -> dict[str, Any]:
        rows = resource_changes.rows(self.service)
        return {id_: row for id_, row in sorted(rows.items()) if resource_changes.is_ours(row)}

    @change
    def add_resource(self, pick: int) -> None:
        """Adds a resource."""
        resource_changes = nth(self.resource_changes, pick)
        if len(self._rows(resource_changes)) < _MAX_RESOURCES and resource_changes.rows(
            self.service
        ):
            resource_changes.add(self.service, self._next())

    @change
    def delete_resource(self, pick: int) -> None:
        """Deletes a resource."""
        resource_changes = nth(self.resource_changes, pick)
        if rows := self._rows(resource_changes):
            id_ = nth(rows, pick // len(self.resource_changes))
            self._gone.append((resource_changes, id_, resource_changes.rows(self.service).pop(id_)))

    @change
    def restore_resource(self, pick: int) -> None:
        """Restores a deleted resource."""
        if self._gone:
            resource_changes, id_, row = self._gone.pop(pick % len(self._gone))
            resource_changes.rows(self.service).setdefault(id_, row)

    @change
    def rename(self, pick: int) -> None:
        """Renames a resource."""
        resource_changes = nth(self.resource_changes, pick)
        if rows := self._rows(resource_changes):
            resource_changes.rename(
                self.service, nth(rows, pick // len(self.resource_changes)), self._next()
            )

    @change
    def end_session(self, _: int) -> None:
        """Ends the account's session."""
        if end := self.resource_changes[0].end_tokens:
            end(self.service)

    # The user's actions

    @property
    def user_actions(self) -> tuple[UserAction, ...]:
        """Returns the user's actions that are no switches."""
        return tuple(act for act in self.case.user_actions if act.domain != Platform.SWITCH)

    def own_actions(self) -> Mapping[str, UserAction]:
        """Returns the user's actions that are activities themselves, by name."""
        return {}


def force_down_race(*requests: Request) -> Race:
    """Returns the race for a forced-down tunnel. requests: which disable or disconnect it."""
    first = ("hold", "release", "return client")
    return Race(first, requests, (*first, "poll", "reload", "switch off", "switch on"))


class TunnelModel(ServiceModel):
    """A service with tunnels that can be forced down."""

    @abstractmethod
    def is_down(self, tunnel_id: str) -> bool:
        """Returns whether a tunnel is offline."""

    @abstractmethod
    def enabled(self, tunnel_id: str) -> bool | None:
        """Returns whether a tunnel is enabled; None where tunnels cannot be disabled."""

    @abstractmethod
    def return_client(self, tunnel_id: str) -> None:
        """Reconnects the client of a tunnel, as clients with automatic retries do."""


class SignInModel(ServiceModel):
    """A service with a daily sign-in."""

    @abstractmethod
    def last_sign_in(self) -> datetime | None:
        """Returns the time of the account's last sign-in."""

    @abstractmethod
    def sign_ins_answered(self) -> int:
        """Returns the number of sign-in requests that the service has answered."""
