"""Takes the documentation's screenshots in a browser: ``scripts/screenshots``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Literal

from playwright.async_api import Browser, Error as BrowserError, Page, ViewportSize

from .browser import chromium, new_context, speak
from .check import run_action
from .command import execute
from .entities import until_shown
from .hass import DASHBOARD
from .progress import DemoError, step
from .providers import PROVIDERS
from .stage import CHECKOUT, DOMAIN, Stage, stage

_FOLDER = CHECKOUT / "docs" / "screenshots"
_PAGE = ViewportSize(width=1280, height=800)
_SCREEN = ViewportSize(width=1920, height=1080)
_PHONE = ViewportSize(width=390, height=844)

type Device = tuple[str, str]
"""A provider, and a device of its account by its identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A screenshot.

    page: a path or a device.
    whole: the whole page, or only the visible part.
    """

    page: str | Device
    size: ViewportSize = field(default_factory=lambda: _PAGE)
    whole: bool = True
    scheme: Literal["dark", "light"] = "light"
    language: str = "en"


_SHOTS = {
    "dashboard": Shot(page=f"/{DASHBOARD}/overview", size=_SCREEN, whole=False),
    "dashboard-dark": Shot(page=f"/{DASHBOARD}/overview", size=_SCREEN, whole=False, scheme="dark"),
    "dashboard-phone": Shot(page=f"/{DASHBOARD}/tunnels", size=_PHONE, whole=False),
    "mesh": Shot(page=f"/{DASHBOARD}/mesh", whole=False),
    "integration": Shot(page=f"/config/integrations/integration/{DOMAIN}", whole=False),
    **{
        name: Shot(page=(key, device))
        for key, provider in PROVIDERS.items()
        for name, device in provider.pictures.items()
    },
    "dashboard-zh": Shot(
        page=f"/{DASHBOARD}/overview", size=_SCREEN, whole=False, language="zh-Hans"
    ),
}
"""By file name; one language after the other."""

_ELEMENTS = """
  const within = root => [...root.querySelectorAll("*")].flatMap(
    element => element.shadowRoot ? [element, ...within(element.shadowRoot)] : [element]);
  const elements = within(document);
"""
_LOADED = f"""() => {{
  {_ELEMENTS}
  const all = (name, test) => elements.filter(element => element.localName === name).every(test);
  return elements.some(element => ["ha-card", "ha-config-entry-row"].includes(element.localName))
    && ["ha-spinner", "hass-loading-screen"].every(name => all(name, () => false))
    && all("img", image => image.complete)
    && all("ha-state-icon", icon => within(icon.shadowRoot).length)
    && all("ha-svg-icon", icon => icon.path)
    && document.fonts.status === "loaded";
}}"""
"""Returns whether the page has content and has loaded all images, icons and fonts."""
_HIDDEN = f"""() => {{
  {_ELEMENTS}
  const scrolling = elements.filter(element => element === document.scrollingElement
    || ["auto", "scroll"].includes(getComputedStyle(element).overflowY));
  return Math.max(...scrolling.map(element => element.scrollHeight - element.clientHeight));
}}"""
"""Returns the height in pixels of the page below the visible part."""


def require_tools() -> None:
    """Raises DemoError if a required program is not installed."""
    missing = [tool for tool in ("chromium", "pngquant") if shutil.which(tool) is None]
    fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False)
    if not fonts.stdout:
        missing.append("fonts-noto-cjk")
    if missing:
        raise DemoError(
            f"Missing: {', '.join(missing)}. On Debian: apt-get install {' '.join(missing)}"
        )


async def paths_of(running: Stage) -> Mapping[Device, str]:
    """Returns the paths of the devices' pages."""
    found: dict[Device, str] = {}
    for device in await running.hass.command("config/device_registry/list"):
        for domain, identifier in device["identifiers"]:
            for provider, entry in running.entries.items():
                if domain == DOMAIN and entry in device["config_entries"]:
                    key = identifier.partition(":")[2]
                    found[provider, key] = f"/config/devices/device/{device['id']}"
    return found


async def take(page: Page, shot: Shot, url: str, file: Path) -> None:
    """Takes a screenshot."""
    await page.emulate_media(color_scheme=shot.scheme)
    await page.set_viewport_size(shot.size)
    await page.goto(url, wait_until="networkidle")
    await page.wait_for_function(_LOADED)
    if shot.whole:
        hidden = await page.evaluate(_HIDDEN)
        await page.set_viewport_size(
            ViewportSize(width=shot.size["width"], height=shot.size["height"] + hidden)
        )
        await page.wait_for_function(_LOADED)
    await page.screenshot(path=file)
    shrink(file)


def shrink(file: Path) -> None:
    """Reduces the number of colors, and so the size, of an image."""
    options = ["--force", "--ext", ".png", "--speed", "1", "--strip"]
    subprocess.run(["pngquant", *options, "256", file], check=True)


async def screenshots() -> None:
    """Starts everything and takes all screenshots."""
    require_tools()
    _FOLDER.mkdir(exist_ok=True)
    async with stage(PROVIDERS, tidy=True) as running:
        with step("states"):
            await prepare(running)
        try:
            async with chromium() as browser:
                await take_all(running, browser)
        except BrowserError as err:
            raise DemoError(f"The browser failed: {err}") from err


async def prepare(running: Stage) -> None:
    """Runs actions and waits for all states."""
    for name, provider in PROVIDERS.items():
        if provider.first:
            await until_shown(running, name, provider.shown)
        for action in provider.first:
            await run_action(running, name, provider.actions[action])
    for name in PROVIDERS:
        await until_shown(running, name, {})


async def take_all(running: Stage, browser: Browser) -> None:
    """Takes all screenshots."""
    paths = await paths_of(running)
    language = "en"
    for name, shot in _SHOTS.items():
        if shot.language != language:
            language = shot.language
            await running.speak(language)
            for provider in PROVIDERS:
                await until_shown(running, provider, {})
        with step(name) as current:
            path = shot.page if isinstance(shot.page, str) else paths[shot.page]
            file = _FOLDER / f"{name}.png"
            async with new_context(browser, running.hass) as context:
                page = await context.new_page()
                await speak(page, language)
                await take(page, shot, running.hass.url + path, file)
            current.result = f"{file.stat().st_size / 1024:.0f} KiB"


if __name__ == "__main__":
    sys.exit(execute(screenshots()))
