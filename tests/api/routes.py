"""Which test asked which route: what keeps the table of endpoints true.

Only what our own client sent counts, told by its User-Agent.
"""

import re

import pytest

from custom_components.tunnel_hub.api.http import USER_AGENT
from simulator import Route, Simulator

_ASKED = pytest.StashKey[dict[str, set[tuple[str, Route]]]]()


def name_of(item: pytest.Item) -> str:
    """Return a test's file and function, without its parameters and its xdist_group."""
    return re.split(r"[\[@]", item.nodeid)[0]


def record(item: pytest.Item, simulator: Simulator) -> None:
    """Note what the client has asked of the services in a test that is over."""
    asked = item.config.stash.setdefault(_ASKED, {}).setdefault(name_of(item), set())
    asked.update(
        (service.NAME, call.route)
        for service in simulator.services.values()
        for call in service.calls
        if call.route is not None and call.headers.get("User-Agent") == USER_AGENT
    )


def asked_in(session: pytest.Session) -> dict[str, set[tuple[str, Route]]]:
    """Return services and routes by the test that asked them, for the tests run so far."""
    return session.config.stash.get(_ASKED, {})
