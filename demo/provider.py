"""Data types for the demo's data of a provider."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .addresses import Behavior

type Facts = Mapping[str, str]
"""The URL of a service and the credentials of the demo account."""

type Answers = Sequence[Mapping[str, Any]]
"""The input of a config flow, step by step."""

type State = Mapping[str, Any]
"""The state of a simulated service, from its control route."""

type Shown = Mapping[str, str]
"""Entities and their states. An entity is named by platform, resource and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """An entity in Home Assistant.

    state: None if it is disabled or missing.
    """

    id: str
    device: str
    device_id: str
    disabled: bool
    state: str | None

    @property
    def platform(self) -> str:
        """The first part of its entity id."""
        return self.id.partition(".")[0]


type Entities = Mapping[str, Entity]
"""By the names in Shown."""

type States = Mapping[str, State]
"""The states of the simulated services by provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event, and the expected reaction of a blueprint.

    changes: changes of the service's state. helper: an input boolean and its new state.
    look: entities that are updated, so that the demo need not wait for a poll.
    notification: words of it. followed: checks the states of all services.
    """

    changes: Callable[[State], State] = lambda _: {}
    helper: tuple[str, str] | None = None
    look: Sequence[str] = ()
    notification: Sequence[str] = ()
    followed: Callable[[States], bool] = lambda _: True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The inputs of a blueprint, and the events to test it with."""

    inputs: Callable[[Entities], Mapping[str, Any]]
    events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAction:
    """A user's action in Home Assistant.

    action: the target is the entity; for one of ours, the entity's device.
    of_account: whether the action is for the account instead.
    data: additional fields.
    shown: the resulting states in Home Assistant.
    happened: checks the service's state before and after.
    """

    action: str
    entity: str
    shown: Shown
    happened: Callable[[State, State], bool]
    data: Mapping[str, Any] = field(default_factory=dict)
    of_account: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How to add the demo account, and the expected results.

    answers: the input of the config flow, step by step. second: the same for another account at the
    service, for each way to sign in; empty if a service has only one login, so that another account
    needs another server. elsewhere: changes of that server's state.
    service: the simulated service, if its name differs from the provider's.
    shown: some of the expected states.
    actions: actions to test, by name.
    listening: the servers at the public addresses of tunnels, by "host:port", while their clients
    are connected.
    changes: changes of the simulator's default state.
    tidy: changes before screenshots, so that few things need attention. first: the actions that run
    then.
    broken: an entity that shows whether a public address is reachable, and that address.
    held: checks the service's state for forced-down tunnels ("on") or restored ones ("off").
    pictures: the devices in the documentation, by file name.
    trials: the tests of blueprints, by name.
    """

    answers: Callable[[Facts], Answers]
    shown: Shown
    actions: Mapping[str, DemoAction]
    second: Sequence[Callable[[Facts], Answers]] = ()
    listening: Mapping[str, Behavior] = field(default_factory=dict)
    changes: State = field(default_factory=dict)
    elsewhere: State = field(default_factory=dict)
    tidy: Mapping[str, Any] = field(default_factory=dict)
    first: Sequence[str] = ()
    broken: tuple[str, str] | None = None
    held: Mapping[str, Callable[[State], bool]] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    trials: Mapping[str, Trial] = field(default_factory=dict)
    service: str = ""


def choice(step_id: str) -> dict[str, str]:
    """Returns the input for a menu."""
    return {"next_step_id": step_id}
