"""Fixtures for the tests of EasyTier node managers."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator.easytier import EasyTierService

from .common import account_entry


@pytest.fixture
def service(easytier: EasyTierService) -> EasyTierService:
    return easytier


@pytest.fixture
def signed_in(easytier: EasyTierService) -> MockConfigEntry:
    """Return the config entry of the demo account."""
    return account_entry(easytier)
