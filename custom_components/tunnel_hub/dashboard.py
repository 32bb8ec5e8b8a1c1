"""Serves the JavaScript modules of the dashboard and the cards."""

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
    """Serve the modules if the frontend is set up.

    Browsers cache them for a month, so their URL contains a version. They import each other with
    relative URLs, so they have the same version.
    """
    if FRONTEND not in hass.config.components:
        return
    websocket_api.async_register_command(hass, _loaded)
    address = f"/{DOMAIN}/{await hass.async_add_executor_job(version, FOLDER)}"
    await hass.http.async_register_static_paths([StaticPathConfig(address, str(FOLDER))])
    add_extra_js_url(hass, f"{address}/{MODULE}")


def version(folder: Path) -> str:
    """Return a digest of the content of all modules."""
    content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    return sha256(content).hexdigest()[:12]


@websocket_api.websocket_command({vol.Required("type"): "tunnel_hub/loaded"})
@callback
def _loaded(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, msg: dict[str, Any]
) -> None:
    """Return when each loaded entry was set up, by entry id."""
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    loaded = {entry.entry_id: entry.runtime_data.loaded_at.isoformat() for entry in entries}
    connection.send_result(msg["id"], loaded)
