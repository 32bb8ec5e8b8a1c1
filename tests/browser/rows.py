"""Helpers for the rows of tunnels on the dashboard."""

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
"""A tunnel that has just been enabled has not been checked yet."""


async def visit(page: Page, running: Stage, path: str) -> None:
    """Opens a view of the dashboard and expands its list of tunnels."""
    await page.goto(f"{running.hass.url}/tunnel-hub/{path}")
    await expect(page.locator("tunnel-hub-paths").first).to_be_visible()
    more = page.locator("tunnel-hub-paths").locator(".more").first
    if await more.is_visible():
        await more.click()


async def name_of(running: Stage, number: str) -> str:
    """Returns a tunnel's device name."""
    return (await entities_of(running, PROVIDER))[f"sensor:tunnel:{number}:state"].device


def below_account(name: str) -> str:
    """Returns a tunnel's name below the heading of its account."""
    return name.removesuffix(f" ({TITLE})")


def row_of(page: Page, name: str) -> Locator:
    """Returns a tunnel's row."""
    title = page.get_by_role("heading", name=name, exact=True)
    return page.get_by_role("listitem").filter(has=title).filter(has_text=SERVICE).first


def path_of(page: Page, name: str, verdict: str) -> Locator:
    """Returns a tunnel's path by its accessible name.

    verdict: the start of the condition, as a regular expression.
    """
    label = re.compile(f"^{re.escape(name)}: {verdict}")
    return row_of(page, name).get_by_role("group", name=label)


async def until_applied(running: Stage, number: str, *, enabled: bool) -> None:
    """Waits until the tunnel is enabled, or disabled, at the service."""

    async def _otherwise() -> str:
        tunnel = (await running.state_of(PROVIDER))["tunnels"][number]
        return "" if tunnel["enabled"] is enabled else "The service has not changed it"

    await until(_otherwise, REACTING)
