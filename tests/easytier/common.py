"""Helpers for the tests of EasyTier node managers."""

from homeassistant.config_entries import ConfigEntry
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from simulator.easytier import EasyTierService

BOTH = pytest.mark.parametrize("dialect", ["real", "documented"], indirect=True)
"""For tests that servers of both dialects must pass."""

DOCUMENTED = pytest.mark.parametrize("dialect", ["documented"], indirect=True)
"""For tests of features that only the documented server has."""

TWO_MINUTES = 120
FIVE_MINUTES = 300

SECRETS = (
    "demo-password",
    "demo@example.com",
    "admin-password",
    "demo-network-secret",
    "an-api-key",
)


def account_entry(service: EasyTierService, name: str = "demo") -> MockConfigEntry:
    """Return the config entry of an account, without a session token."""
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=f"entry-{name}",
        title=f"EasyTier {name}",
        unique_id=f"easytier:{name}",
        data={
            "provider": "easytier",
            "base_url": service.url,
            "email": f"{name}@example.com",
            "password": f"{name}-password",
        },
    )


def secrets_of(service: EasyTierService, entry: ConfigEntry) -> set[str]:
    """Return the secrets of a server and of a config entry."""
    of_nodes = {
        secret
        for node in service.state.nodes.values()
        for secret in (node.report_token, node.network_token)
        if secret
    }
    token = {str(entry.data["token"])} if "token" in entry.data else set()
    return {*SECRETS, *of_nodes, *token}
