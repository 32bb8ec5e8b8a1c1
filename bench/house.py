"""The integration in a Home Assistant of its own, with a simulated account: the cases."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
import logging
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import Mock, patch

from aiohttp import ClientSession, DummyCookieJar
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, EVENT_STATE_REPORTED
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import DATA_RESOLVER, HassAsyncDNSResolver
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

from custom_components import tunnel_hub
from custom_components.tunnel_hub.api import create_provider
from custom_components.tunnel_hub.api.provider import Provider
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.coordinator import FeedCoordinator

from .meter import Meter, run

FIRST_SET_UP = "first set-up"
SET_UP_AGAIN = "set-up again"
POLL_UNCHANGED = "poll, nothing changed"
POLL_CHANGED = "poll, 1 % changed"
POLL_AND_CHECKS = "poll with online checks"

_PORTS_OF_OURS = 20000
"""No simulated tunnel leads to a local port as high, so each of these is a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A running Home Assistant. data: an account's, signed in. polls: how many to measure."""

    hass: HomeAssistant
    meter: Meter
    data: Mapping[str, str]
    tunnels: int
    polls: int

    async def set_up(self, entry: MockConfigEntry) -> None:
        """Set an account up, until all its entities are there."""
        await self.hass.config_entries.async_setup(entry.entry_id)
        await self.hass.async_block_till_done()
        if entry.state is not ConfigEntryState.LOADED:
            raise RuntimeError(f"The account is {entry.state}: {entry.reason}")

    async def settle(self) -> None:
        """Wait until the online checks are done, too."""
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def poll(self, coordinator: FeedCoordinator) -> None:
        """Poll the tunnels."""
        await coordinator.async_refresh()
        if not coordinator.last_update_success:
            raise RuntimeError(f"A poll failed: {coordinator.last_exception}")

    async def change(self, round_: int) -> None:
        """Change a field of every hundredth tunnel at the service."""
        ports = {
            f"tunnels.{id_}.local_port": _PORTS_OF_OURS + round_
            for id_ in range(1, self.tunnels + 1, 100)
        }
        async with (
            ClientSession(self.data["base_url"], raise_for_status=True) as session,
            session.patch("/_control/state", json=ports),
        ):
            pass


# The cases: one function and one row of CASES each


async def polls(house: House) -> None:
    """Set-up and polls of the list of tunnels, without their online checks."""
    entry = account(house.hass, house.data)
    with without_checks():
        with house.meter.phase(FIRST_SET_UP, writes=house.tunnels):
            await house.set_up(entry)
        await house.hass.config_entries.async_unload(entry.entry_id)
        with house.meter.phase(SET_UP_AGAIN, writes=house.tunnels):
            await house.set_up(entry)
    tunnels = entry.runtime_data.coordinators["tunnels"]
    await house.poll(tunnels)
    for round_ in range(house.polls):
        with house.meter.phase(POLL_UNCHANGED):
            await house.poll(tunnels)
        await house.change(round_)
        with house.meter.phase(POLL_CHANGED, writes=1):
            await house.poll(tunnels)


async def checks(house: House) -> None:
    """Polls with the online checks that follow, one request for each enabled tunnel."""
    entry = account(house.hass, house.data)
    await house.set_up(entry)
    await house.settle()
    tunnels = entry.runtime_data.coordinators["tunnels"]
    for _ in range(house.polls):
        with house.meter.phase(POLL_AND_CHECKS):
            await house.poll(tunnels)
            await house.settle()


CASES: Mapping[str, Callable[[House], Awaitable[None]]] = {"polls": polls, "checks": checks}


# What they share


def account(hass: HomeAssistant, data: Mapping[str, str]) -> MockConfigEntry:
    """Add an account, not yet set up. It polls only when told to."""
    entry = MockConfigEntry(domain=DOMAIN, data=dict(data), pref_disable_polling=True)
    entry.add_to_hass(hass)
    return entry


@contextmanager
def without_checks() -> Iterator[None]:
    """Have accounts that are set up in this context leave their tunnels unchecked."""

    def _create(*args: Any) -> Provider:
        provider = create_provider(*args)
        provider.feeds = {key: replace(feed, probe=None) for key, feed in provider.feeds.items()}
        return provider

    with patch.object(tunnel_hub, "create_provider", _create):
        yield


async def signed_in(service: Mapping[str, str]) -> dict[str, str]:
    """Return the data of an account as the config flow stores them, with a session."""
    credentials = {
        "base_url": service["url"],
        "username": service["username"],
        "password": service["password"],
    }
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        provider = create_provider("hayfrp", session, credentials, {})
        await provider.identify()
    return {"provider": "hayfrp", **provider.credentials}


@asynccontextmanager
async def home_assistant(meter: Meter) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant, and count the states that are written."""
    # Warns of every custom integration. Other warnings are worth reading.
    logging.getLogger("homeassistant.loader").setLevel(logging.ERROR)

    @callback
    def _count(_: object) -> bool:
        meter.written += 1
        return False

    @callback
    def _hear(_: object) -> None:
        """Is never called: the filter lets nothing through."""

    with TemporaryDirectory() as folder:
        async with async_test_home_assistant(config_dir=folder) as hass:
            hass.data.pop(DATA_CUSTOM_COMPONENTS)
            # There is no name to look up, so none is asked for in the home's network either.
            resolver = HassAsyncDNSResolver(async_zeroconf=Mock())
            hass.data[DATA_RESOLVER] = resolver
            hass.bus.async_listen(EVENT_STATE_CHANGED, _hear, event_filter=_count)
            hass.bus.async_listen(EVENT_STATE_REPORTED, _hear, event_filter=_count)
            yield hass
            await hass.async_stop(force=True)
            await resolver.real_close()


async def measure(meter: Meter, order: Mapping[str, Any]) -> None:
    """Run one case.

    order: the "case", the "service" with the account and how many "tunnels" it has, how
    many "polls" to measure, and a "spare" service to load all code with.
    """
    async with home_assistant(meter) as hass:
        house = House(
            hass=hass,
            meter=meter,
            data=await signed_in(order["service"]),
            tunnels=order["tunnels"],
            polls=order["polls"],
        )
        spare = account(hass, await signed_in(order["spare"]))
        await house.set_up(spare)
        await house.settle()
        await hass.config_entries.async_remove(spare.entry_id)
        await CASES[order["case"]](house)


if __name__ == "__main__":
    run(measure)
