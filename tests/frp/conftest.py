"""Fixtures for the tests of frp."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator.frp import FrpService

from .common import server_entry


@pytest.fixture
def service(frp: FrpService) -> FrpService:
    return frp


@pytest.fixture
def signed_in(frp: FrpService) -> MockConfigEntry:
    """Return the config entry of the server."""
    return server_entry(frp)
