"""The steps in the user interface that add a ChmlFrp account."""

from playwright.async_api import Locator, Page, expect

from ..browser.add_account import AddAccount


async def _agree(page: Page, dialog: Locator) -> None:
    """Agree to the sign-in on the page that the dialog links to, in another browser."""
    address = await dialog.get_by_role("link", name="this page").get_attribute("href")
    assert address
    assert page.context.browser
    other = await page.context.browser.new_page()
    await other.goto(address)
    await other.locator("button[value=approve]").click()
    # Chromium may never close a page that is loading another.
    await expect(other.get_by_text("已允许")).to_be_visible()
    await other.close()


ADD_ACCOUNT = AddAccount(
    choices=["ChmlFrp", "Sign in with a browser"],
    section="Service address",
    fields=lambda facts: {
        "Client ID": facts["client_id"],
        "Base URL": facts["url"],
        "Account center URL": facts["oauth_url"],
    },
    secret="Client ID",
    then=_agree,
)
