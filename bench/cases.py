"""The cases: one function and one row of CASES each."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
import logging
from typing import Any

from aiohttp import ClientSession, DummyCookieJar
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from custom_components.tunnel_hub.api import create_provider

from .house import FIRST_SET_UP, SET_UP_AGAIN, House, furnished
from .meter import Meter, run
from .rivals import Account, Recipe, bare, plain, recipes, rivals

_LOGGER = logging.getLogger(__name__)


async def ours(house: House) -> None:
    """The integration, or a comparable one: set-up and polls."""
    await _set_up_twice(house, house.entries)
    await house.polls_of(list(map(house.service.polled, house.entries)))


async def bare_entities(house: House) -> None:
    """As many entities without a function: the same names, devices, values, attributes."""
    accounts = [(made_of, bare) for made_of in await _written_down(house)]
    await _set_up_twice(house, await rivals(house.hass, accounts), requests=0)


async def plain_listeners(house: House, *, always_update: bool) -> None:
    """The same data and entities, with Home Assistant's coordinator and its listeners."""
    written_down = await _written_down(house)
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        accounts: list[Account] = []
        polled: list[DataUpdateCoordinator[Any]] = []
        for entry, made_of in zip(house.entries, written_down, strict=True):
            provider = create_provider(house.service.name, session, entry.data, {})
            coordinators = {
                key: DataUpdateCoordinator(
                    house.hass,
                    _LOGGER,
                    config_entry=None,
                    name=key,
                    update_method=feed.fetch,
                    always_update=always_update,
                )
                for key, feed in provider.feeds.items()
            }
            await house.poll(coordinators.values())
            # A forecast is worked out of the recorder's statistics, which no coordinator reads.
            of_feeds = [recipe for recipe in made_of if recipe.feed in coordinators]
            accounts.append((of_feeds, partial(plain, coordinators)))
            polled.append(coordinators[f"{house.service.feed}"])
        await house.set_up(await rivals(house.hass, accounts))
        wanted = sum(len(made_of) for made_of, _ in accounts)
        if (found := house.hass.states.async_entity_ids_count()) < wanted:
            raise RuntimeError(f"{found} of {wanted} entities were set up")
        await house.polls_of(polled)


async def _written_down(house: House) -> list[list[Recipe]]:
    """Set all accounts up, write their entities down and remove them."""
    await house.set_up(house.entries)
    written_down = [recipes(house.hass, entry) for entry in house.entries]
    for entry in house.entries:
        await house.hass.config_entries.async_remove(entry.entry_id)
    return written_down


async def _set_up_twice(house: House, entries: list[Any], *, requests: int = 1) -> None:
    """Measure how entities become known, and how known ones are set up."""
    with house.meter.phase(FIRST_SET_UP, writes=1, requests=requests):
        await house.set_up(entries)
    await house.unload(entries)
    with house.meter.phase(SET_UP_AGAIN, writes=1, requests=requests):
        await house.set_up(entries)


CASES: Mapping[str, Callable[[House], Awaitable[None]]] = {
    "ours": ours,
    "bare": bare_entities,
    "plain, always": partial(plain_listeners, always_update=True),
    "plain, if changed": partial(plain_listeners, always_update=False),
}


async def measure(meter: Meter, order: Mapping[str, Any]) -> None:
    """Run the case that the order names."""
    await furnished(meter, order, CASES[order["case"]])


if __name__ == "__main__":
    run(measure)
