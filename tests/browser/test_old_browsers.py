"""Tests the oldest browsers that Home Assistant supports, and settings of the user's profile."""

from collections.abc import AsyncIterator

from playwright.async_api import Page, expect
import pytest

from demo.stage import Stage

from .profile import user_preferences

_USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/80.0.3987.149 Safari/537.36"
)
"""Home Assistant serves it the legacy frontend."""
_NEWER = {
    "AbortSignal": ["any", "timeout"],
    "Array": ["fromAsync"],
    "Array.prototype": [
        *("at", "findLast", "findLastIndex", "toReversed", "toSorted", "toSpliced", "with"),
    ],
    "CSSStyleSheet.prototype": ["replace", "replaceSync"],
    "Crypto.prototype": ["randomUUID"],
    "Document.prototype": ["adoptedStyleSheets", "replaceChildren"],
    "Element.prototype": ["checkVisibility", "replaceChildren"],
    "Map": ["groupBy"],
    "Object": ["groupBy", "hasOwn"],
    "Promise": ["any", "try", "withResolvers"],
    "Set.prototype": ["difference", "intersection", "isSubsetOf", "symmetricDifference", "union"],
    "ShadowRoot.prototype": ["adoptedStyleSheets", "replaceChildren"],
    "String.prototype": ["at", "isWellFormed", "replaceAll", "toWellFormed"],
    "URL": ["canParse", "parse"],
    "globalThis": [
        *("AggregateError", "FinalizationRegistry", "Iterator", "WeakRef", "structuredClone"),
    ],
    "globalThis.Intl": ["DurationFormat", "ListFormat", "Segmenter"],
}
"""Missing features of that browser. Home Assistant has polyfills for some of them."""


@pytest.fixture
async def old_page(page: Page) -> Page:
    """Returns a page of an old browser."""
    agent = f'Object.defineProperty(navigator, "userAgent", {{ get: () => "{_USER_AGENT}" }});'
    removals = [f"delete {owner}.{name};" for owner, names in _NEWER.items() for name in names]
    await page.add_init_script("\n".join([agent, *removals]))
    return page


@pytest.fixture
async def profile(running: Stage, number_format: str) -> AsyncIterator[None]:
    """Sets the user's number format."""
    async with user_preferences(running, "en", number_format):
        yield


@pytest.mark.parametrize("view", ["overview", "tunnels", "nodes", "mesh"])
async def test_everything_is_shown(old_page: Page, running: Stage, view: str) -> None:
    """Tests our views in Home Assistant's legacy frontend."""
    await old_page.goto(f"{running.hass.url}/tunnel-hub/{view}")
    await expect(old_page.locator("hui-grid-section").first).to_be_visible()
    await expect(old_page.locator("hui-error-card, hui-warning")).to_have_count(0)
    if view in ("overview", "tunnels"):
        await expect(old_page.locator("tunnel-hub-paths li").first).to_be_visible()
    assert await old_page.evaluate("[window.latestJS, [].toSorted, URL.parse]") == [None] * 3


@pytest.mark.parametrize(
    "number_format, number",
    [("decimal_comma", "1.234,5"), ("comma_decimal", "1,234.5"), ("none", "1234.5")],
)
@pytest.mark.usefixtures("profile")
async def test_numbers_are_those_of_the_profile(page: Page, running: Stage, number: str) -> None:
    """Tests number formats that differ from the language's."""
    await page.goto(f"{running.hass.url}/tunnel-hub/overview")
    await expect(page.locator("tunnel-hub-paths li").first).to_be_visible()
    words = await page.evaluate(
        """async () => {
          const [{ name }] = performance.getEntriesByType("resource").filter(
            ({ name }) => name.endsWith("/translations.js"));
          const { formatDate, formatNumber } = await import(name);
          const { hass } = document.querySelector("home-assistant");
          return [formatNumber(hass, 1234.5, "Mbit/s"), formatDate(hass, "2026-02-03T12:00:00Z")];
        }"""
    )
    assert words == [f"{number} Mbit/s", "February 3, 2026"]
