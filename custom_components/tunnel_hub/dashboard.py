"""Serves the dashboard and the card that the frontend loads on every page."""

from pathlib import Path
from typing import Final

from homeassistant.components.frontend import DOMAIN as FRONTEND, add_extra_js_url
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration

from .const import DOMAIN

MODULE: Final = "tunnel-hub.js"
_FOLDER: Final = Path(__file__).parent / "frontend"


async def async_setup_dashboard(hass: HomeAssistant) -> None:
    """Serve our modules where there is a frontend.

    Browsers keep them for a month, so the version is in their address; they import each other
    relatively and thereby with the same version.
    """
    if FRONTEND not in hass.config.components:
        return
    integration = await async_get_integration(hass, DOMAIN)
    address = f"/{DOMAIN}/{integration.version}"
    await hass.http.async_register_static_paths([StaticPathConfig(address, str(_FOLDER))])
    add_extra_js_url(hass, f"{address}/{MODULE}")
