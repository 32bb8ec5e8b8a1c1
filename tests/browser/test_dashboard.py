"""The dashboard, looked at and used."""

from typing import Literal

from playwright.async_api import Locator, Page, ViewportSize, expect
import pytest

from demo.entities import entities_of
from demo.progress import until
from demo.stage import DOMAIN, Stage

PROVIDER = "hayfrp"
SERVICE = "HayFrp"
_REACTING = 20.0
"""Seconds."""

expect.set_options(timeout=_REACTING * 1000)


async def visit(page: Page, running: Stage, path: str) -> None:
    """Open a view of the dashboard."""
    await page.goto(f"{running.hass.url}/tunnel-hub/{path}")
    await expect(page.locator("tunnel-hub-paths").first).to_be_visible()


async def name_of(running: Stage, number: str) -> str:
    """Return what a tunnel is called."""
    state = await running.state_of(PROVIDER)
    name: str = state["tunnels"][number]["proxy_name"]
    return name


def row_of(page: Page, name: str) -> Locator:
    """Return a tunnel's row."""
    row = page.locator("tunnel-hub-paths li")
    return row.filter(has_text=name).filter(has_text=SERVICE).first


async def until_told(running: Stage, number: str, *, enabled: bool) -> None:
    """Wait until the service knows that a tunnel is enabled, or is not."""

    async def _otherwise() -> str:
        tunnel = (await running.state_of(PROVIDER))["tunnels"][number]
        return "" if tunnel["enabled"] is enabled else "The service has not heard of it"

    await until(_otherwise, _REACTING)


@pytest.mark.parametrize(
    "language, words",
    [
        ("en", ["Needs attention", "Paths to the outside", "Reachable"]),
        ("zh-Hans", ["需要注意", "通往外网的路径", "可访问"]),
    ],
)
@pytest.mark.parametrize(
    "size",
    [ViewportSize(width=390, height=844), ViewportSize(width=1280, height=900)],
    ids=["phone", "desktop"],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_builds_itself(
    page: Page,
    running: Stage,
    *,
    language: str,
    words: list[str],
    size: ViewportSize,
    scheme: Literal["dark", "light"],
) -> None:
    """In both languages, on small and large screens; nothing is wider than the screen."""
    await speak(page, language)
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size(size)
    await visit(page, running, "overview")

    for word in words:
        await expect(page.get_by_text(word, exact=True).first).to_be_attached()
    for wide in (page.locator("html"), page.locator("tunnel-hub-paths li .path").first):
        assert await wide.evaluate("element => element.scrollWidth <= element.clientWidth")


@pytest.mark.parametrize("path", ["tunnels", "nodes", "more"])
async def test_every_view_has_something_to_show(page: Page, running: Stage, path: str) -> None:
    await page.goto(f"{running.hass.url}/tunnel-hub/{path}")

    await expect(page.locator("hui-tile-card").first).to_be_visible()
    await expect(page.locator("hui-error-card")).to_have_count(0)


@pytest.mark.parametrize(
    "language, words", [("en", "Your tunnels, nodes and accounts"), ("zh-Hans", "您的隧道")]
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
    """The service hears of it, and the path tells why it is broken."""
    name = await name_of(running, "1")
    await visit(page, running, "tunnels")
    section = page.locator("hui-grid-section").filter(has=row_of(page, name))
    switch = section.get_by_role("switch").first

    await switch.click()
    await until_told(running, "1", enabled=False)
    await expect(row_of(page, name)).to_contain_text("Disabled")

    await switch.click()
    await until_told(running, "1", enabled=True)
    await expect(row_of(page, name)).to_contain_text("Reachable")


async def test_a_tunnel_breaks(page: Page, running: Stage) -> None:
    """The card tells where, as soon as it is known."""
    name = await name_of(running, "2")
    url = f"{running.services[PROVIDER]['url']}/_control/state"
    entity = (await entities_of(running, PROVIDER))["binary_sensor:tunnel:2:online"]

    async def _client(*, runs: bool) -> None:
        changes = {"tunnels.2.client_running": runs}
        async with running.session.patch(url, json=changes, raise_for_status=True):
            pass
        device = {"device_id": entity.device_id}
        await running.hass.post(f"/api/services/{DOMAIN}/check_tunnel?return_response", device)

    await visit(page, running, "overview")
    await expect(row_of(page, name)).to_contain_text("Reachable")

    await _client(runs=False)
    await expect(row_of(page, name)).to_contain_text("No client runs it")
    await expect(row_of(page, name).locator('.way[data-way="down"]')).to_have_count(1)

    await _client(runs=True)
    await expect(row_of(page, name)).to_contain_text("Reachable")


async def test_by_keyboard(page: Page, running: Stage) -> None:
    """A stop takes the focus and shows more when it is pressed."""
    await visit(page, running, "overview")
    row = row_of(page, await name_of(running, "1"))
    await row.locator(".stop").first.focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    await expect(page.locator("ha-more-info-info")).to_contain_text("Connected")


async def test_the_address_is_copied(page: Page, running: Stage) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    address = (await entities_of(running, PROVIDER))["sensor:tunnel:1:public_address"]
    await visit(page, running, "overview")
    name = await name_of(running, "1")

    copy = row_of(page, name).get_by_role("button", name=f"Copy the public address of {name}")
    await copy.click()

    await expect(page.locator("ha-toast")).to_contain_text(str(address.state))
    assert await page.evaluate("navigator.clipboard.readText()") == address.state
