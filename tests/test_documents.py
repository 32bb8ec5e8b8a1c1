"""Tests that the documents are correct, complete, and the same in both languages."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
import json
from operator import itemgetter
from pathlib import Path
import re
from typing import Any

import hass_frontend
from homeassistant.core import SupportsResponse
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components import tunnel_hub
from custom_components.tunnel_hub.api import PROVIDERS
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.services import ACTIONS
from demo import providers as demo
from reference.pages import ALL, GUIDES, ONE, PAGES, ROOT, Page, updated
from reference.services import PLATFORMS, SERVICES, capabilities
from reference.words import ANSWERS, Language
import simulator

from .documents import EACH_LANGUAGE, NAMES, code, page, path_of
from .translations import translations

FOLDER = ROOT / "blueprints" / "automation" / DOMAIN
DOCUMENTS = sorted(
    path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md"))
)
OTHERS = {"action", "zip"}
"""Names that are not actions: the placeholder for any action, and the file of a release."""

each_name = pytest.mark.parametrize("name", NAMES)


# The tables


@pytest.mark.parametrize("table", PAGES, ids=lambda page: page.name)
def test_tables_are_generated(table: Page) -> None:
    assert updated(table) == table.path.read_text("utf-8"), "run scripts/reference"


def test_no_table_is_missing() -> None:
    found = [
        table
        for name in NAMES
        for table in re.findall(
            r"^<!-- (\w+(?:: \w+)?) -->$", page(name, Language.ENGLISH), re.MULTILINE
        )
        if table != "end"
    ]
    wanted = {*ALL, *(f"{table}: {key}" for table in ONE for key in PROVIDERS)}
    without = {f"options: {key}" for key in PROVIDERS if not _has_options(key)}
    assert sorted(found) == sorted(wanted - without)


def _has_options(name: str) -> bool:
    """Return whether a provider has options. A table without rows has two lines."""
    return ONE["options"](SERVICES[name], Language.ENGLISH).count("\n") > 1


def test_all_platforms_are_documented() -> None:
    assert sorted(PLATFORMS) == sorted(tunnel_hub.PLATFORMS)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_an_action_is_documented(name: str) -> None:
    """It is described at each service that supports it, with its response."""
    action = ACTIONS[name]
    assert action.edits or action.kinds or capabilities(action.run)
    assert any(name in service.actions for service in SERVICES.values())
    assert (name in ANSWERS) is (ACTIONS[name].response is not SupportsResponse.NONE)


def test_every_provider_is_in_the_demo() -> None:
    demonstrated = {provider.service or name for name, provider in demo.PROVIDERS.items()}
    assert PROVIDERS.keys() == simulator.SERVICES.keys() == demonstrated


@EACH_LANGUAGE
def test_the_blueprints_are_documented(language: Language) -> None:
    """The page lists those in its language, by their names without the product's name."""
    documented = re.findall(
        r"^\| \[(.+?)\]\(.*%2F(\w+)\.yaml\)", page("automations", language), re.MULTILINE
    )
    ours = [
        (re.split(r" ?[(（]Tunnel Hub", path.read_text("utf-8").split('name: "')[1])[0], path.stem)
        for path in FOLDER.iterdir()
        if path.stem.endswith("_zh") is (language is Language.CHINESE)
    ]
    assert sorted(documented, key=itemgetter(1)) == sorted(ours, key=itemgetter(1))


# User documentation


@EACH_LANGUAGE
def test_guides_are_listed_in_order(language: Language) -> None:
    folder = "docs/" if language is Language.ENGLISH else f"docs/{language}/"
    linked = re.findall(rf"\]\({folder}([\w-]+)\.md\)", page("README", language).split("```")[-1])
    assert tuple(name for name in linked if name in GUIDES) == GUIDES
    assert set(linked) - set(GUIDES) >= PROVIDERS.keys()


