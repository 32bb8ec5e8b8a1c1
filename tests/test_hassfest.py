"""Tests what hassfest checks of an integration.

hassfest is in Home Assistant's repository and in no package, so only the workflow runs it. Its
rules are repeated here, also those that it only applies to Home Assistant's own integrations.
"""

import ast
from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import re
from string import Formatter
from typing import Any

from homeassistant import components
from homeassistant.const import Platform
from homeassistant.helpers.selector import TargetSelector, validate_selector
from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from custom_components.tunnel_hub.const import DOMAIN

from .translations import INTEGRATION, LANGUAGES, sentences, translations

CORE = Path(components.__path__[0])
MANIFEST = json.loads((INTEGRATION / "manifest.json").read_text("utf-8"))
MODULES = {path: ast.parse(path.read_text("utf-8")) for path in INTEGRATION.rglob("*.py")}

ADDRESS = r"(https?|ftps?|mqtts?|socks5?)://\w|www\."
HTML = r"<[a-z/][^>]*>"
KEY = r"(?!.*[_-]{2})[a-z0-9]([a-z0-9_-]*[a-z0-9])?"
SLUG = r"(?!.*__)[a-z0-9]([a-z0-9_]*[a-z0-9])?"

each_language = pytest.mark.parametrize("language", LANGUAGES)


# dependencies, requirements, config_schema, json


def imported() -> Iterator[tuple[str, str]]:
    """Yield the integrations that a module imports, each with the module's name."""
    for path, module in MODULES.items():
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom) and node.module:
                parent, _, name = node.module.removeprefix("homeassistant.").partition(".")
                if parent == "components":
                    names = [name.partition(".")[0]] if name else [one.name for one in node.names]
                    yield from ((one, path.stem) for one in names)


def test_imported_integrations_are_declared() -> None:
    """Except platforms of other integrations, and those that are always loaded."""
    always = {*Platform, "automation", "homeassistant", "system_health"}
    declared = {*MANIFEST["after_dependencies"], *always}
    assert [use for use in imported() if use[0] not in declared and use[0] != use[1]] == []


def test_declared_integrations_exist_and_are_used() -> None:
    declared = MANIFEST["after_dependencies"]
    assert declared == sorted(set(declared))
    assert all((CORE / name / "manifest.json").is_file() for name in declared)
    assert set(declared) <= {name for name, _ in imported()}


def test_yaml_configuration_is_refused() -> None:
    """Integrations with actions declare that they have no YAML configuration."""
    module = MODULES[INTEGRATION / "__init__.py"]
    assigned = {ast.unparse(one.targets[0]) for one in module.body if isinstance(one, ast.Assign)}
    assert "CONFIG_SCHEMA" in assigned


def test_json_is_valid() -> None:
    files = [path for path in INTEGRATION.rglob("*.json") if "node_modules" not in path.parts]
    assert len(files) >= 4
    assert all(json.loads(path.read_text("utf-8")) for path in files)


# manifest


def test_manifest() -> None:
    vol.Schema(
        {
            "domain": INTEGRATION.name,
            "name": str,
            "after_dependencies": [str],
            "codeowners": vol.All([vol.Match(r"^@[\w-]+$")], vol.Length(min=1)),
            "config_flow": True,
            "documentation": vol.Match(r"^https://(?!www\.home-assistant\.io)"),
            "integration_type": vol.In(["device", "helper", "hub", "service"]),
            "iot_class": vol.In(["cloud_polling", "cloud_push", "local_polling", "local_push"]),
            "issue_tracker": vol.Url(),
            "loggers": [str],
            "quality_scale": vol.In(["bronze", "silver", "gold", "platinum"]),
            "requirements": [str],
            "version": vol.Match(r"^\d+\.\d+\.\d+$"),
        },
        required=True,
    )(MANIFEST)
    assert list(MANIFEST) == ["domain", "name", *sorted(MANIFEST.keys() - {"domain", "name"})]
    assert not (CORE / DOMAIN).exists()


# translations

_TEXTS: dict[Any, Any] = {str: str}
_FORM = {"data": _TEXTS, "data_description": _TEXTS, "description": str}
_FLOW: dict[Any, Any] = {
    **dict.fromkeys(("abort", "create_entry", "error", "progress"), _TEXTS),
    vol.Required("step"): {
        str: {
            **_FORM,
            "menu_option_descriptions": _TEXTS,
            "menu_options": _TEXTS,
            "sections": {str: {**_FORM, "name": str}},
            "submit": str,
            "title": str,
        }
    },
}
_STATES = {"name": str, "state": _TEXTS}
_DESCRIBED: dict[Any, Any] = {vol.Required("name"): str, vol.Required("description"): str}
_WITH_FIELDS: dict[Any, Any] = {
    **_DESCRIBED,
    "fields": {str: {vol.Required("name"): str, "description": str, "example": str}},
}
SHAPE = {
    "common": _TEXTS,
    "conditions": {str: _WITH_FIELDS},
    "config": _FLOW,
    "config_subentries": {
        str: {
            **_FLOW,
            vol.Required("entry_type"): str,
            vol.Required("initiate_flow"): {vol.Required("user"): str, str: str},
        }
    },
    "device": {str: {"name": str}},
    "entity": {
        str: {
            str: {**_STATES, "state_attributes": {str: _STATES}, "unit_of_measurement": str},
        }
    },
    "exceptions": {str: {"message": str}},
    "issues": {
        str: vol.Any(
            {vol.Required("title"): str, vol.Required("description"): str},
            {vol.Required("title"): str, vol.Required("fix_flow"): _FLOW},
        )
    },
    "options": _FLOW,
    "selector": {str: dict.fromkeys(("choices", "options", "unit_of_measurement"), _TEXTS)},
    "services": {
        str: {
            **_DESCRIBED,
            "fields": {str: {**_DESCRIBED, "example": str}},
            "sections": {str: {vol.Required("name"): str, "description": str}},
        }
    },
    "system_health": {"info": _TEXTS},
    "triggers": {str: _WITH_FIELDS},
}


