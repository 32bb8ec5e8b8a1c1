"""Tests that the providers' endpoints.md are correct and contain each documented endpoint."""

import importlib
import inspect

import pytest

from custom_components.tunnel_hub.api import PROVIDERS
from reference.services import SERVICES as REFERENCE
from simulator import SERVICES

from .api.routes import name_of, routes_by_test
from .endpoints import ROWS, Row
from .provider_modules import modules
from .translations import translations

DOCUMENTED = modules("documented")
"""The clients of each provider, and the number of endpoints in its document."""

each_row = pytest.mark.parametrize(
    "row", ROWS, ids=[f"{row.provider}-{row.document}" for row in ROWS]
)


def test_every_provider_has_a_table() -> None:
    assert PROVIDERS.keys() == DOCUMENTED.keys() == {row.provider for row in ROWS}


@pytest.mark.parametrize("provider", DOCUMENTED)
def test_a_table_is_complete(provider: str) -> None:
    """Each endpoint and each method of the clients is there once."""
    rows = [row for row in ROWS if row.provider == provider]
    methods = {
        name
        for client in DOCUMENTED[provider].CLIENTS
        for name, method in inspect.getmembers(client)
        # frp's clients can request any path for recordings.
        if not name.startswith("_")
        and name != "ask"
        and (inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method))
    }

    assert len(rows) == DOCUMENTED[provider].ENDPOINTS
    assert len({row.document for row in rows}) == len(rows)
    assert len({row.route for row in rows}) == len(rows)
    assert sorted(row.method for row in rows) == sorted(methods)


@each_row
def test_the_route_is_simulated(row: Row) -> None:
    assert row.route in SERVICES[row.provider].ROUTES


@each_row
def test_it_is_used(row: Row) -> None:
    """The row names entities or actions that use the client's methods, or the reason for none."""
    service = REFERENCE[row.provider]
    names = {
        *translations("en")["config"]["step"],
        *(f"tunnel_hub.{action}" for action in service.actions),
        *(f"{entity.platform}.{entity.row.key}" for entity in service.entities),
        # The dashboard's cards use these.
        "tunnel_hub/subscribe_mesh",
    }

    assert bool(row.users) is not bool(row.unused)
    assert set(row.users) <= names


@each_row
def test_its_test_exists(row: Row) -> None:
    path, _, name = row.test.partition("::")
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))

    assert inspect.iscoroutinefunction(getattr(module, name))


@each_row
def test_its_test_requests_it(request: pytest.FixtureRequest, row: Row) -> None:
    """This is tested in each run that has both. The tests of api/ run first."""
    selected = {name_of(item) for item in request.session.items}

    assert row.test not in selected or (row.provider, row.route) in routes_by_test(
        request.session
    ).get(row.test, ())