@EACH_LANGUAGE
@each_name
def test_pages_are_short(name: str, language: Language) -> None:
    """A reader sees fewer than 150 lines until they open what is collapsed."""
    assert _displayed(page(name, language)).count("\n") < 150


def _displayed(text: str) -> str:
    """Return what a page displays: no comments, and only the titles of collapsed parts."""
    text = re.sub(r"<!--.*?-->\n", "", text)
    innermost = r"<details>\n(<summary>[^\n]*\n)(?:(?!</?details>).)*</details>\n"
    found = 1
    while found:
        text, found = re.subn(innermost, r"\1", text, flags=re.DOTALL)
    return text


EXAMPLES = ("nas", "us")
"""The tunnel and the peer whose statistics are examples."""

ELSEWHERE = {"Tunnel Hub", "Custom repositories", "自定义存储库"}
"""Words that are neither in Home Assistant's frontend nor in the translations."""


@EACH_LANGUAGE
def test_words_of_the_interface_exist(language: Language) -> None:
    """Words in italics are from the interface, except sentences for Assist."""
    ours = set(_texts(translations(language)))
    words = ELSEWHERE | ours | {text.replace("{name}", name) for text in ours for name in EXAMPLES}
    for path in (Path(hass_frontend.where()) / "static" / "translations").rglob(
        f"{language}-[0-9a-f]*.json"
    ):
        words.update(_texts(json.loads(path.read_text("utf-8"))))
    for name in NAMES:
        text = re.sub(r"^```.*?^```$", "", page(name, language), flags=re.MULTILINE | re.DOTALL)
        named = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text))
        named -= set(re.findall(r"!\[(.+?)\]", text))
        assert {word for word in named if not re.search(r"[.?。？]$", word)} <= words, name


def _texts(tree: Mapping[str, Any]) -> Iterator[str]:
    for value in tree.values():
        if isinstance(value, dict):
            yield from _texts(value)
        else:
            yield str(value)


@EACH_LANGUAGE
def test_services_are_named_with_their_addresses(language: Language) -> None:
    """The config flow and the service's page name the service's website."""
    for key, service in SERVICES.items():
        address = service.description.console_url
        assert f"({address})" in page("which-service", language)
        assert address in page(key, language)


# Two languages


def skeleton(text: str) -> list[str]:
    """Return the parts of a page that do not depend on the language, line by line."""
    lines = []
    for line in re.sub(r"^```.*?^```$", "```", text, flags=re.MULTILINE | re.DOTALL).split("\n"):
        if line.startswith("|"):
            lines.append(f"{line.count(' | ')} cells, {_codes(line)}")
        elif found := re.match(r"#+ |- |<!--.*|</?details>|```", line):
            lines.append(found[0])
    return lines


def _codes(line: str) -> list[str]:
    """Return the sorted code in a line."""
    return sorted(re.findall(r"`[^`]+`", line))


def links(path: Path) -> list[str]:
    """Return the links of a page without the language. A dark picture equals the light one."""
    return sorted(
        {
            re.sub(
                r"zh-Hans/|\.zh-Hans|-(zh|dark)(?=\.png)", "", str((path.parent / file).resolve())
            )
            for file, _ in _targets(path)
        }
    )


@each_name
def test_both_languages_have_the_same_parts(name: str) -> None:
    english, chinese = (skeleton(page(name, language)) for language in Language)

    for number, (one, other) in enumerate(zip_longest(english, chinese)):
        assert one == other, f"part {number} of {name}"


@each_name
def test_both_languages_refer_to_the_same(name: str) -> None:
    english, chinese = (links(path_of(name, language)) for language in Language)
    assert english == chinese


@each_name
def test_both_languages_have_the_same_code(name: str) -> None:
    """Except for the texts in it."""
    words = r" --language zh-Hans|#.*|<[^>]*>|message: .*"
    for kind in ("sh", "yaml"):
        english, chinese = (
            [re.sub(words, "", block) for block in code(page(name, language), kind)]
            for language in Language
        )
        assert english == chinese