@each_language
def test_schema_of_translations(language: str) -> None:
    vol.Schema(SHAPE)(translations(language))


@each_language
def test_sentences_are_valid(language: str) -> None:
    """No surrounding spaces, HTML, addresses, quoted placeholders or references."""
    for key, text in sentences(translations(language)).items():
        assert text == text.strip(), key
        assert not re.search(rf"(?i){HTML}|{ADDRESS}|'{{\w+}}'|\[%key:", text), key
        placeholders = [name for _, name, _, _ in Formatter().parse(text) if name]
        assert all(name.isidentifier() for name in placeholders), key
        assert all(re.fullmatch(KEY, part) for part in key.split(".")), key


@each_language
def test_some_names_have_no_hyphen(language: str) -> None:
    texts = translations(language)
    names = {*texts["common"], *texts["entity"], *texts["exceptions"], *texts["selector"]}
    assert [name for name in names if not re.fullmatch(SLUG, name)] == []


@each_language
def test_states_and_units_have_no_placeholders(language: str) -> None:
    for key, text in sentences(translations(language)["entity"]).items():
        if re.search(r"\.(state\.\w+|unit_of_measurement|state_attributes\.\w+\.name)$", key):
            assert "{" not in text, key


@each_language
def test_described_fields_have_a_name(language: str) -> None:
    steps = [step for flow in flows(language) for step in flow["step"].values()]
    for part in (part for step in steps for part in (step, *step.get("sections", {}).values())):
        assert part.get("data_description", {}).keys() <= part.get("data", {}).keys()


@each_language
def test_no_step_has_the_name_of_the_integration(language: str) -> None:
    titles = [step.get("title") for flow in flows(language) for step in flow["step"].values()]
    assert titles
    assert MANIFEST["name"] not in titles


def flows(language: str) -> list[dict[str, Any]]:
    """Return the texts of all config and options flows."""
    texts = translations(language)
    repairs = [issue["fix_flow"] for issue in texts["issues"].values() if "fix_flow" in issue]
    return [texts["config"], texts["options"], *texts["config_subentries"].values(), *repairs]


# services, triggers, conditions

_FIELD = {"default": object, "example": object, "required": bool, "selector": validate_selector}
_FIELDS = {"target": TargetSelector.CONFIG_SCHEMA, "fields": {str: _FIELD}}


@pytest.mark.parametrize("kind", ["conditions", "services", "triggers"])
def test_schema_of_descriptions(kind: str) -> None:
    """Anchors, which begin with a dot, are only accepted in triggers and conditions."""
    described = load_yaml_dict(str(INTEGRATION / f"{kind}.yaml"))
    section = {"collapsed": bool, vol.Required("fields"): {str: _FIELD}}
    schema = {"fields": {str: vol.Any(_FIELD, section)}} if kind == "services" else _FIELDS
    texts = translations("en")
    for name, about in described.items():
        if name.startswith(".") and kind != "services":
            continue
        assert re.fullmatch(SLUG, name)
        vol.Schema(schema)(about)
        for field, settings in fields_of(about):
            assert None not in settings.values(), f"{name} {field}"
            assert field in texts[kind][name]["fields"], f"{name} {field}"
            for chosen in settings["selector"].values():
                key = (chosen or {}).get("translation_key")
                assert key is None or key in texts["selector"], f"{name} {field}"
        named = [field for field, _ in fields_of(about)]
        assert sorted(named) == sorted(texts[kind][name].get("fields", {})), name


def fields_of(about: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the fields of a description, including those in sections."""
    for name, field in about.get("fields", {}).items():
        yield from field["fields"].items() if "fields" in field else ((name, field),)


# icons


def test_schema_of_icons() -> None:
    icon = vol.Match(r"^mdi:[a-z0-9-]+$")
    icons = json.loads((INTEGRATION / "icons.json").read_text("utf-8"))
    vol.Schema(
        {
            "conditions": {str: {"condition": icon}},
            "entity": {str: {str: {"default": icon, "state": {str: icon}}}},
            "services": {str: {"service": icon, "sections": {str: icon}}},
            "triggers": {str: {"trigger": icon}},
        }
    )(icons)


# quality_scale


def functions(name: str) -> list[ast.AsyncFunctionDef]:
    """Return the functions of a module."""
    body = MODULES[INTEGRATION / f"{name}.py"].body
    return [node for node in body if isinstance(node, ast.AsyncFunctionDef)]


def test_entries_are_typed() -> None:
    """Each function that gets a config entry has a type for its data."""
    entries = [
        ast.unparse(argument.annotation)
        for module in MODULES.values()
        for argument in ast.walk(module)
        if isinstance(argument, ast.arg) and argument.arg == "entry" and argument.annotation
    ]
    assert len(entries) > 50
    assert set(entries) <= {"TunnelHubConfigEntry", "TunnelHubConfigEntry | None"}


def test_no_entry_has_the_untyped_class() -> None:
    """Any would leak out of it."""
    bare = [
        path.name
        for path, module in MODULES.items()
        for node in ast.walk(module)
        if isinstance(node, ast.Name) and node.id == "ConfigEntry"
    ]
    assert set(bare) == {"runtime.py"}


def test_actions_are_set_up_without_an_entry() -> None:
    by_name = {function.name: ast.unparse(function) for function in functions("__init__")}
    assert "async_setup_services" in by_name["async_setup"]
    assert "service" not in by_name["async_setup_entry"]
