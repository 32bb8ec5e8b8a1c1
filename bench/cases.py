"""The cases: one function and one row of CASES each."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
import logging
from typing import Any

from aiohttp import ClientSession, DummyCookieJar
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from custom_components.tunnel_hub.api import create_provider

from .baselines import Account, EntityDescriptor, bare, baseline_entries, describe_entities, plain
from .environment import FIRST_SET_UP, SET_UP_AGAIN, Environment, run_case
from .measurement import Meter, run

_LOGGER = logging.getLogger(__name__)


async def ours(environment: Environment) -> None:
    """Measures setup and polls of the integration, or of a comparable one."""
    await _set_up_twice(environment, environment.entries)
    await environment.measure_polls(list(map(environment.service.polled, environment.entries)))


async def bare_entities(environment: Environment) -> None:
    """Measures setup of the same entities without any logic."""
    accounts = [(descriptors_of, bare) for descriptors_of in await _describe_all(environment)]
    await _set_up_twice(environment, await baseline_entries(environment.hass, accounts), requests=0)


async def plain_listeners(environment: Environment, *, always_update: bool) -> None:
    """Measures polls of the same entities with Home Assistant's coordinator and its listeners."""
    descriptors = await _describe_all(environment)
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        accounts: list[Account] = []
        polled: list[DataUpdateCoordinator[Any]] = []
        for entry, descriptors_of in zip(environment.entries, descriptors, strict=True):
            provider = create_provider(environment.service.name, session, entry.data, {})
            coordinators = {
                key: DataUpdateCoordinator(
                    environment.hass,
                    _LOGGER,
                    config_entry=None,
                    name=key,
                    update_method=feed.fetch,
                    always_update=always_update,
                )
                for key, feed in provider.feeds.items()
            }
            await environment.poll(coordinators.values())
            # Forecasts are computed from the recorder's statistics, which no coordinator reads.
            of_feeds = [
                descriptor for descriptor in descriptors_of if descriptor.feed in coordinators
            ]
            accounts.append((of_feeds, partial(plain, coordinators)))
            polled.append(coordinators[f"{environment.service.feed}"])
        await environment.set_up(await baseline_entries(environment.hass, accounts))
        wanted = sum(len(descriptors_of) for descriptors_of, _ in accounts)
        if (found := environment.hass.states.async_entity_ids_count()) < wanted:
            raise RuntimeError(f"{found} of {wanted} entities were set up")
        await environment.measure_polls(polled)


async def _describe_all(environment: Environment) -> list[list[EntityDescriptor]]:
    """Sets up and remove all accounts; returns the descriptions of their entities."""
    await environment.set_up(environment.entries)
    descriptors = [describe_entities(environment.hass, entry) for entry in environment.entries]
    for entry in environment.entries:
        await environment.hass.config_entries.async_remove(entry.entry_id)
    return descriptors


async def _set_up_twice(environment: Environment, entries: list[Any], *, requests: int = 1) -> None:
    """Measures setup of new entities, and of registered ones."""
    with environment.meter.phase(FIRST_SET_UP, writes=1, requests=requests):
        await environment.set_up(entries)
    await environment.unload(entries)
    with environment.meter.phase(SET_UP_AGAIN, writes=1, requests=requests):
        await environment.set_up(entries)


CASES: Mapping[str, Callable[[Environment], Awaitable[None]]] = {
    "ours": ours,
    "bare": bare_entities,
    "plain, always": partial(plain_listeners, always_update=True),
    "plain, if changed": partial(plain_listeners, always_update=False),
}


async def measure(meter: Meter, order: Mapping[str, Any]) -> None:
    """Runs the ordered case."""
    await run_case(meter, order, CASES[order["case"]])


if __name__ == "__main__":
    run(measure)
