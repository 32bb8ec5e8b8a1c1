"""Helpers for dialogs of config flows."""

import re

from playwright.async_api import Locator, Page, expect

from demo.stage import DOMAIN, Stage


def dialog_of(page: Page) -> Locator:
    """Returns the open dialog."""
    return page.locator("dialog-data-entry-flow")


async def add_dialog(page: Page, running: Stage) -> Locator:
    """Opens and returns the dialog that adds an account."""
    await page.goto(f"{running.hass.url}/config/integrations/dashboard/add?domain={DOMAIN}")
    await page.locator("dialog-box").get_by_role("button").last.click()
    return dialog_of(page)


async def choose(dialog: Locator, choice: str) -> None:
    """Selects an option of a menu."""
    await dialog.get_by_text(choice, exact=True).click()


async def fill(dialog: Locator, label: str, text: str) -> None:
    """Fills in a field."""
    name = re.compile(rf"^{re.escape(label)}\*?$")
    field = dialog.get_by_role("textbox", name=name).or_(
        dialog.get_by_role("spinbutton", name=name)
    )
    await field.fill(text)


async def enter(dialog: Locator, button: str = "Submit") -> None:
    """Submits a form."""
    await dialog.get_by_role("button", name=button).click()


async def refused(dialog: Locator) -> None:
    """Expects an error in the dialog."""
    await expect(dialog.get_by_role("alert").first).to_be_visible()
