"""One demo and one browser for all of these tests, and a page of its own for each."""

from collections.abc import AsyncIterator

from playwright.async_api import Browser, ConsoleMessage, Page, expect
import pytest

from demo.browser import chromium, new_page
from demo.entities import until_shown
from demo.providers import PROVIDERS
from demo.stage import CHECKOUT, Stage, stage

_SHOTS = CHECKOUT / ".screenshots"
_PATIENCE = 20_000.0
"""Milliseconds; the machines of continuous integration are slow."""

expect.set_options(timeout=_PATIENCE)


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


@pytest.fixture
def signed_in() -> bool:
    """Whether the page is signed in to Home Assistant."""
    return True


@pytest.fixture
async def page(
    running: Stage, browser: Browser, request: pytest.FixtureRequest, *, signed_in: bool
) -> AsyncIterator[Page]:
    """A page; at the end there is a screenshot of it, and no error may have been logged."""
    errors: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        url = message.location["url"]
        # Pictures of Home Assistant's own integrations are on a server that no test asks.
        if message.type == "error" and "/api/brands/" not in url:
            errors.append(f"{message.text} {url}")

    async with new_page(browser, running.hass, signed_in=signed_in) as opened:
        opened.set_default_timeout(_PATIENCE)
        opened.on("console", listen)
        opened.on("pageerror", lambda err: errors.append(str(err)))
        yield opened
        _SHOTS.mkdir(exist_ok=True)
        await opened.screenshot(path=_SHOTS / f"{request.node.name}.png")
    assert errors == []
