"""Accounts, added and kept as a person would."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect
import pytest
from yarl import URL

from demo.providers import Facts
from demo.stage import Stage

from .dialogs import add_dialog, choose, enter, fill, refused


async def _nothing_more(page: Page, dialog: Locator) -> None:
    """Go on: what was entered is all."""


async def _agree(page: Page, dialog: Locator) -> None:
    """Agree to the sign-in on the page that the dialog links to."""
    address = await dialog.get_by_role("link", name="this page").get_attribute("href")
    assert address
    other = await page.context.new_page()
    await other.goto(address)
    await other.locator("button[value=approve]").click()
    # Chromium may never close a page that is on its way to another.
    await expect(other.get_by_text("已允许")).to_be_visible()
    await other.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a person adds an account.

    choices: what to click, menu after menu.
    section: what to open, if anything.
    fields: what to enter, by label.
    secret: which of them is mistyped first.
    switched_off: whether there is a switch to turn off.
    then: what else there is to do.
    """

    choices: Sequence[str]
    fields: Callable[[Facts], Mapping[str, str]]
    secret: str
    section: str = ""
    switched_off: bool = False
    then: Callable[[Page, Locator], Awaitable[None]] = _nothing_more


WAYS = {
    "chmlfrp": Way(
        choices=["ChmlFrp", "Sign in with a browser"],
        section="Address of the service",
        fields=lambda facts: {
            "Client ID": facts["client_id"],
            "Base URL": facts["url"],
            "Account centre URL": facts["oauth_url"],
        },
        secret="Client ID",
        then=_agree,
    ),
    "easytier": Way(
        choices=[
            "EasyTier (your own node manager, or a public one)",
            "Sign in with mail address and password",
        ],
        fields=lambda facts: {
            "Server": facts["url"],
            "Mail address": facts["email"],
            "Password": facts["password"],
        },
        secret="Password",
    ),
    "hayfrp": Way(
        choices=["HayFrp", "Sign in with user name and password"],
        section="Address of the service",
        fields=lambda facts: {
            "User name": facts["username"],
            "Password": facts["password"],
            "Base URL": facts["url"],
        },
        secret="Password",
    ),
    "hy2scale": Way(
        choices=["HY2 SCALE"],
        fields=lambda facts: {
            "Host": str(URL(facts["url"]).host),
            "Port": str(URL(facts["url"]).port),
            "User name": facts["username"],
            "Password": facts["password"],
        },
        secret="Password",
        switched_off=True,
    ),
}


@pytest.fixture
async def removed(running: Stage, provider: str) -> AsyncIterator[None]:
    """Take the demo account away, and leave one behind whatever happens."""
    await running.remove_account(provider)
    yield
    for entry in await running.others():
        running.entries[provider] = entry["entry_id"]
    if provider not in running.entries:
        await running.add_account(provider)


@pytest.mark.usefixtures("removed")
@pytest.mark.parametrize("provider", WAYS)
async def test_mistyped_first(page: Page, running: Stage, provider: str) -> None:
    """The dialog says that it was wrong, keeps what else was entered, and takes the right one."""
    way, facts = WAYS[provider], running.services[provider]
    dialog = await add_dialog(page, running)
    for choice in way.choices:
        await choose(dialog, choice)
    if way.section:
        await dialog.get_by_role("button", name=way.section).click()
    if way.switched_off:
        await dialog.locator("ha-switch").first.click()
    fields = way.fields(facts)
    for label, text in fields.items():
        await fill(dialog, label, "mistyped" if label == way.secret else text)
    await enter(dialog)
    await refused(dialog)

    await fill(dialog, way.secret, fields[way.secret])
    await enter(dialog)
    await way.then(page, dialog)
    await expect(dialog.get_by_role("button", name="Finish")).to_be_visible()
    (entry,) = await running.others()
    assert entry["state"] == "loaded"
