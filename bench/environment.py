"""Runs Home Assistant with simulated accounts for the benchmark's cases."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
import logging
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

from aiohttp import BaseConnector, ClientSession
from homeassistant.components.websocket_api.const import DATA_CONNECTIONS
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import DATA_RESOLVER, HassAsyncDNSResolver
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant
from pythonkuma.update import LatestRelease, UpdateChecker

from custom_components import tunnel_hub
from custom_components.tunnel_hub.api import create_provider
from custom_components.tunnel_hub.api.http import Answer, Transport
from custom_components.tunnel_hub.api.provider import Provider
from custom_components.tunnel_hub.entity import TunnelHubEntity

from .measurement import Meter
from .service import Facts, Service, escaped
from .services import SERVICES

FIRST_SET_UP = "first set-up"
SET_UP_AGAIN = "set-up again"
UNCHANGED = "poll, nothing changed"
CHANGED = "poll, 1 % changed"

_HUNDREDTH = 100
_FIRST_CHANGE = 20000
"""Higher than any simulated value, so that each of these is a change."""

_RELEASE = LatestRelease(tag_name="2.0.0", name="2.0.0", html_url="", body="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A running Home Assistant with accounts at one kind of service.

    facts: of each account's service. polls: number of polls of each kind to measure.
    rows: minimum number of rows of the polled list.
    """

    hass: HomeAssistant
    meter: Meter
    service: Service
    facts: tuple[Facts, ...]
    rows: int
    polls: int
    entries: list[MockConfigEntry] = field(default_factory=list)

    async def sign_in(self) -> None:
        """Adds the accounts with their session tokens, without setting them up."""
        for facts in self.facts:
            entry = await self.service.entry(facts)
            entry.add_to_hass(self.hass)
            self.entries.append(entry)

    async def set_up(self, entries: Iterable[ConfigEntry]) -> None:
        """Sets up accounts and all their entities one after the other."""
        for entry in entries:
            await self.hass.config_entries.async_setup(entry.entry_id)
            await self.hass.async_block_till_done()
            if entry.state is not ConfigEntryState.LOADED:
                raise RuntimeError(f"The account is {entry.state}: {entry.reason}")

    async def unload(self, entries: Iterable[ConfigEntry]) -> None:
        """Unloads accounts."""
        for entry in entries:
            await self.hass.config_entries.async_unload(entry.entry_id)

    async def poll(self, coordinators: Iterable[DataUpdateCoordinator[Any]]) -> None:
        """Polls accounts one after the other and waits for state changes."""
        for coordinator in coordinators:
            await coordinator.async_refresh()
            await self.hass.async_block_till_done()
            self.meter.done()
            if not coordinator.last_update_success:
                raise RuntimeError(f"A poll failed: {coordinator.last_exception}")

    async def measure_polls(self, coordinators: list[DataUpdateCoordinator[Any]]) -> None:
        """Measures polls with and without changes."""
        chosen = [await self._every_hundredth(facts) for facts in self.facts]
        await self.poll(coordinators)
        for round_ in range(self.polls):
            with self.meter.phase(UNCHANGED):
                await self.poll(coordinators)
            for facts, ids in zip(self.facts, chosen, strict=True):
                value = _FIRST_CHANGE + round_
                changes = {self.service.place.format(escaped(id_)): value for id_ in ids}
                await self._control("PATCH", facts, changes)
            with self.meter.phase(CHANGED, writes=1):
                await self.poll(coordinators)

    async def _every_hundredth(self, facts: Facts) -> list[str]:
        """Returns the ids of 1 % of a service's rows, at least one."""
        rows = await self._control("GET", facts)
        for name in self.service.rows.split("."):
            rows = rows[name]
        return list(rows)[: self.rows : _HUNDREDTH]

    async def _control(
        self, method: str, facts: Facts, changes: Mapping[str, object] | None = None
    ) -> Any:
        async with (
            ClientSession(facts["url"], raise_for_status=True) as session,
            session.request(method, "/_control/state", json=changes) as response,
        ):
            return await response.json()


@contextmanager
def without_checks() -> Iterator[None]:
    """Disables checks of tunnels for accounts that are set up in this context."""

    def _create(*args: Any) -> Provider:
        provider = create_provider(*args)
        provider.feeds = {key: replace(feed, probe=None) for key, feed in provider.feeds.items()}
        return provider

    with patch.object(tunnel_hub, "create_provider", _create):
        yield


@contextmanager
def _recording(meter: Meter) -> Iterator[None]:
    """Counts requests and records answers."""
    connect = BaseConnector.connect
    ask = Transport.request

    async def _connect(*args: Any, **kwargs: Any) -> Any:
        meter.requests += 1
        return await connect(*args, **kwargs)

    async def _ask(*args: Any, **kwargs: Any) -> Answer:
        answer = await ask(*args, **kwargs)
        meter.arrived(answer.body)
        return answer

    with (
        patch.object(BaseConnector, "connect", _connect),
        patch.object(Transport, "request", _ask),
    ):
        yield


@asynccontextmanager
async def home_assistant(meter: Meter) -> AsyncIterator[HomeAssistant]:
    """Runs Home Assistant with all entities enabled, and counts written states."""
    # It warns about every custom integration.
    logging.getLogger("homeassistant.loader").setLevel(logging.ERROR)

    @callback
    def _count(_: object) -> bool:
        meter.written += 1
        return False

    @callback
    def _ignore(_: object) -> None:
        """Never called, because the filter rejects all events."""

    with TemporaryDirectory() as folder:
        async with async_test_home_assistant(config_dir=folder) as hass:
            hass.data.pop(DATA_CUSTOM_COMPONENTS)
            # Without zeroconf, which would use the network.
            resolver = HassAsyncDNSResolver(async_zeroconf=Mock())
            hass.data[DATA_RESOLVER] = resolver
            # A browser is connected, so that measurements are not deferred.
            hass.data[DATA_CONNECTIONS] = 1
            hass.bus.async_listen(EVENT_STATE_CHANGED, _ignore, event_filter=_count)
            hass.bus.async_listen(EVENT_STATE_REPORTED, _ignore, event_filter=_count)
            meter.entities = hass.states.async_entity_ids_count
            with (
                _recording(meter),
                # The peer's releases are not available offline.
                patch.object(UpdateChecker, "latest_release", AsyncMock(return_value=_RELEASE)),
                patch.object(TunnelHubEntity, "entity_registry_enabled_default", True),
            ):
                yield hass
            await hass.async_stop(force=True)
            await resolver.real_close()


async def run_case(
    meter: Meter, order: Mapping[str, Any], case: Callable[[Environment], Awaitable[None]]
) -> None:
    """Runs a case.

    order: the "service" by name, the "facts" of its accounts, the minimum number of "rows" of each,
    the number of "polls" to measure, and the facts of a "spare" account that loads all code before.
    """
    service = SERVICES[order["service"]]
    with service.measured():
        async with home_assistant(meter) as hass:
            environment = Environment(
                hass=hass,
                meter=meter,
                service=service,
                facts=tuple(order["facts"]),
                rows=order["rows"],
                polls=order["polls"],
            )
            spare = replace(environment, facts=(order["spare"],), entries=[])
            with without_checks():
                await spare.sign_in()
                await spare.set_up(spare.entries)
                await hass.async_block_till_done(wait_background_tasks=True)
                await hass.config_entries.async_remove(spare.entries[0].entry_id)
                await environment.sign_in()
                await case(environment)
