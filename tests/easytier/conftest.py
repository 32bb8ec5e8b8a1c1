"""An account at the simulated EasyTier node manager."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator.easytier import EasyTierService

from .common import account_entry


@pytest.fixture
def service(easytier: EasyTierService) -> EasyTierService:
    return easytier


@pytest.fixture
def signed_in(easytier: EasyTierService) -> MockConfigEntry:
    """The entry of the demo account."""
    return account_entry(easytier)
