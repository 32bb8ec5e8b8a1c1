"""Tests how the frontend's modules are served. Browser tests show what they do."""

import inspect
from pathlib import Path
import re

from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.tunnel_hub import assist, sentences, texts
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.dashboard import FOLDER, MODULE, version
from custom_components.tunnel_hub.history import SERIES

from .common import World
from .translations import LANGUAGES, translations

MODULES = sorted(FOLDER.iterdir())


def test_changed_content_has_another_address(tmp_path: Path) -> None:
    module = tmp_path / "a.js"
    module.write_text("1")
    before = version(tmp_path)

    assert version(tmp_path) == before
    module.write_text("2")
    assert version(tmp_path) != before


@pytest.mark.filterwarnings(
    "ignore::aiohttp.web.NotAppKeyWarning"
)  # Home Assistant itself causes this warning.
async def test_modules_are_served(world: World, hass_client: ClientSessionGenerator) -> None:
    """The first is registered in the frontend. Browsers can cache all until they change."""
    assert await async_setup_component(world.hass, "frontend", {})
    await world.set_up()
    client = await hass_client()
    folder = f"/{DOMAIN}/{version(FOLDER)}"

    assert f"{folder}/{MODULE}" in world.hass.data[DATA_EXTRA_MODULE_URL].urls
    for path in MODULES:
        answer = await client.get(f"{folder}/{path.name}")
        assert answer.status == 200
        assert answer.content_type == "text/javascript"
        assert "max-age" in answer.headers["Cache-Control"]
        assert await answer.text() == path.read_text(encoding="utf-8")


async def test_without_a_frontend_no_module_is_served(world: World) -> None:
    await world.set_up()

    assert DATA_EXTRA_MODULE_URL not in world.hass.data


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_imports_are_relative(path: Path) -> None:
    """They are relative and refer to existing files."""
    imported = re.findall(r'(?:from |import\()"(.+)"', path.read_text(encoding="utf-8"))
    assert set(imported) <= {f"./{module.name}" for module in MODULES}


def test_the_dashboard_is_registered_before_other_modules_load() -> None:
    """The frontend waits five seconds, in which a slow connection can load one module only."""
    first = (FOLDER / MODULE).read_text(encoding="utf-8")
    assert "customElements.define(" in first
    assert not re.search(r"^import ", first, re.MULTILINE)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_texts_of_a_service_are_escaped(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|unsafeHTML|document\.write", source
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_words(language: str) -> None:
    """The translations contain the words that the modules use, and no others."""
    source = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    said = set(re.findall(r'"(\w+)"', source))
    # Advice and path texts exist for the conditions that a sensor or a module names.
    conditions = {*said, *translations(language)["entity"]["sensor"]["verdict"]["state"]}
    said |= {f"{word}_{condition}" for word in ("advice", "path") for condition in conditions}
    said |= {f"{of}traffic_{way}" for of in ("", "node_") for way in ("in", "out")}
    said |= {f"severity_{severity}" for severity in ("broken", "waiting", "warning")}
    said |= {f"path_says_{state}" for state in ("online", "offline")}
    # Python sends the names of statistics.
    said |= {f"history_{series}" for series in SERIES}
    # Assist uses the same words.
    spoken = "".join(inspect.getsource(module) for module in (assist, sentences, texts))
    said |= set(re.findall(r"\bassist_\w+|(?<=common\.)\w+", spoken))
    said |= {f"assist_{name}" for name in re.findall(r"'(\w+)'", spoken)}
    said |= {f"assist_{name}" for name in sentences.SENTENCES}
    asked = re.findall(r'(?:translate\(hass, |translate\(this\.#hass, |words\()"(\w+)"', source)
    words = translations(language)["common"].keys()

    assert set(asked) <= words
    assert words <= said
