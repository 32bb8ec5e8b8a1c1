"""Tests the mesh card: drawing, dragging and updates."""

from typing import Any

from playwright.async_api import Locator, Page, expect
import pytest

from demo.browser import speak
from demo.progress import until
from demo.stage import Stage

from .appearance import each_appearance

PROVIDER = "hy2scale"
_REACTING = 20.0
"""Seconds."""
_MAX_MILLISECONDS = 100.0
"""For updating a mesh of 100 nodes, so that users notice no delay."""


async def visit(page: Page, running: Stage) -> Locator:
    """Opens the view and returns the card."""
    await page.goto(f"{running.hass.url}/tunnel-hub/mesh")
    card = page.locator("tunnel-hub-mesh")
    await expect(card.locator(".node").first).to_be_visible()
    return card


def node_of(card: Locator, name: str) -> Locator:
    """Returns a node of the card."""
    return card.locator(f'.node[data-key="{name}"]')


async def layout_of(running: Stage) -> dict[str, Any]:
    """Returns the layout that the HY2 SCALE node stores."""
    layout: dict[str, Any] = (await running.state_of(PROVIDER))["layout"]
    return layout


async def middle_of(node: Locator) -> tuple[float, float]:
    """Returns the screen coordinates of a node's center."""
    box = await node.locator("circle").nth(1).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def until_stored(running: Stage, name: str, *, is_new: Any) -> dict[str, Any]:
    """Waits until a new position is stored; returns it."""
    places: list[dict[str, Any]] = []

    async def _waits() -> str:
        place = (await layout_of(running)).get(name)
        if place is None or not is_new(place):
            return f"{name} is at {place}"
        places.append(place)
        return ""

    await until(_waits, _REACTING)
    return places[-1]


@pytest.mark.parametrize(
    "language, label",
    [("en", "us, Connected, 43 ms, Leaves here: "), ("zh-Hans", "us、已连接、43 ms、由此出口：")],
    ids=["english", "chinese"],
)
async def test_mesh_is_drawn(
    page: Page, running: Stage, request: pytest.FixtureRequest, language: str, label: str
) -> None:
    """Tests nodes, broken and disabled links, and the table."""
    await speak(page, language)
    card = await visit(page, running)
    us = node_of(card, "us")
    name = await us.get_attribute("aria-label") or ""
    assert name.startswith(label)
    for key, way in (("us", "up"), ("us-r1-r1", "up"), ("sg", "down"), ("de", "off")):
        await expect(node_of(card, key)).to_have_attribute("data-way", way)
    for way in ("up", "down", "off"):
        await expect(card.locator(f'.link[data-way="{way}"]').first).to_be_attached()
    await card.locator("summary").click()
    row = card.get_by_role("row").filter(has_text="us/us-r1/us-r1-r1")

    async for _ in each_appearance(page, request.node.name):
        await expect(us).to_be_visible()
        await expect(row).to_contain_text("231 ms")
        assert await page.locator("html").evaluate("root => root.scrollWidth <= root.clientWidth")
        assert await card.get_by_role("row").count() > await card.locator(".node").count()
        assert await card.evaluate("card => card.getAnimations({ subtree: true }).length") == 0


async def test_clients_of_a_server(page: Page, running: Stage) -> None:
    """Tests the card with a server's clients and tunnels, which cannot be moved."""
    await page.goto(f"{running.hass.url}/tunnel-hub/more")
    card = page.locator("tunnel-hub-mesh")
    nas = node_of(card, "tunnel:alice.nas")
    await expect(nas).to_have_accessible_name("alice.nas, Connected")
    await expect(nas).to_have_attribute("data-way", "up")
    await expect(node_of(card, "tunnel:alice.backup")).to_have_attribute("data-way", "down")
    await expect(page.get_by_role("heading", name="Clients")).to_be_visible()

    before = await nas.get_attribute("transform")
    await nas.focus()
    await page.keyboard.press("ArrowDown")
    await expect(nas).to_have_attribute("transform", before or "")
    await expect(card.locator(".hint")).to_be_hidden()
    await card.locator("summary").click()
    await expect(card.get_by_role("columnheader")).to_have_text(["Node", "State"])


