"""The dashboard, looked at and used."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
import re

from playwright.async_api import Locator, Page, Request, Route, ViewportSize, expect
import pytest

from demo.addresses import SSH, PublicAddress
from demo.browser import speak
from demo.entities import entities_of
from demo.hass import DASHBOARD, PASSWORD, USER
from demo.progress import until
from demo.stage import DOMAIN, Stage
from tests.checks import mesh
from tests.checks.mesh import Mesh

from .looks import looks

PROVIDER = "hayfrp"
SERVICE = "HayFrp"
TITLE = "HayFrp demo"
_REACTING = 20.0
"""Seconds."""
_CHECKING = 90.0
"""Seconds for two checks that agree, ten seconds apart."""
_UP = "(Connected|Reachable)"
"""A tunnel that was enabled a moment ago has not been checked yet."""

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
"""How much each text of the path card stands out from its ground."""
_LEGIBLE = 4.5
"""WCAG 2.2, level AA."""


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


def group_of(page: Page, title: str) -> Locator:
    """Return what needs attention at an account."""
    return page.locator("tunnel-hub-attention section").filter(has_text=title)


async def _switch(running: Stage, entity_id: str, action: str) -> None:
    """Switch something as an automation does."""
    await running.hass.post(f"/api/services/switch/{action}", {"entity_id": entity_id})


async def until_told(running: Stage, number: str, *, enabled: bool) -> None:
    """Wait until the service knows that a tunnel is enabled, or is not."""

    async def _otherwise() -> str:
        tunnel = (await running.state_of(PROVIDER))["tunnels"][number]
        return "" if tunnel["enabled"] is enabled else "The service has not heard of it"

    await until(_otherwise, _REACTING)


@pytest.mark.parametrize(
    "language, words",
    [
        ("en", ["Needs attention", "Paths to the internet", "Disconnected"]),
        ("zh-Hans", ["需要注意", "通往外网的路径", "已断开"]),
    ],
    ids=["english", "chinese"],
)
async def test_it_builds_itself(
    page: Page, running: Stage, request: pytest.FixtureRequest, language: str, words: list[str]
) -> None:
    """In both languages, on small and large screens; nothing is wider than the screen, or faint."""
    await speak(page, language)
    await visit(page, running, "overview")
    for word in words:
        await expect(page.get_by_text(word, exact=True).first).to_be_attached()

    async for scheme in looks(page, request.node.name):
        await until(partial(_looks_bad, page, scheme), _REACTING)


async def _looks_bad(page: Page, scheme: str) -> str:
    """Complain of what is too wide or faint; colors may still change from one scheme to another."""
    for wide in (page.locator("html"), page.locator("tunnel-hub-paths li .path").first):
        if await wide.evaluate("element => element.scrollWidth > element.clientWidth"):
            return f"{wide} is wider than its place"
    # However long the word for the condition is.
    names = page.locator("tunnel-hub-paths .name")
    if not await names.evaluate_all("names => names.every(name => name.clientWidth > 8)"):
        return "A name has no room"
    contrasts = await page.locator("tunnel-hub-paths").evaluate(_CONTRASTS)
    if len(contrasts) <= 20 or min(contrasts) < _LEGIBLE:
        return f"The contrasts are {contrasts}"
    is_bright = await page.locator("tunnel-hub-paths ha-card").evaluate(_BRIGHTNESS)
    return "" if is_bright is (scheme == "light") else f"It is not {scheme}"


async def test_the_app_comes_after_our_modules(page: Page, running: Stage) -> None:
    """It puts another registry of elements in place, in which the dashboard has to be."""
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
async def test_the_first_thing_that_a_person_sees(page: Page, running: Stage) -> None:
    """Behind the address that the demo prints: all four accounts, as soon as one has signed in."""
    await page.goto(f"{running.hass.url}/{DASHBOARD}")
    await page.get_by_role("textbox", name="Username").fill(USER)
    await page.get_by_role("textbox", name="Password").fill(PASSWORD)
    await page.keyboard.press("Enter")

    for title in ("ChmlFrp demo", "EasyTier demo", "HayFrp demo", "HY2 SCALE sg-home"):
        await expect(page.locator("hui-heading-card").filter(has_text=title)).to_be_visible()


async def test_what_is_wrong_comes_first(page: Page, running: Stage) -> None:
    """By account, each with its worst; the others unfold. Why, and what to do, stands there."""
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


async def test_what_is_wrong_is_mended_where_it_stands(page: Page, running: Stage) -> None:
    """A tunnel is enabled, one that is forced down is released, and one signs in."""
    await visit(page, running, "overview")
    hayfrp = group_of(page, TITLE)
    for more in await hayfrp.get_by_role("button", name=re.compile("^Show")).all():
        await more.click()

    name = await name_of(running, "3")
    entities = await entities_of(running, PROVIDER)
    await _switch(running, entities["switch:tunnel:3:enabled"].id, "turn_off")
    await until_told(running, "3", enabled=False)
    await hayfrp.get_by_role("button", name=f"Enable: {name}").click()
    await until_told(running, "3", enabled=True)
    await expect(hayfrp.get_by_role("button", name=f"Enable: {name}")).to_have_count(0)

    await _switch(running, entities["switch:tunnel:3:force_down"].id, "turn_on")
    await until_told(running, "3", enabled=False)
    await hayfrp.get_by_role("button", name=f"Release: {name}").click()
    await until_told(running, "3", enabled=True)

    await hayfrp.get_by_role("button", name=f"Sign in: {TITLE}").click()
    await expect(hayfrp.get_by_role("button", name=f"Sign in: {TITLE}")).to_have_count(0)
    await running.patch(PROVIDER, {"tunnels.3.client_running": True})


async def test_one_word_for_one_fault(page: Page, running: Stage) -> None:
    """In the list, on the path and on the device's page, with what to do about it."""
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
async def test_no_third_is_empty(page: Page, running: Stage, view: str) -> None:
    """Every section is as wide as the page."""
    await page.set_viewport_size(ViewportSize(width=1440, height=900))
    await visit(page, running, view)
    sections = page.locator("hui-grid-section")
    widths = [box["width"] for each in await sections.all() if (box := await each.bounding_box())]
    assert len(widths) > 2
    assert min(widths) > 1440 * 0.75


