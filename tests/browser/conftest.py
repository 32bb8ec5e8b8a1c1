"""Fixtures: a demo, a browser and a profile for all tests, and a page for each."""

import asyncio
from collections.abc import AsyncIterator

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, expect
import pytest

from demo.browser import chromium, new_context
from demo.entities import until_shown
from demo.providers import PROVIDERS
from demo.stage import Stage, stage

from .appearance import SHOTS

_PATIENCE = 60_000.0
"""Milliseconds, long enough for slow machines of continuous integration."""
_CLOSING = 60.0
"""Seconds; Chromium does not close every page."""

_FIRST = ("test_dashboard.py", "test_tunnel_changes.py")
"""The slowest tests, which need the demo's original accounts."""

expect.set_options(timeout=_PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs these files first, then the others by name."""
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
    """The profile of a user who is signed in to Home Assistant.

    Its first page stays open, so that the browser keeps the process with the compiled frontend.
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
    """A profile with an empty storage, except the sign-in."""
    if signed_in:
        await shared_profile.pages[0].evaluate("localStorage.clear()")
        await shared_profile.clear_permissions()
        yield shared_profile
    else:
        async with new_context(browser, running.hass, signed_in=False) as own:
            yield own


@pytest.fixture
async def page(context: BrowserContext, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A page. At the end, a screenshot is taken, and logged errors fail the test."""
    errors: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        url = message.location["url"]
        # Logos of Home Assistant's own integrations need the internet.
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
