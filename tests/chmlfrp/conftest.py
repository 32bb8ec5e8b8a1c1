"""A simulated ChmlFrp over loopback, and an account there."""

from collections.abc import AsyncIterator

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from simulator import Simulator
from simulator.chmlfrp import ChmlFrpService

from ..common import World


@pytest.fixture
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """The simulated service, as a test wishes indirectly."""
    async with Simulator(services=("chmlfrp",), **getattr(request, "param", {})) as running:
        yield running


@pytest.fixture
def chmlfrp(simulator: Simulator) -> ChmlFrpService:
    """The simulated ChmlFrp."""
    return simulator.get(ChmlFrpService)


@pytest.fixture
def entry(hass: HomeAssistant, chmlfrp: ChmlFrpService) -> MockConfigEntry:
    """An account that signs in with its API token, not yet set up."""
    account = chmlfrp.account
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id=f"entry-{account.username}",
        title=f"ChmlFrp {account.username}",
        unique_id=f"chmlfrp:{account.id}",
        data={"provider": "chmlfrp", "base_url": chmlfrp.url, "token": account.usertoken},
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def world(
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    chmlfrp: ChmlFrpService,
    entry: MockConfigEntry,
) -> World[ChmlFrpService]:
    """Home Assistant with that account, in time that stands still; not yet set up."""
    return World(hass, freezer, chmlfrp, entry)