async def test_dragged(page: Page, running: Stage) -> None:
    """Tests that the node stores the position, for all users and its web console."""
    card = await visit(page, running)
    kr = node_of(card, "kr")
    x, y = await middle_of(kr)
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 30, y + 40, steps=4)
    await page.mouse.up()
    await until_stored(running, "kr", is_new=lambda _: True)
    # All positions are stored, so that the web console shows the same layout.
    assert {"us", "us-r1", "de"} <= (await layout_of(running)).keys()
    assert page.url.endswith("/mesh")

    place = await kr.get_attribute("transform")
    card = await visit(page, running)
    await expect(node_of(card, "kr")).to_have_attribute("transform", place or "")


async def test_by_keyboard(page: Page, running: Stage) -> None:
    """Tests that arrow keys move the focused node, and that Enter opens its device."""
    card = await visit(page, running)
    jp = node_of(card, "jp")
    await jp.focus()
    await expect(jp.locator(".ring")).to_be_visible()
    before = await jp.get_attribute("transform")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowRight")
    await expect(jp).not_to_have_attribute("transform", before or "")
    await until_stored(running, "jp", is_new=lambda _: True)
    await expect(jp).to_be_focused()

    await page.keyboard.press("Enter")
    await page.wait_for_url("**/config/devices/device/*")


async def test_only_administrators_move_nodes(page: Page, running: Stage) -> None:
    card = await visit(page, running)
    await card.evaluate("card => { card.hass = { ...card._hass, user: { is_admin: false } }; }")
    us = node_of(card, "us")
    before = await us.get_attribute("transform")
    await us.focus()
    await page.keyboard.press("ArrowDown")
    await expect(us).to_have_attribute("transform", before or "")


async def test_live_updates(page: Page, running: Stage) -> None:
    """Tests a link that breaks and recovers."""
    card = await visit(page, running)
    await expect(node_of(card, "us")).to_have_attribute("data-way", "up")
    await running.patch(PROVIDER, {"peers.us.online": False})
    await expect(node_of(card, "us")).to_have_attribute("data-way", "down")
    await expect(node_of(card, "us-r1")).to_have_attribute("data-way", "down")
    await running.patch(PROVIDER, {"peers.us.online": True})
    await expect(node_of(card, "us-r1")).to_have_attribute("data-way", "up")


async def test_updates_after_a_reload(page: Page, running: Stage) -> None:
    card = await visit(page, running)
    await running.reload_account(PROVIDER)
    await running.patch(PROVIDER, {"peers.us.latency_ms": 77})
    await expect(node_of(card, "us")).to_contain_text("77 ms")
    await running.patch(PROVIDER, {"peers.us.latency_ms": 43})


async def test_a_hundred_nodes(page: Page, running: Stage) -> None:
    """Tests the duration of an update."""
    card = await visit(page, running)
    milliseconds = await card.evaluate(
        """card => {
          const node = (_, index) => ({
            id: `link:${index}`, name: `node ${index}`, device: null,
            above: index < 10 ? null : `link:${index % 10}`,
            conflict: null, exit_path: null, nested: index < 10, enabled: true,
            connected: index % 7 !== 0, latency: Math.round(200 * Math.random()),
            rate_in: 1e6 * Math.random(), rate_out: 1e6 * Math.random(),
          });
          const rounds = Array.from({ length: 20 }, () => {
            const nodes = Array.from({ length: 100 }, node);
            const began = performance.now();
            card._take({ ...card._picture, nodes });
            card.getBoundingClientRect();
            return performance.now() - began;
          });
          return Math.min(...rounds);
        }"""
    )
    await expect(card.locator(".node")).to_have_count(101)
    assert milliseconds < _MAX_MILLISECONDS
