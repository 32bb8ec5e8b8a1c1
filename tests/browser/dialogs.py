"""Dialogs of the config flow, used as a person does."""

import re

from playwright.async_api import Locator, Page, expect

from demo.stage import DOMAIN, Stage


def dialog_of(page: Page) -> Locator:
    """Return the dialog that is open."""
    return page.locator("dialog-data-entry-flow")


async def add_dialog(page: Page, running: Stage) -> Locator:
    """Ask for another account, and agree that this is what we want."""
    await page.goto(f"{running.hass.url}/config/integrations/dashboard/add?domain={DOMAIN}")
    await page.locator("dialog-box").get_by_role("button").last.click()
    return dialog_of(page)


async def choose(dialog: Locator, choice: str) -> None:
    """Choose from a menu."""
    await dialog.get_by_text(choice, exact=True).click()


async def fill(dialog: Locator, label: str, text: str) -> None:
    """Enter something into a field."""
    name = re.compile(rf"^{re.escape(label)}\*?$")
    field = dialog.get_by_role("textbox", name=name).or_(
        dialog.get_by_role("spinbutton", name=name)
    )
    await field.fill(text)


async def enter(dialog: Locator, button: str = "Submit") -> None:
    """Be done with a form."""
    await dialog.get_by_role("button", name=button).click()


async def refused(dialog: Locator) -> None:
    """See that what was entered is wrong."""
    await expect(dialog.get_by_role("alert").first).to_be_visible()
