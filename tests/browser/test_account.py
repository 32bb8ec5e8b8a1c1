"""Tests reauthentication and options of an account."""

from collections.abc import AsyncIterator

from playwright.async_api import Locator, Page, expect
import pytest

from demo.stage import DOMAIN, Stage

from .dialogs import choose, dialog_of, enter, fill, refused

PROVIDER = "hayfrp"
TITLE = "HayFrp demo"
SIGN_IN_DAILY = "Sign in automatically every day"


async def row_of(page: Page, running: Stage) -> Locator:
    """Returns the account's row on the integration's page."""
    await page.goto(f"{running.hass.url}/config/integrations/integration/{DOMAIN}")
    return page.locator("ha-config-entry-row").filter(has_text=TITLE)


async def change_password(running: Stage, password: str) -> None:
    """Changes the password at the service, which ends all sessions."""
    changes = {"accounts.demo.password": password, "accounts.demo.csrf": password}
    await running.patch(PROVIDER, changes)


@pytest.fixture
async def new_password(running: Stage) -> AsyncIterator[str]:
    """Changes the password at the service and reloads the account."""
    await change_password(running, "another-password")
    await running.reload_account(PROVIDER)
    yield "another-password"
    await change_password(running, running.services[PROVIDER]["password"])
    await running.remove_account(PROVIDER)
    await running.add_account(PROVIDER)


async def test_signing_in_again(page: Page, running: Stage, new_password: str) -> None:
    """Tests that reauthentication rejects the old password and accepts the new one."""
    await row_of(page, running)
    await page.get_by_role("button", name="Reconfigure").first.click()
    dialog = dialog_of(page)
    await choose(dialog, "Username and password")
    await fill(dialog, "Password", running.services[PROVIDER]["password"])
    await enter(dialog)
    await refused(dialog)

    await fill(dialog, "Password", new_password)
    await enter(dialog)
    await expect(page.get_by_text("Re-authentication was successful")).to_be_visible()
    assert (await running.entry_of(PROVIDER))["state"] == "loaded"


async def test_options(page: Page, running: Stage) -> None:
    """Tests that the options are stored."""
    row = await row_of(page, running)
    for turned_on in (True, False):
        await row.get_by_role("button", name="Configure").click()
        dialog = dialog_of(page)
        switch = dialog.locator("ha-selector-boolean").filter(has_text=SIGN_IN_DAILY)
        await expect(switch.get_by_role("switch")).to_be_checked(checked=not turned_on)
        await switch.locator("ha-switch").click()
        await enter(dialog)
        await enter(dialog, "Finish")
        await expect(dialog).to_be_hidden()
