"""Tests the dashboard's appearance and controls."""

import asyncio
from functools import partial
import re

from playwright.async_api import Locator, Page, Request, Route, ViewportSize, expect
import pytest

from demo.browser import speak
from demo.entities import entities_of
from demo.hass import DASHBOARD, PASSWORD, USER
from demo.progress import until
from demo.stage import Stage

from .appearance import each_appearance
from .rows import (
    PROVIDER,
    REACTING,
    TITLE,
    UP,
    below_account,
    name_of,
    path_of,
    row_of,
    until_applied,
    visit,
)

_BRIGHT = """
  const luminance = colour => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map(part =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = element => luminance(getComputedStyle(element).backgroundColor);
"""
_BRIGHTNESS = f"card => {{ {_BRIGHT} return behind(card) > 0.5; }}"
_CONTRASTS = f"""card => {{ {_BRIGHT}
  const ground = behind(card.shadowRoot.querySelector("ha-card"));
  return [...card.shadowRoot.querySelectorAll("span, a, button")]
    .filter(element => element.checkVisibility() && element.textContent.trim())
    .map(element => luminance(getComputedStyle(element).color))
    .map(colour => (Math.max(colour, ground) + 0.05) / (Math.min(colour, ground) + 0.05));
}}"""
"""Returns the contrast of each text of the path card with its background."""
_MIN_CONTRAST = 4.5
"""WCAG 2.2, level AA."""


def group_of(page: Page, title: str) -> Locator:
    """Returns an account's section of the attention card."""
    return page.locator("tunnel-hub-attention section").filter(has_text=title)


async def _switch(running: Stage, entity_id: str, action: str) -> None:
    """Turns a switch on or off as an automation does."""
    await running.hass.post(f"/api/services/switch/{action}", {"entity_id": entity_id})


@pytest.mark.parametrize(
    "language, words",
    [
        ("en", ["Needs attention", "Paths to the internet", "Disconnected"]),
        ("zh-Hans", ["需要注意", "通往外网的路径", "已断开"]),
    ],
    ids=["english", "chinese"],
)
async def test_generated_dashboard(
    page: Page, running: Stage, request: pytest.FixtureRequest, language: str, words: list[str]
) -> None:
    """Tests texts, widths and contrasts, in both languages and on small and large screens."""
    await speak(page, language)
    await visit(page, running, "overview")
    for word in words:
        await expect(page.get_by_text(word, exact=True).first).to_be_attached()

    async for scheme in each_appearance(page, request.node.name):
        await until(partial(_layout_problem, page, scheme), REACTING)


async def _layout_problem(page: Page, scheme: str) -> str:
    """Returns what is too wide or has too little contrast; "" if nothing."""
    for wide in (page.locator("html"), page.locator("tunnel-hub-paths li .path").first):
        if await wide.evaluate("element => element.scrollWidth > element.clientWidth"):
            return f"{wide} overflows"
    # Even with a long word for the condition.
    names = page.locator("tunnel-hub-paths .name")
    if not await names.evaluate_all("names => names.every(name => name.clientWidth > 8)"):
        return "A name has no room"
    contrasts = await page.locator("tunnel-hub-paths").evaluate(_CONTRASTS)
    if len(contrasts) <= 20 or min(contrasts) < _MIN_CONTRAST:
        return f"The contrasts are {contrasts}"
    is_bright = await page.locator("tunnel-hub-paths ha-card").evaluate(_BRIGHTNESS)
    return "" if is_bright is (scheme == "light") else f"It is not {scheme}"


async def test_app_loads_after_our_modules(page: Page, running: Stage) -> None:
    """Tests that the dashboard's elements exist in the polyfilled registry of custom elements."""
    ours = asyncio.Event()

    def arrived(request: Request) -> None:
        if request.url.endswith("/tunnel-hub.js"):
            ours.set()

    async def hold(route: Route) -> None:
        await ours.wait()
        await route.continue_()

    page.on("requestfinished", arrived)
    await page.route("**/frontend_latest/app.*.js", hold)
    await visit(page, running, "overview")


