"""Shows a page on a phone and a desktop, light and dark."""

from collections.abc import AsyncIterator
from typing import Literal

from playwright.async_api import Page, ViewportSize

from demo.stage import CHECKOUT

SHOTS = CHECKOUT / ".screenshots"

_SIZES = {
    "phone": ViewportSize(width=390, height=844),
    "desktop": ViewportSize(width=1440, height=900),
}
_SCHEMES: tuple[Literal["dark", "light"], ...] = ("light", "dark")


async def each_appearance(page: Page, name: str) -> AsyncIterator[Literal["dark", "light"]]:
    """Yields the color scheme for each size and scheme, and takes a screenshot after each."""
    SHOTS.mkdir(exist_ok=True)
    for scheme in _SCHEMES:
        for where, size in _SIZES.items():
            await page.emulate_media(color_scheme=scheme)
            await page.set_viewport_size(size)
            yield scheme
            await page.screenshot(path=SHOTS / f"{name}-{scheme}-{where}.png")
