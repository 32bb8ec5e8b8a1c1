"""The rows of tunnels on the dashboard: what the tests of a browser find there."""

import re

from playwright.async_api import Locator, Page, expect

from demo.entities import entities_of
from demo.progress import until
from demo.stage import Stage

PROVIDER = "hayfrp"
SERVICE = "HayFrp"
TITLE = "HayFrp demo"
REACTING = 20.0
"""Seconds."""
UP = "(Connected|Reachable)"
"""A tunnel that was enabled a moment ago has not been checked yet."""


async def visit(page: Page, running: Stage, path: str) -> None:
    """Open a view of the dashboard, and see all of it."""
    await page.goto(f"{running.hass.url}/tunnel-hub/{path}")
    await expect(page.locator("tunnel-hub-paths").first).to_be_visible()
    more = page.locator("tunnel-hub-paths").locator(".more").first
    if await more.is_visible():
        await more.click()


async def name_of(running: Stage, number: str) -> str:
    """Return what a tunnel is called in Home Assistant."""
    return (await entities_of(running, PROVIDER))[f"sensor:tunnel:{number}:state"].device


def below_account(name: str) -> str:
    """Return what a tunnel is called where its account stands above it."""
    return name.removesuffix(f" ({TITLE})")


def row_of(page: Page, name: str) -> Locator:
    """Return a tunnel's row."""
    title = page.get_by_role("heading", name=name, exact=True)
    return page.get_by_role("listitem").filter(has=title).filter(has_text=SERVICE).first


def path_of(page: Page, name: str, verdict: str) -> Locator:
    """Return a tunnel's path, as it is told to who cannot see it.

    verdict: how that begins, as a regular expression.
    """
    told = re.compile(f"^{re.escape(name)}: {verdict}")
    return row_of(page, name).get_by_role("group", name=told)


async def until_told(running: Stage, number: str, *, enabled: bool) -> None:
    """Wait until the service knows that a tunnel is enabled, or is not."""

    async def _otherwise() -> str:
        tunnel = (await running.state_of(PROVIDER))["tunnels"][number]
        return "" if tunnel["enabled"] is enabled else "The service has not heard of it"

    await until(_otherwise, REACTING)
