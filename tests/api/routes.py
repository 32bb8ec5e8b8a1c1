"""Records which test calls which route, to verify the table of endpoints.

Only calls of our client count, which its User-Agent identifies.
"""

import re

import pytest

from custom_components.tunnel_hub.api.http import USER_AGENT
from simulator import Route, Simulator

_ROUTES = pytest.StashKey[dict[str, set[tuple[str, Route]]]]()


def name_of(item: pytest.Item) -> str:
    """Return a test's file and function, without its parameters and its xdist_group."""
    return re.split(r"[\[@]", item.nodeid)[0]


def record(item: pytest.Item, simulator: Simulator) -> None:
    """Record the routes that the client called in a finished test."""
    routes = item.config.stash.setdefault(_ROUTES, {}).setdefault(name_of(item), set())
    routes.update(
        (service.NAME, call.route)
        for service in simulator.services.values()
        for call in service.calls
        if call.route is not None and call.headers.get("User-Agent") == USER_AGENT
    )


def routes_by_test(session: pytest.Session) -> dict[str, set[tuple[str, Route]]]:
    """Return services and routes by test, for the tests run so far."""
    return session.config.stash.get(_ROUTES, {})
