"""A simulated EasyTier node manager over loopback, and an account there."""

from collections.abc import AsyncIterator

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Simulator
from simulator.easytier import EasyTierService

from ..common import World
from .common import account_entry


@pytest.fixture
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """The simulated service, as a test wishes indirectly."""
    async with Simulator(services=("easytier",), **getattr(request, "param", {})) as running:
        yield running


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """Which dialect the server speaks, as a test wishes indirectly."""
    return str(getattr(request, "param", "real"))


@pytest.fixture
def easytier(freezer: FrozenDateTimeFactory, simulator: Simulator, dialect: str) -> EasyTierService:
    """The simulated node manager."""
    simulator.get(EasyTierService).state.settings.dialect = (
        "real" if dialect == "real" else "documented"
    )
    return simulator.get(EasyTierService)


@pytest.fixture
def entry(hass: HomeAssistant, easytier: EasyTierService) -> MockConfigEntry:
    """The demo account, not yet set up."""
    entry = account_entry(easytier)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def world(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    easytier: EasyTierService,
    entry: MockConfigEntry,
) -> World[EasyTierService]:
    """Home Assistant with that account, in time that stands still; not yet set up."""
    return World(hass, freezer, easytier, entry)
