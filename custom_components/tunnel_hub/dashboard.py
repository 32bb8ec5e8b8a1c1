"""Serves the dashboard and the cards that the frontend loads on every page."""

from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.frontend import DOMAIN as FRONTEND, add_extra_js_url
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant, callback
import voluptuous as vol

from .const import DOMAIN

FOLDER: Final = Path(__file__).parent / "frontend"
MODULE: Final = "tunnel-hub.js"


async def async_setup_dashboard(hass: HomeAssistant) -> None:
    """Serve our modules where there is a frontend.

    Browsers keep them for a month, so their address changes when they do; they import each other
    relatively and thereby from the same address.
    """
    if FRONTEND not in hass.config.components:
        return
    websocket_api.async_register_command(hass, _loaded)
    address = f"/{DOMAIN}/{await hass.async_add_executor_job(version, FOLDER)}"
    await hass.http.async_register_static_paths([StaticPathConfig(address, str(FOLDER))])
    add_extra_js_url(hass, f"{address}/{MODULE}")


def version(folder: Path) -> str:
    """Return a word that is another one as soon as any module is."""
    content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    return sha256(content).hexdigest()[:12]


@websocket_api.websocket_command({vol.Required("type"): "tunnel_hub/loaded"})
@callback
def _loaded(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Return since when entries are loaded, by id: what was so then may have begun before."""
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    loaded = {entry.entry_id: entry.runtime_data.loaded_at.isoformat() for entry in entries}
    connection.send_result(msg["id"], loaded)
