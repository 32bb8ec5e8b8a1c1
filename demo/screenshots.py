"""Take the documentation's screenshots in a real browser: ``scripts/screenshots``."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil
import subprocess
import sys
import time

from playwright.async_api import Error as BrowserError, Page, ViewportSize, async_playwright

from .check import do
from .command import execute
from .entities import until_shown
from .hass import DASHBOARD, Hass
from .progress import DemoError, step
from .providers import PROVIDERS
from .stage import CHECKOUT, DOMAIN, Stage, stage

_FOLDER = CHECKOUT / "docs" / "screenshots"
_PROVIDER = "hayfrp"
_SIZE = ViewportSize(width=1280, height=800)

_ELEMENTS = """
  const within = root => [...root.querySelectorAll("*")].flatMap(
    element => element.shadowRoot ? [element, ...within(element.shadowRoot)] : [element]);
  const elements = within(document);
"""
_LOADED = f"""() => {{
  {_ELEMENTS}
  const all = (name, test) => elements.filter(element => element.localName === name).every(test);
  return ["ha-spinner", "hass-loading-screen"].every(name => all(name, () => false))
    && all("img", image => image.complete)
    && all("ha-state-icon", icon => within(icon.shadowRoot).length)
    && all("ha-svg-icon", icon => icon.path)
    && document.fonts.status === "loaded";
}}"""
"""Nothing turns any more; pictures, icons and fonts are there."""
_HIDDEN = f"""() => {{
  {_ELEMENTS}
  const scrolling = elements.filter(element => element === document.scrollingElement
    || ["auto", "scroll"].includes(getComputedStyle(element).overflowY));
  return Math.max(...scrolling.map(element => element.scrollHeight - element.clientHeight));
}}"""
"""How many pixels of the page are to be had only by scrolling."""


def require_tools() -> None:
    """Raise DemoError if the machine lacks something that this needs."""
    missing = [tool for tool in ("chromium", "pngquant") if shutil.which(tool) is None]
    fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False)
    if not fonts.stdout:
        missing.append("fonts-noto-cjk")
    if missing:
        raise DemoError(
            f"Missing: {', '.join(missing)}. On Debian: apt-get install {' '.join(missing)}"
        )


async def paths_of(running: Stage) -> Mapping[str, str]:
    """Return where the pages are, by their names."""
    devices = await running.hass.command("config/device_registry/list")
    prefix = f"{running.entries[_PROVIDER]}:"
    id_of = {
        name.removeprefix(prefix): device["id"]
        for device in devices
        for domain, name in device["identifiers"]
        if domain == DOMAIN
    }
    return {
        "dashboard": f"/{DASHBOARD}/overview",
        "integration": f"/config/integrations/integration/{DOMAIN}",
        "account": f"/config/devices/device/{id_of['account:account']}",
        "tunnel": f"/config/devices/device/{id_of['tunnel:1']}",
        "node": f"/config/devices/device/{id_of['node:1']}",
    }


async def take(page: Page, url: str, file: Path) -> None:
    """Take a screenshot of a whole page."""
    await page.set_viewport_size(_SIZE)
    await page.goto(url, wait_until="networkidle")
    await page.wait_for_function(_LOADED)
    hidden = await page.evaluate(_HIDDEN)
    await page.set_viewport_size(
        ViewportSize(width=_SIZE["width"], height=_SIZE["height"] + hidden)
    )
    await page.wait_for_function(_LOADED)
    await page.screenshot(path=file)
    shrink(file)


def shrink(file: Path) -> None:
    """Make a picture smaller; few colours are enough for a page."""
    options = ["--force", "--ext", ".png", "--speed", "1", "--strip"]
    subprocess.run(["pngquant", *options, "256", file], check=True)


async def screenshots() -> None:
    """Take all screenshots."""
    require_tools()
    _FOLDER.mkdir(exist_ok=True)
    provider = PROVIDERS[_PROVIDER]
    async with stage([_PROVIDER]) as running:
        with step("states"):
            await until_shown(running, _PROVIDER, provider.shown)
            await do(running, _PROVIDER, provider.deeds["sign in"])
        try:
            async with browser(running.hass) as page:
                for name, path in (await paths_of(running)).items():
                    with step(name) as current:
                        file = _FOLDER / f"{name}.png"
                        await take(page, running.hass.url + path, file)
                        current.result = f"{file.stat().st_size / 1024:.0f} KiB"
        except BrowserError as err:
            raise DemoError(f"The browser failed: {err}") from err


if __name__ == "__main__":
    sys.exit(execute(screenshots()))
