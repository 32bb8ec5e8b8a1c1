"""Fixtures for the tests of ChmlFrp."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from simulator.chmlfrp import ChmlFrpService


@pytest.fixture
def service(chmlfrp: ChmlFrpService) -> ChmlFrpService:
    return chmlfrp


@pytest.fixture
def signed_in(chmlfrp: ChmlFrpService) -> MockConfigEntry:
    """Return the config entry of an account that signs in with its API token."""
    account = chmlfrp.account
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=f"entry-{account.username}",
        title=f"ChmlFrp {account.username}",
        unique_id=f"chmlfrp:{account.id}",
        data={"provider": "chmlfrp", "base_url": chmlfrp.url, "token": account.usertoken},
    )
