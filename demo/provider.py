"""What the demo needs of a provider."""

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
    """Something that happens, and what a blueprint has to make of it.

    changes: places of the service that become others. helper: an input boolean, and what it
    becomes. look: what Home Assistant reads again, so that the demo need not wait for a poll.
    told: words of the notification. followed: tells from all services that it was done.
    """

    changes: Callable[[State], State] = lambda _: {}
    helper: tuple[str, str] | None = None
    look: Sequence[str] = ()
    told: Sequence[str] = ()
    followed: Callable[[States], bool] = lambda _: True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A blueprint with its inputs, and what happens then."""

    inputs: Callable[[Entities], Mapping[str, Any]]
    events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that a person does in Home Assistant.

    action: Home Assistant's, with the entity as its target; one of ours has the entity's device.
    of_account: whether the action is for the account instead.
    data: what else it takes.
    shown: the states that follow from it in Home Assistant.
    happened: tells from the service's state before and after that it has really been done.
    """

    action: str
    entity: str
    shown: Shown
    happened: Callable[[State, State], bool]
    data: Mapping[str, Any] = field(default_factory=dict)
    of_account: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How to add the demo account, and what to expect of it then.

    answers: what a person answers to the config flow, step after step. second: the same for
    another account at the service, in each way that there is to try; none if a service has one
    login only, so that another account needs another server. elsewhere: what that knows otherwise.
    service: the simulated one, if that is not called as the provider is here.
    shown: some of the states that Home Assistant shows when all is read.
    deeds: what to try, by name.
    listening: what listens at the public addresses of tunnels, by "host:port", while their clients
    are connected.
    changes: what differs at the service from the simulator's defaults.
    tidy: what is mended at the service before pictures are taken, so that not everything needs
    attention. first: which of the deeds are done then.
    broken: an entity that shows whether a public address is reachable, and that address.
    held: tells from the service's state that all tunnels are held down ("on"), or that they are as
    before ("off").
    pictures: the devices in the documentation, by the names of the pictures.
    trials: the blueprints that are tried there, by name.
    """

    answers: Callable[[Facts], Answers]
    shown: Shown
    deeds: Mapping[str, Deed]
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
    """Return the answer to a menu."""
    return {"next_step_id": step_id}
