"""What each simulated service is asked for, and what changes there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_HUNDREDTH = 100
_OURS = 20000
"""No simulated thing has a figure as high, so each of these is a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service.

    feed: the list that is polled. size: the simulator's options that make it so many rows long.
    credentials: what the config flow would ask for. changes: for so many rows and the number of a
    round, what to set at the service so that every hundredth row is another.
    at_most: rows of one account, so that Home Assistant admits all of its entities.
    """

    name: str
    feed: str
    size: Callable[[int], list[str]]
    credentials: Callable[[Mapping[str, str]], Mapping[str, str]]
    changes: Callable[[int, int], Mapping[str, object]]
    at_most: int
    options: Mapping[str, Any] = field(default_factory=dict)


def _with_url(*names: str) -> Callable[[Mapping[str, str]], Mapping[str, str]]:
    return lambda facts: {"base_url": facts["url"], **{name: facts[name] for name in names}}


HAYFRP = Service(
    name="hayfrp",
    feed="tunnels",
    size=lambda rows: ["--tunnels", f"{rows}", "--nodes", f"{max(1, rows // 10)}"],
    credentials=_with_url("username", "password"),
    changes=lambda rows, round_: {
        f"tunnels.{id_}.local_port": _OURS + round_ for id_ in range(1, rows + 1, _HUNDREDTH)
    },
    at_most=800,
)

SERVICES = {service.name: service for service in (HAYFRP,)}
