"""System health."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .runtime import TunnelHubConfigEntry
from .watched_addresses import is_watched


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register the system health information."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    """Return how many accounts and feeds work, without sending requests."""
    entries: list[TunnelHubConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    feeds = [c for entry in entries for c in entry.runtime_data.coordinators.values()]
    accounts = [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if not is_watched(entry)
    ]
    return {
        "accounts": len(accounts),
        "accounts_loaded": sum(not is_watched(entry) for entry in entries),
        "feeds": len(feeds),
        "feeds_available": sum(feed.available for feed in feeds),
        "requests": sum(
            entry.runtime_data.provider.statistics().get("requests", 0) for entry in entries
        ),
    }