@pytest.mark.parametrize("signed_in", [False], ids=["signed-out"])
async def test_dashboard_after_sign_in(page: Page, running: Stage) -> None:
    """Tests that the address that the demo prints shows all accounts."""
    await page.goto(f"{running.hass.url}/{DASHBOARD}")
    await page.get_by_role("textbox", name="Username").fill(USER)
    await page.get_by_role("textbox", name="Password").fill(PASSWORD)
    await page.keyboard.press("Enter")

    assert running.entries
    for provider in running.entries:
        title = (await running.entry_of(provider))["title"]
        await expect(page.locator("hui-heading-card").filter(has_text=title)).to_be_visible()


async def test_attention_card(page: Page, running: Stage) -> None:
    """Tests problems by account, most severe first, with advice, and expanding the list."""
    await visit(page, running, "overview")

    attention = page.locator("tunnel-hub-attention")
    hayfrp = group_of(page, TITLE)
    first = hayfrp.get_by_role("listitem").first
    await expect(first).to_contain_text(re.compile("camera.* · Disconnected"))
    await expect(first).to_contain_text("Start the client (frpc) at home.")
    await expect(first.get_by_role("img", name="Problem")).to_be_visible()
    await expect(attention).to_contain_text("dave · Password conflict")
    for group in await attention.locator("section").all():
        assert await group.get_by_role("listitem").count() <= 3
    easytier = attention.locator("section").filter(has_text="EasyTier demo")
    await easytier.get_by_role("button", name="Show 3 more").click()
    await expect(easytier).to_contain_text("广州移动 · Traffic usage: 96.0%")
    await expect(page.get_by_text("All is well")).to_be_hidden()


async def test_actions_of_the_attention_card(page: Page, running: Stage) -> None:
    """Tests enabling a tunnel, releasing a forced-down one, and signing in."""
    await visit(page, running, "overview")
    hayfrp = group_of(page, TITLE)
    for more in await hayfrp.get_by_role("button", name=re.compile("^Show")).all():
        await more.click()

    name = await name_of(running, "3")
    entities = await entities_of(running, PROVIDER)
    await _switch(running, entities["switch:tunnel:3:enabled"].id, "turn_off")
    await until_applied(running, "3", enabled=False)
    await hayfrp.get_by_role("button", name=f"Enable: {name}").click()
    await until_applied(running, "3", enabled=True)
    await expect(hayfrp.get_by_role("button", name=f"Enable: {name}")).to_have_count(0)

    await _switch(running, entities["switch:tunnel:3:force_down"].id, "turn_on")
    await until_applied(running, "3", enabled=False)
    await hayfrp.get_by_role("button", name=f"Release: {name}").click()
    await until_applied(running, "3", enabled=True)

    await hayfrp.get_by_role("button", name=f"Sign in: {TITLE}").click()
    await expect(hayfrp.get_by_role("button", name=f"Sign in: {TITLE}")).to_have_count(0)
    await running.patch(PROVIDER, {"tunnels.3.client_running": True})


async def test_same_condition_everywhere(page: Page, running: Stage) -> None:
    """Tests the condition in the list, on the path and on the device's page, with advice."""
    entities = await entities_of(running, PROVIDER)
    state = next(
        entity
        for key, entity in entities.items()
        if re.fullmatch("sensor:tunnel:.+:state", key) and entity.state == "offline"
    )
    name = state.device
    await visit(page, running, "overview")
    await expect(group_of(page, TITLE)).to_contain_text(f"{below_account(name)} · Disconnected")
    path = path_of(page, name, "Disconnected")
    await expect(path).to_be_visible()
    await expect(row_of(page, name)).to_contain_text("Start the client (frpc) at home.")
    assert await path.locator(".stop").first.get_attribute("data-way") == "off"

    await page.goto(f"{running.hass.url}/config/devices/device/{state.device_id}")
    await expect(page.get_by_text("Disconnected", exact=True).first).to_be_visible()


