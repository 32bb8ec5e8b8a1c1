"""What is measured of a service: its accounts, what is polled of them and what changes there."""

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

    server: the arguments of Python that run it with so many rows in the list that is polled.
    entry: an account that is signed in, not yet set up; it polls only when told to.
    feed: the key of the feed of the list; None for a peer with a single coordinator.
    rows, place: the path to the rows in the service's state, by id, and that to what changes of
    each.
    at_most: rows of one account; more are shared among several.
    measured: what else is so while it is measured.
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
        """Return the coordinator of an account's list."""
        data = entry.runtime_data
        coordinator: DataUpdateCoordinator[Any] = (
            data if self.feed is None else data.coordinators[self.feed]
        )
        return coordinator


def escaped(id_: str) -> str:
    """Return an id as a step of a path in the simulator's state."""
    return id_.replace(".", r"\.")


def simulated(name: str, *sizes: str) -> Callable[[int], list[str]]:
    """Return how to run the simulator. sizes: its options, each one row for so many of ours."""

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
    """Return how to sign in as the config flow does."""

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
    """Return how to make credentials: the address and what else is named."""
    return lambda facts: {"base_url": facts["url"], **{name: facts[name] for name in names}}


ADMITTED = 800
"""Rows with so many entities each that Home Assistant, which admits 10,000, takes them all."""

LONG_LIST = 100_000
"""All rows in one list, of which Home Assistant shows as many as it admits."""
