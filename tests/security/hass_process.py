"""Runs a real Home Assistant with one account in its own process, which tests can kill."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout

from demo.entities import entities_of
from demo.hass import Hass, free_port, prepare
from demo.program import Program
from demo.progress import until
from demo.provider import Entity
from demo.stage import CHECKOUT, DOMAIN, Stage, home_assistant

from ..reliability.providers import AnyService

_CONFIGURATION = """\
config:
logger:
  default: warning
  logs:
    custom_components.tunnel_hub: debug
"""
_PATIENCE = 60.0
"""Seconds to wait for a condition."""


class HassProcess:
    """The process of Home Assistant, with one account at a simulated service."""

    def __init__(self, service: AnyService, stage: Stage, home: Path) -> None:
        """Prepares the process; `home` contains the configuration folder."""
        self.service = service
        self._stage = stage
        self._storage = home / "config" / ".storage"

    @property
    def program(self) -> Program:
        """The process."""
        return self._stage.program

    @property
    def entry_id(self) -> str:
        """The id of the account's entry."""
        return self._stage.entries[self.service.NAME]

    async def start(self) -> None:
        """Starts Home Assistant and waits until it is running."""
        self.program.start()
        # A kill may have prevented the user's tokens from being stored.
        self._stage.hass.tokens = {}
        await self._stage.start()

    async def add_account(self) -> None:
        """Adds the account by the config flow and waits until it is stored."""
        await self._stage.add_account(self.service.NAME)

        async def _not_stored() -> str:
            return "" if self.entry_on_disk() else "The entry is not stored"

        await until(_not_stored, _PATIENCE)

    async def reload(self) -> None:
        """Reloads the account's entry."""
        await self._stage.reload_account(self.service.NAME)

    def kill(self) -> None:
        """Kills the running process."""
        self.program.require_running()
        self.program.kill()

    # States

    async def entity(self, key: str) -> Entity:
        """Wait until an entity, such as "switch:tunnel:1:force_down", has a state; return it."""
        found: dict[str, Entity] = {}

        async def _missing() -> str:
            self.program.require_running()
            found.update(await entities_of(self._stage, self.service.NAME))
            has_state = key in found and found[key].state is not None
            return "" if has_state else f"There is no {key}"

        await until(_missing, _PATIENCE)
        return found[key]

    async def shows(self, key: str, state: str) -> None:
        """Waits until an entity has a given state."""

        async def _not_shown() -> str:
            shown = (await self.entity(key)).state
            return "" if shown == state else f"{key} shows {shown}, not {state}"

        await until(_not_shown, _PATIENCE)

    async def call(self, domain: str, action: str, key: str) -> None:
        """Runs an action of an entity."""
        entity = await self.entity(key)
        await self._stage.hass.post(f"/api/services/{domain}/{action}", {"entity_id": entity.id})

    async def entry_state(self) -> str:
        """Return the state of the entry."""
        return str((await self._stage.entry_of(self.service.NAME))["state"])

    async def is_reauthenticating(self) -> bool:
        """Return whether a reauthentication flow is in progress."""
        flows = await self._stage.hass.command("config_entries/flow/progress")
        return any(
            flow["handler"] == DOMAIN and flow["context"]["source"] == "reauth" for flow in flows
        )

    # Storage

    def stored(self, key: str) -> Any:
        """Return the data of a storage file; None if it does not exist."""
        path = self._storage / key
        return json.loads(path.read_bytes())["data"] if path.exists() else None

    def entry_on_disk(self) -> dict[str, str]:
        """Return the stored data of the entry; empty if it has not been stored."""
        entries = (self.stored("core.config_entries") or {"entries": []})["entries"]
        data = {entry["entry_id"]: entry["data"] for entry in entries}
        found: dict[str, str] = data.get(self.entry_id, {})
        return found


@asynccontextmanager
async def running_hass(service: AnyService, home: Path) -> AsyncIterator[HassProcess]:
    """Run a Home Assistant with an account within the context."""
    port = free_port()
    prepare(home / "config", CHECKOUT, port)
    (home / "config" / "configuration.yaml").write_text(_CONFIGURATION)
    async with ClientSession(timeout=ClientTimeout(total=30)) as session:
        stage = Stage(
            session=session,
            program=home_assistant(home, {}),
            hass=Hass(session, f"http://127.0.0.1:{port}"),
            services={service.NAME: {"url": service.url, **service.credentials}},
            entries={},
        )
        hass = HassProcess(service, stage, home)
        with stage.program:
            await stage.start()
            await hass.add_account()
            yield hass
