"""Prepares Home Assistant's configuration folder and uses its APIs."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
import json
from pathlib import Path
import shutil
import socket
from typing import Any

from aiohttp import ClientError, ClientSession
import bcrypt

from .progress import DemoError

USER = "demo"
PASSWORD = "demo"
DASHBOARD = "tunnel-hub"
HOLD_DOWN = "input_boolean.hold_tunnels_down"
NIGHT = "input_boolean.night"
"""Helpers for the blueprints."""

_HOST = "127.0.0.1"
_ANSWERING = 30.0
"""Seconds."""

LANGUAGES = {"en": ("GB", "GBP"), "zh-Hans": ("CN", "CNY")}
"""Languages of names and of Assist, each with a country and its currency."""

_CONFIGURATION = """\
automation: !include automations.yaml
config:
frontend:
history:
input_boolean:
  hold_tunnels_down:
    name: Hold all tunnels down
    icon: mdi:lan-disconnect
  night:
    name: Night
    icon: mdi:weather-night
logbook:
logger:
  default: warning
  logs:
    custom_components.tunnel_hub: debug
"""


def free_port() -> int:
    """Return an unused port."""
    with socket.create_server((_HOST, 0)) as server:
        port: int = server.getsockname()[1]
    return port


def prepare(
    folder: Path, checkout: Path, port: int, archive: Path | None = None, language: str = "en"
) -> None:
    """Creates a configuration folder of a Home Assistant after onboarding.

    It links the checkout's custom_components, so that an edit needs only a restart, or extracts the
    archive of a release as HACS does. It copies the checkout's blueprints, because Home Assistant
    writes into their folder. The address is in the storage, because Home Assistant reverts an
    `http:` section in the YAML after five minutes. The language is in the storage, because settings
    in a `homeassistant:` section cannot be changed in the frontend.

    language: one of LANGUAGES.
    """
    storage = folder / ".storage"
    storage.mkdir(parents=True)
    if archive is None:
        (folder / "custom_components").symlink_to(checkout / "custom_components")
    else:
        shutil.unpack_archive(archive, folder / "custom_components" / "tunnel_hub", "zip")
    shutil.copytree(checkout / "blueprints", folder / "blueprints")
    (folder / "automations.yaml").write_text("[]\n")
    (folder / "configuration.yaml").write_text(_CONFIGURATION)
    password = b64encode(bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(rounds=4))).decode()
    country, currency = LANGUAGES[language]
    stores: dict[tuple[str, int, int], dict[str, Any]] = {
        ("auth_provider.homeassistant", 1, 1): {
            "users": [{"username": USER, "password": password}]
        },
        ("core.config", 1, 4): {
            "country": country,
            "currency": currency,
            "language": language,
            "location_name": "Tunnel Hub demo",
            "radius": 100,
            "time_zone": "UTC",
            "unit_system_v2": "metric",
        },
        ("http", 1, 1): {"server_host": [_HOST], "server_port": port},
        ("lovelace.tunnel_hub", 1, 1): {"config": {"strategy": {"type": "custom:tunnel-hub"}}},
        ("lovelace_dashboards", 1, 1): {
            "items": [
                {
                    "id": "tunnel_hub",
                    "icon": "mdi:lan",
                    "mode": "storage",
                    "require_admin": False,
                    "show_in_sidebar": True,
                    "title": "Tunnel Hub",
                    "url_path": DASHBOARD,
                }
            ]
        },
        ("onboarding", 4, 1): {"done": ["analytics", "core_config", "integration", "user"]},
    }
    for (key, version, minor), data in stores.items():
        store = {"version": version, "minor_version": minor, "key": key, "data": data}
        (storage / key).write_text(json.dumps(store))


class Hass:
    """A client of Home Assistant's HTTP and WebSocket APIs.

    tokens: the answer of /auth/token.
    """

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self.url = url
        self.client_id = f"{url}/"
        self.tokens: dict[str, Any] = {}

    async def is_up(self) -> bool:
        """Returns whether Home Assistant responds."""
        try:
            await self.get("/auth/providers")
        except ClientError, DemoError:
            return False
        return True

    async def sign_in(self) -> None:
        """Signs in like a browser."""
        flow = await self.post(
            "/auth/login_flow",
            {
                "client_id": self.client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": self.client_id,
            },
        )
        entered = {"client_id": self.client_id, "username": USER, "password": PASSWORD}
        done = await self.post(f"/auth/login_flow/{flow['flow_id']}", entered)
        grant = {
            "client_id": self.client_id,
            "code": done["result"],
            "grant_type": "authorization_code",
        }
        self.tokens = await self._call("POST", "/auth/token", form=grant)

    async def get(self, path: str) -> Any:
        """Returns the response of a path."""
        return await self._call("GET", path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Sends JSON to a path and returns the response."""
        return await self._call("POST", path, json=body)

    async def delete(self, path: str) -> Any:
        """Sends a DELETE request to a path and returns the response."""
        return await self._call("DELETE", path)

    async def _call(
        self, method: str, path: str, *, json: object = None, form: Mapping[str, str] | None = None
    ) -> Any:
        async with self._session.request(
            method, self.url + path, headers=self._headers(), json=json, data=form
        ) as response:
            if not response.ok:
                text = await response.text()
                raise DemoError(f"{method} {path} answered {response.status}: {text}")
            return await response.json()

    def _headers(self) -> dict[str, str]:
        if not self.tokens:
            return {}
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    async def command(self, kind: str, **options: Any) -> Any:
        """Returns the result of a WebSocket command."""
        token = self.tokens["access_token"]
        url = f"{self.url}/api/websocket"
        async with asyncio.timeout(_ANSWERING), self._session.ws_connect(url) as connection:
            await connection.receive_json()
            await connection.send_json({"type": "auth", "access_token": token})
            await connection.receive_json()
            await connection.send_json({"id": 1, "type": kind, **options})
            answer = await connection.receive_json()
        return answer["result"]
