"""Describes a measured service: its accounts, the polled list and its changes."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, DummyCookieJar
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.api import create_provider
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.reachability import CHECKS, CHECKS_OFF

type Facts = Mapping[str, str]
"""The URL of a simulated service and the credentials of the demo account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service.

    server: returns Python's arguments that run it with a number of rows in the polled list.
    entry: returns an account that is signed in but not set up, without automatic polling.
    feed: the key of the list's feed; None for a peer with a single coordinator.
    rows, place: paths in the service's state to the rows by id, and to the changing value of each.
    at_most: maximum rows of one account; more are distributed among several.
    measured: a context for the measurement.
    usual: rows of the largest account that exists.
    is_main: whether growth and memory are also measured, and others are compared with it.
    """

    name: str
    server: Callable[[int], list[str]]
    entry: Callable[[Facts], Awaitable[MockConfigEntry]]
    feed: str | None
    rows: str
    place: str
    at_most: int
    usual: int
    measured: Callable[[], AbstractContextManager[object]] = nullcontext
    is_main: bool = False

    def polled(self, entry: MockConfigEntry) -> DataUpdateCoordinator[Any]:
        """Returns the coordinator of an account's list."""
        data = entry.runtime_data
        coordinator: DataUpdateCoordinator[Any] = (
            data if self.feed is None else data.coordinators[self.feed]
        )
        return coordinator


def escaped(id_: str) -> str:
    """Returns an id as a step of a path in the simulator's state."""
    return id_.replace(".", r"\.")


def simulated(name: str, *sizes: str) -> Callable[[int], list[str]]:
    """Returns the simulator's command for a number of rows.

    sizes: its options, such as "--nodes/10" for a node for every ten rows.
    """

    def _arguments(rows: int) -> list[str]:
        command = ["-m", "simulator", "--json", "--services", name]
        for size in sizes:
            option, _, share = size.partition("/")
            command += [option, f"{max(1, rows // int(share or 1))}"]
        return command

    return _arguments


def account(
    name: str, credentials: Callable[[Facts], Facts]
) -> Callable[[Facts], Awaitable[MockConfigEntry]]:
    """Returns a function that signs in as the config flow does."""

    async def _sign_in(facts: Facts) -> MockConfigEntry:
        async with ClientSession(cookie_jar=DummyCookieJar()) as session:
            provider = create_provider(name, session, credentials(facts), {})
            await provider.identify()
        data = {"provider": name, **provider.credentials}
        return MockConfigEntry(
            domain=DOMAIN, data=data, options={CHECKS: CHECKS_OFF}, pref_disable_polling=True
        )

    return _sign_in


def with_url(*names: str) -> Callable[[Facts], Facts]:
    """Returns a function that returns credentials: the address and the named fields."""
    return lambda facts: {"base_url": facts["url"], **{name: facts[name] for name in names}}


ROWS_WITHIN_LIMIT = 800
"""Rows per account, below our limit of 10,000 entities."""

LONG_LIST = 100_000
"""For all rows in one list, of which only part become entities."""
