"""Fixtures: the simulated services over loopback and an entry for each."""

from collections.abc import AsyncIterator

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from homeassistant.core import HomeAssistant
from simulator import Simulator
from simulator.hayfrp import HayFrpService

import custom_components  # noqa: F401  # Home Assistant's loader looks for it in sys.modules


@pytest.fixture(autouse=True)
def _real_requests(socket_enabled: None, enable_custom_integrations: None) -> None:
    """Let tests talk to loopback, and Home Assistant find this integration."""


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """All services, with a few tunnels and nodes."""
    async with Simulator(services=("hayfrp",)) as running:
        yield running


@pytest.fixture
def hayfrp(simulator: Simulator) -> HayFrpService:
    """The simulated HayFrp."""
    return simulator.hayfrp


@pytest.fixture
def hayfrp_entry(hass: HomeAssistant, hayfrp: HayFrpService) -> MockConfigEntry:
    """An account at the simulated HayFrp, not yet set up."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="HayFrp demo",
        unique_id=f"hayfrp:{hayfrp.account.uuid}",
        data={
            "provider": "hayfrp",
            "base_url": hayfrp.url,
            "username": "demo",
            "password": "demo-password",
        },
    )
    entry.add_to_hass(hass)
    return entry