@pytest.mark.parametrize("view", ["overview", "tunnels"])
async def test_sections_fill_the_width(page: Page, running: Stage, view: str) -> None:
    """Tests that every section is about as wide as the page."""
    await page.set_viewport_size(ViewportSize(width=1440, height=900))
    await visit(page, running, view)
    sections = page.locator("hui-grid-section")
    widths = [box["width"] for each in await sections.all() if (box := await each.bounding_box())]
    assert len(widths) > 2
    assert min(widths) > 1440 * 0.75


async def test_every_view_has_content(page: Page, running: Stage) -> None:
    """Tests all tabs, without error cards."""
    await visit(page, running, "overview")
    for tab, shown in (
        ("Tunnels", "game"),
        ("Nodes", "中国-苏州-永乐云服务器"),
        ("Mesh", "us/us-r1/us-r1-r1"),
        ("EasyTier", "北京联通"),
        ("More", "alice"),
    ):
        await page.get_by_role("tab", name=tab).click()
        await expect(page.get_by_text(shown, exact=True).first).to_be_visible()
        await expect(page.locator("hui-error-card, hui-warning")).to_have_count(0)


@pytest.mark.parametrize(
    "language, words",
    [("en", "Shows your tunnels, nodes and accounts"), ("zh-Hans", "您的隧道")],
    ids=["english", "chinese"],
)
async def test_offered_as_a_new_dashboard(
    page: Page, running: Stage, language: str, words: str
) -> None:
    await speak(page, language)
    await page.goto(f"{running.hass.url}/config/lovelace/dashboards")
    await page.locator('[slot="fab"]').first.click()

    offer = page.locator("dashboard-card").filter(has_text="Tunnel Hub")
    await expect(offer).to_contain_text(words)


async def test_by_keyboard(page: Page, running: Stage) -> None:
    """Tests that Tab moves from the link along the path, and Enter opens more information."""
    name = await name_of(running, "1")
    await visit(page, running, "overview")
    path = path_of(page, name, UP)
    stops = path.get_by_role("button")
    await expect(stops).to_have_count(4)
    link = row_of(page, name).get_by_role("link", name=name, exact=True)
    await expect(link).to_have_attribute("href", re.compile("^/config/devices/device/"))
    await link.focus()
    await page.keyboard.press("Tab")
    for index, words in enumerate(["Home 127", "Tunnel tcp", "中国-苏州", "Internet suzhou"]):
        await expect(stops.nth(index)).to_be_focused()
        await expect(stops.nth(index)).to_have_accessible_name(re.compile(f"^{words}"))
        await page.keyboard.press("Tab")
    for _ in range(3):
        await page.keyboard.press("Shift+Tab")
    await expect(stops.nth(1)).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.locator("ha-more-info-info")).to_contain_text("Connected")


async def test_long_list_is_collapsed(page: Page, running: Stage) -> None:
    """Tests that broken tunnels come first, and that the list can be expanded."""
    await page.goto(f"{running.hass.url}/tunnel-hub/overview")
    rows = page.locator("tunnel-hub-paths").get_by_role("listitem")
    more = page.locator("tunnel-hub-paths").get_by_role("button", name=re.compile("^Show 1. more"))
    await expect(rows).to_have_count(8)
    await expect(rows.first).to_contain_text("Disconnected")

    await more.focus()
    await page.keyboard.press("Enter")
    assert await rows.count() > 8
    await expect(more).to_be_hidden()


async def test_the_address_is_copied(page: Page, running: Stage) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    address = (await entities_of(running, PROVIDER))["sensor:tunnel:1:public_address"]
    await visit(page, running, "overview")
    name = await name_of(running, "1")

    copy = row_of(page, name).get_by_role("button", name=f"Copy the public address of {name}")
    await copy.click()

    await expect(page.locator("ha-toast")).to_contain_text(str(address.state))
    assert await page.evaluate("navigator.clipboard.readText()") == address.state
