"""Starts a browser that is signed in to Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import shutil
import time

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from .hass import Hass

_CLOSING = 60.0
"""Seconds. The driver itself has no timeout, and Chromium does not close every page."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Starts the installed Chromium without background network access."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-gpu",
                "--disable-sync",
                "--no-sandbox",
                "--process-per-site",
            ],
        )
        yield started
        async with asyncio.timeout(_CLOSING):
            await started.close()


@asynccontextmanager
async def new_context(
    browser: Browser, hass: Hass, *, signed_in: bool = True
) -> AsyncIterator[BrowserContext]:
    """Opens a new profile."""
    context = await browser.new_context(
        color_scheme="light",
        locale="en-GB",
        reduced_motion="reduce",
        # Scripts from a service worker would be compiled for each page.
        service_workers="block",
        timezone_id="UTC",
    )
    if signed_in:
        tokens = {
            **hass.tokens,
            "hassUrl": hass.url,
            "clientId": hass.client_id,
            "expires": int(time.time() + hass.tokens["expires_in"]) * 1000,
        }
        stored = json.dumps(json.dumps(tokens))
        await context.add_init_script(f"localStorage.setItem('hassTokens', {stored})")
    yield context
    async with asyncio.timeout(_CLOSING):
        await context.close()


async def speak(page: Page, language: str) -> None:
    """Sets the user's language before the first page."""
    await page.add_init_script(f"localStorage.selectedLanguage = JSON.stringify('{language}')")
