"""A simulated HY2 SCALE node over loopback, of either generation, and an entry for it."""

from collections.abc import AsyncIterator

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import Simulator
from simulator.hy2scale import Hy2ScaleService

from .common import Hub, node_entry


@pytest.fixture
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """The simulated service, as a test wishes indirectly."""
    async with Simulator(services=("hy2scale",), **getattr(request, "param", {})) as running:
        yield running


@pytest.fixture
def generation(request: pytest.FixtureRequest) -> str:
    """Which of its generations the node is, as a test wishes indirectly."""
    return str(getattr(request, "param", "1.3"))


@pytest.fixture
def hy2scale(simulator: Simulator, generation: str) -> Hy2ScaleService:
    """The simulated node."""
    simulator.get(Hy2ScaleService).state.settings.generation = generation
    return simulator.get(Hy2ScaleService)


@pytest.fixture
def entry(hass: HomeAssistant, hy2scale: Hy2ScaleService) -> MockConfigEntry:
    """A node, not yet set up."""
    entry = node_entry(hy2scale)
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def world(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hy2scale: Hy2ScaleService,
    entry: MockConfigEntry,
) -> Hub:
    """Home Assistant with that node, in time that stands still; not yet set up."""
    return Hub(hass, freezer, hy2scale, entry)
