"""An account, added as a person would."""

from collections.abc import AsyncIterator

from playwright.async_api import Page, expect
import pytest

from demo.stage import DOMAIN, Stage

_TITLE = "HayFrp demo"
_ENTRIES = "/api/config/config_entries/entry"


@pytest.fixture
async def _removed(running: Stage) -> AsyncIterator[None]:
    """Take HayFrp's account away, and leave one behind whatever happens."""
    await running.hass._call("DELETE", f"{_ENTRIES}/{running.entries['hayfrp']}")
    yield
    for entry in await running.hass.get(_ENTRIES):
        if entry["title"] == _TITLE:
            running.entries["hayfrp"] = entry["entry_id"]
            return
    await running.add_account("hayfrp")


@pytest.mark.usefixtures("_removed")
async def test_wrong_password_first(page: Page, running: Stage) -> None:
    facts = running.services["hayfrp"]
    await page.goto(f"{running.hass.url}/config/integrations/dashboard/add?domain={DOMAIN}")
    dialog = page.locator("dialog-data-entry-flow")
    await page.locator("dialog-box").get_by_role("button").last.click()
    await dialog.get_by_text("HayFrp", exact=True).click()
    await dialog.get_by_text("User name and password").click()

    await dialog.get_by_text("Address of the service").click()
    fields = dialog.locator("input")
    await expect(fields).to_have_count(3)
    username, password, base_url = (fields.nth(index) for index in range(3))

    await username.fill(facts["username"])
    await base_url.fill(facts["url"])

    async def _enter(secret: str) -> None:
        await password.fill(secret)
        await dialog.get_by_role("button", name="Submit").click()

    await _enter("not the password")
    await expect(dialog.locator("ha-alert").first).to_be_visible()

    await _enter(facts["password"])
    await expect(dialog.get_by_role("button", name="Finish")).to_be_visible()
    entries = await running.hass.get(_ENTRIES)
    (state,) = [entry["state"] for entry in entries if entry["title"] == _TITLE]
    assert state == "loaded"
