"""One demo, one browser and one profile for all of these tests, and a page of its own for each."""

import asyncio
from collections.abc import AsyncIterator

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect
import pytest

from demo.browser import chromium, new_context
from demo.entities import until_shown
from demo.providers import PROVIDERS
from demo.stage import Stage, stage

from .looks import SHOTS

_PATIENCE = 60_000.0
"""Milliseconds; the machines of continuous integration are slow."""
_CLOSING = 60.0
"""Seconds; Chromium does not close every page."""

_FIRST = ("test_dashboard.py", "test_changing_tunnels.py")
"""What expects the demo's own accounts alone, and at the same time what takes longest."""

expect.set_options(timeout=_PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with these files; the others follow in the order of their names."""
    places = {name: place for place, name in enumerate(_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session")
async def running() -> AsyncIterator[Stage]:
    """The simulated services, Home Assistant and an account at each."""
    async with stage(PROVIDERS) as started:
        for provider in PROVIDERS:
            await until_shown(started, provider, PROVIDERS[provider].shown)
        yield started


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture(scope="session")
async def shared_profile(running: Stage, browser: Browser) -> AsyncIterator[BrowserContext]:
    """The profile of a person who is signed in to Home Assistant.

    Its first page stays, so that the browser keeps the process in which the frontend is compiled.
    """
    async with new_context(browser, running.hass) as context:
        idle = await context.new_page()
        await idle.goto(f"{running.hass.url}/manifest.json")
        yield context


@pytest.fixture
def signed_in() -> bool:
    """Whether the page is signed in to Home Assistant."""
    return True


@pytest.fixture
async def context(
    running: Stage, browser: Browser, shared_profile: BrowserContext, *, signed_in: bool
) -> AsyncIterator[BrowserContext]:
    """A profile in which nothing is stored but the sign-in."""
    if signed_in:
        await shared_profile.pages[0].evaluate("localStorage.clear()")
        await shared_profile.clear_permissions()
        yield shared_profile
    else:
        async with new_context(browser, running.hass, signed_in=False) as own:
            yield own


@pytest.fixture
async def page(context: BrowserContext, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A page; at the end there is a screenshot of it, and no error may have been logged."""
    errors: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        url = message.location["url"]
        # Pictures of Home Assistant's own integrations are on a server that no test asks.
        if message.type == "error" and "/api/brands/" not in url:
            errors.append(f"{message.text} {url}")

    opened = await context.new_page()
    opened.set_default_timeout(_PATIENCE)
    opened.on("console", listen)
    opened.on("pageerror", lambda err: errors.append(str(err)))
    yield opened
    SHOTS.mkdir(exist_ok=True)
    await opened.screenshot(path=SHOTS / f"{request.node.name}.png")
    async with asyncio.timeout(_CLOSING):
        await opened.close()
    assert errors == []