@each_name
def test_each_language_links_to_the_other(name: str) -> None:
    english, chinese = (page(name, language).split("\n## ")[0] for language in Language)
    assert "简体中文" in english
    assert "English" in chinese


# References


def _targets(path: Path) -> list[tuple[str, str]]:
    """Return the files and anchors in the repository that a document refers to."""
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r'\]\(([^)\s]*)\)|(?:src|srcset|href)="([^"]+)"', text)
    targets = [one or other for one, other in found]
    return [
        (file, anchor)
        for file, _, anchor in (target.partition("#") for target in targets)
        if "://" not in file
    ]


def _anchors(path: Path) -> set[str]:
    """Return a document's anchors as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_exist(path: Path) -> None:
    for file, anchor in _targets(path):
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), file
        assert not anchor or anchor in _anchors(target), f"{file}#{anchor}"


def test_all_pictures_are_shown() -> None:
    shown = {(path.parent / file).resolve() for path in DOCUMENTS for file, _ in _targets(path)}
    assert set((ROOT / "docs" / "screenshots").iterdir()) <= shown


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_scripts_and_actions_exist(path: Path) -> None:
    """Triggers and conditions as well."""
    text = path.read_text("utf-8")
    ours = {
        *ACTIONS,
        *(
            name
            for kind in ("triggers", "conditions")
            for name in load_yaml_dict(str(ROOT / "custom_components" / DOMAIN / f"{kind}.yaml"))
        ),
    }
    for script in re.findall(r"\bscripts/(\w+)", text):
        assert (ROOT / "scripts" / script).is_file(), script
    for name in re.findall(rf"`{DOMAIN}\.(\w+)`", text):
        assert name in ours | OTHERS, name


def test_the_oldest_home_assistant_is_documented() -> None:
    oldest = json.loads((ROOT / "hacs.json").read_text("utf-8"))["homeassistant"]
    for language in Language:
        assert f"Home Assistant {oldest.removesuffix('.0')} " in page("README", language)


def test_all_scripts_are_documented() -> None:
    documented = re.findall(
        r"^\| `scripts/(\w+)", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE
    )
    assert set(documented) == {path.name for path in (ROOT / "scripts").iterdir() if path.is_file()}


def test_the_architecture_contains_all_modules() -> None:
    """The drawing contains all modules and folders of the integration and its api/, no others."""
    (drawing,) = code((ROOT / "docs" / "architecture.md").read_text("utf-8"), "")
    drawn = {name.rstrip("/") for name in re.findall(r"\b\w+(?:\.py|/)", drawing)}
    integration = ROOT / "custom_components" / DOMAIN
    api = integration / "api"
    folders = [ROOT, integration.parent, integration, api]
    there = [path for folder in folders for path in folder.iterdir()]
    assert drawn - {path.name for path in there} == set()
    packages = {path.name for path in there if any(path.glob("*.py"))}
    modules = {path.name for path in there if path.suffix == ".py"}
    assert (packages | modules) - drawn == set()


def test_files_of_providers_are_documented() -> None:
    """The table describes each file name that one of their folders has, and no other."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = text.partition("| file | what is in it |")[2].partition("\n\n")[0]
    api = ROOT / "custom_components" / DOMAIN / "api"
    there = {path.name for key in PROVIDERS for path in (api / key).glob("[!_]*.py")}
    assert set(re.findall(r"`(\w+\.py)`", table)) == there


@pytest.mark.parametrize("document", ["SECURITY.md", "docs/reliability.md", "docs/performance.md"])
def test_tests_that_a_document_names_exist(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`", text)
    assert named or document == "docs/performance.md"
    for path, function in named:
        assert (ROOT / path).exists(), path
        if function:
            assert f"def {function}(" in (ROOT / path).read_text("utf-8"), f"{path}::{function}"
