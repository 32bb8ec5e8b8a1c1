"""The expected devices, entities and states of a service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from math import isclose
from typing import Final, NamedTuple

from homeassistant.util import dt as dt_util

GIBIBYTE = 1024**3


class _Anything:
    """A value that is not compared."""


ANYTHING: Final = _Anything()
"""Any state but "unavailable"."""

type Value = str | float | bool | date | datetime | _Anything | None
"""An entity's state; None for "unknown"."""


_WORDS: Mapping[object, str] = {None: "unknown", True: "on", False: "off"}


class Device(NamedTuple):
    """A registered device. version: None where the service has none."""

    name: Value
    version: Value = None


@dataclass(slots=True)
class Expected:
    """Expected devices and entities. A thing is a kind and an id, such as "tunnel:1".

    devices: by thing. entities: states by thing and "platform.key".
    unused: things whose entities are disabled by default.
    optional: things that may exist or not.
    """

    devices: dict[str, Device] = field(default_factory=dict)
    entities: dict[str, Mapping[str, Value]] = field(default_factory=dict)
    unused: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)

    def resolve(self, ids: Mapping[str, str]) -> None:
        """Replaces names of things by the ids that Home Assistant gave them. ids: by thing."""
        self.devices = {ids.get(thing, thing): device for thing, device in self.devices.items()}
        self.entities = {ids.get(thing, thing): shows for thing, shows in self.entities.items()}
        self.unused = {ids.get(thing, thing) for thing in self.unused}
        self.optional = {ids.get(thing, thing) for thing in self.optional}

    def add(self, thing: str, shows: Mapping[str, Value], device: Device | None = None) -> None:
        """Adds a thing, and its device if it has one."""
        self.entities[thing] = shows
        if device is not None:
            self.devices[thing] = device


def shows(state: str, wanted: Value) -> bool:
    """Returns whether a state is as expected."""
    match wanted:
        case _Anything():
            return state != "unavailable"
        case datetime():
            shown = dt_util.parse_datetime(state)
            return shown is not None and abs((shown - wanted).total_seconds()) < 1
        case None | bool() | str() | date():
            return state == _WORDS.get(wanted, str(wanted))
    try:
        return isclose(float(state), wanted, rel_tol=1e-6, abs_tol=1e-9)
    except ValueError:
        return False


def moment(seconds: float | None) -> datetime | None:
    """Returns the time for seconds since 1970."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)


def gib(count: float | None) -> float | None:
    """Returns bytes in GiB."""
    return None if count is None else count / GIBIBYTE


def nth[T](items: Iterable[T], pick: int) -> T:
    """Returns one of several items for any number."""
    several = list(items)
    return several[pick % len(several)]