async def test_every_view_has_something_to_show(page: Page, running: Stage) -> None:
    """From one to the next by the tabs, and nothing that Home Assistant cannot show."""
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
async def test_it_is_offered_as_a_new_dashboard(
    page: Page, running: Stage, language: str, words: str
) -> None:
    await speak(page, language)
    await page.goto(f"{running.hass.url}/config/lovelace/dashboards")
    await page.locator('[slot="fab"]').first.click()

    offer = page.locator("dashboard-card").filter(has_text="Tunnel Hub")
    await expect(offer).to_contain_text(words)


async def test_a_tunnel_is_switched(page: Page, running: Stage) -> None:
    """The service hears of it, and the path tells why it is broken; the switch stays in place."""
    name = below_account(await name_of(running, "1"))
    await visit(page, running, "tunnels")
    switch = row_of(page, name).get_by_role("switch", name="Enabled")

    await expect(switch).to_be_checked()
    await expect(switch).to_have_attribute("title", re.compile("does not accept clients"))
    place = await _place_in(row_of(page, name), switch)
    await switch.click()
    await until_told(running, "1", enabled=False)
    await expect(path_of(page, name, "Disabled")).to_be_visible()
    assert await _place_in(row_of(page, name), switch) == place

    await switch.click()
    await until_told(running, "1", enabled=True)
    # The client is back after ten seconds, and HayFrp is asked once a minute whether it is.
    await expect(path_of(page, name, _UP)).to_be_visible(timeout=150_000)


async def _place_in(row: Locator, control: Locator) -> float:
    """Return how far below the top of a row a control is, in pixels."""
    outer, inner = await row.bounding_box(), await control.bounding_box()
    assert outer
    assert inner
    return inner["y"] - outer["y"]


async def until_checked(running: Stage, number: str, shown: Locator) -> None:
    """Have a tunnel's public address checked until something is shown."""
    device = (await entities_of(running, PROVIDER))[f"sensor:tunnel:{number}:state"].device_id

    async def _otherwise() -> str:
        target = {"device_id": device}
        await running.hass.post(f"/api/services/{DOMAIN}/check_reachability", target)
        return "" if await shown.is_visible() else "The card does not show what was checked"

    await until(_otherwise, _CHECKING)


async def test_a_tunnel_breaks(page: Page, running: Stage) -> None:
    """The card tells where: the client at home, or else the port of the node."""
    name = await name_of(running, "2")
    address = running.addresses["nas.example.com:443"]
    await visit(page, running, "overview")
    await expect(path_of(page, name, "Reachable")).to_be_visible()

    await address.close()
    await until_checked(running, "2", path_of(page, name, "Port closed"))
    await running.patch(PROVIDER, {"tunnels.2.client_running": False})
    device = (await entities_of(running, PROVIDER))["binary_sensor:tunnel:2:online"].device_id
    check = f"/api/services/{DOMAIN}/check_tunnel?return_response"
    await running.hass.post(check, {"device_id": device})
    await expect(path_of(page, name, "Disconnected")).to_be_visible()
    await expect(row_of(page, name).locator('.way[data-way="down"]')).to_have_count(1)

    await address.open()
    await running.patch(PROVIDER, {"tunnels.2.client_running": True})
    await running.hass.post(check, {"device_id": device})
    await until_checked(running, "2", path_of(page, name, "Reachable"))


@mesh.needs_nodes
async def test_a_real_tunnel_stops(page: Page, running: Stage) -> None:
    """Two EasyTier nodes carry it; the one at home stops, and starts again."""
    name = await name_of(running, "1")
    up = path_of(page, name, "Reachable")
    broken = path_of(page, name, "Local service")
    async with AsyncExitStack() as stack:
        service = PublicAddress(SSH, None)
        await service.open()
        stack.push_async_callback(service.close)
        address = running.addresses["suzhou.frp.example.com:10001"]
        await address.close()
        stack.push_async_callback(address.open)
        tunnel = Mesh(service.port)
        tunnel.port = address.port
        await stack.enter_async_context(mesh.running(tunnel.public()))
        await visit(page, running, "overview")

        async with mesh.running(tunnel.home()):
            await until_checked(running, "1", up)
        await until_checked(running, "1", broken)
        async with mesh.running(tunnel.home()):
            await until_checked(running, "1", up)


async def test_by_keyboard(page: Page, running: Stage) -> None:
    """Tab goes from the link to the device along the path; Enter shows more of a stop."""
    name = await name_of(running, "1")
    await visit(page, running, "overview")
    path = path_of(page, name, _UP)
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


async def test_more_than_a_few(page: Page, running: Stage) -> None:
    """What is broken comes first; the others are shown when they are asked for."""
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
