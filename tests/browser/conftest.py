"""One demo for all of these tests, and a browser for each."""

from collections.abc import AsyncIterator

from playwright.async_api import ConsoleMessage, Page
import pytest

from demo.providers import PROVIDERS
from demo.screenshots import browser
from demo.stage import CHECKOUT, Stage, stage

_SHOTS = CHECKOUT / ".screenshots"
_PATIENCE = 20_000.0
"""Milliseconds; the machines of continuous integration are slow."""


@pytest.fixture(scope="session")
async def running() -> AsyncIterator[Stage]:
    """The simulated services, Home Assistant and an account at each."""
    async with stage(PROVIDERS) as started:
        yield started


@pytest.fixture
async def page(running: Stage, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """A browser's page; at the end there is a screenshot, and no error may have been logged."""
    errors: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        url = message.location["url"]
        # Pictures of Home Assistant's own integrations are on a server that no test asks.
        if message.type == "error" and "/api/brands/" not in url:
            errors.append(f"{message.text} {url}")

    async with browser(running.hass) as opened:
        opened.set_default_timeout(_PATIENCE)
        opened.on("console", listen)
        opened.on("pageerror", lambda err: errors.append(str(err)))
        yield opened
        _SHOTS.mkdir(exist_ok=True)
        await opened.screenshot(path=_SHOTS / f"{request.node.name}.png")
    assert errors == []
