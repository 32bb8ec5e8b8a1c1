"""Fixtures for the tests of HY2 SCALE."""

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator.hy2scale import Hy2ScaleService

from .common import Hub, node_entry


@pytest.fixture
def signed_in(hy2scale: Hy2ScaleService) -> MockConfigEntry:
    """Return the config entry of the node."""
    return node_entry(hy2scale)


@pytest.fixture
def world(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hy2scale: Hy2ScaleService,
    entry: MockConfigEntry,
) -> Hub:
    """Return Home Assistant with that node, not yet set up. Time is frozen."""
    return Hub(hass, freezer, hy2scale, entry)
