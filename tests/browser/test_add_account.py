"""Tests adding an account of each provider."""

from collections.abc import AsyncIterator

from playwright.async_api import Page, expect
import pytest

from demo.stage import Stage

from ..provider_modules import modules
from .dialogs import add_dialog, choose, enter, fill, refused

ADD_ACCOUNT_STEPS = {key: module.ADD_ACCOUNT for key, module in modules("browser").items()}


@pytest.fixture
async def removed(running: Stage, provider: str) -> AsyncIterator[None]:
    """Removes the demo account, and makes sure that there is one afterwards."""
    await running.remove_account(provider)
    yield
    for entry in await running.others():
        running.entries[provider] = entry["entry_id"]
    if provider not in running.entries:
        await running.add_account(provider)


@pytest.mark.usefixtures("removed")
@pytest.mark.parametrize("provider", ADD_ACCOUNT_STEPS)
async def test_mistyped_first(page: Page, running: Stage, provider: str) -> None:
    """Tests that the dialog shows the error, keeps the other input and accepts the correction."""
    way, facts = ADD_ACCOUNT_STEPS[provider], running.services[provider]
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
