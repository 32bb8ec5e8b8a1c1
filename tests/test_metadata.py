"""Tests that metadata files match the code and HACS's requirements.

The rules of hassfest are in test_hassfest.py.
"""

from collections.abc import Mapping
from datetime import timedelta
import json
from pathlib import Path
import re
import struct
import tomllib
from typing import Any

from homeassistant import components
from homeassistant.config_entries import HANDLERS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import selector as selectors
from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from custom_components.tunnel_hub.api import PROVIDERS
from custom_components.tunnel_hub.api.frp.frpc_models import PROXY_TYPES
from custom_components.tunnel_hub.api.hayfrp.tunnels import PROTOCOLS
from custom_components.tunnel_hub.condition import CONDITIONS
from custom_components.tunnel_hub.config_flow import TunnelHubConfigFlow
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.devices import MODELS
from custom_components.tunnel_hub.services import ACTIONS
from custom_components.tunnel_hub.trigger import TRIGGERS, UNITS
from reference.services import PLATFORMS, SERVICES as DOCUMENTED, feeds

from .translations import INTEGRATION, translations

ROOT = INTEGRATION.parents[1]
CORE = Path(components.__path__[0])
SLUG = re.compile(r"[a-z0-9_]+")


def load(path: Path) -> dict[str, Any]:
    """Return the contents of a JSON file."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


MANIFEST = load(INTEGRATION / "manifest.json")
ICONS = load(INTEGRATION / "icons.json")
TRANSLATIONS = translations("en")
SERVICES = load_yaml_dict(str(INTEGRATION / "services.yaml"))


# The manifest


def test_manifest() -> None:
    """Test the values that hassfest accepts in any form."""
    assert MANIFEST["domain"] == DOMAIN
    assert MANIFEST["config_flow"] is True
    assert MANIFEST["integration_type"] == "hub"
    assert MANIFEST["iot_class"] == "cloud_polling"
    assert MANIFEST["quality_scale"] == "platinum"
    assert MANIFEST["loggers"] == [f"custom_components.{DOMAIN}"]


def test_requirements_are_part_of_home_assistant() -> None:
    assert MANIFEST["requirements"] == []
    assert "dependencies" not in MANIFEST


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert MANIFEST["version"] == project["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", MANIFEST["version"])


def test_hacs() -> None:
    hacs = load(ROOT / "hacs.json")
    oldest = (ROOT / "requirements_oldest.txt").read_text(encoding="utf-8")
    assert hacs["name"] == MANIFEST["name"]
    assert f"homeassistant=={hacs['homeassistant']}\n" in oldest
    assert hacs["filename"] == f"{DOMAIN}.zip"
    assert hacs["zip_release"] is True
    assert hacs.keys() <= {
        "name",
        "content_in_root",
        "country",
        "filename",
        "hacs",
        "hide_default_branch",
        "homeassistant",
        "persistent_directory",
        "render_readme",
        "zip_release",
    }


@pytest.mark.parametrize(
    "name, size",
    [("icon", (256, 256)), ("icon@2x", (512, 512)), ("dark_icon", (256, 256))],
)
def test_brand_icons(name: str, size: tuple[int, int]) -> None:
    header = (INTEGRATION / "brand" / f"{name}.png").read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert struct.unpack(">II", header[16:24]) == size


@pytest.mark.parametrize("name", ["logo", "dark_logo"])
def test_brand_logos(name: str) -> None:
    def size(suffix: str) -> tuple[int, int]:
        header = (INTEGRATION / "brand" / f"{name}{suffix}.png").read_bytes()[:24]
        width, height = struct.unpack(">II", header[16:24])
        return width, height

    width, height = size("")
    assert 128 <= min(width, height) <= 256
    assert size("@2x") == (2 * width, 2 * height)


# The quality scale


def test_every_rule_of_the_quality_scale_is_there() -> None:
    """It contains as many rules as those of the integrations in Home Assistant."""
    known: set[str] = set()
    for path in CORE.glob("*/quality_scale.yaml"):
        known |= load_yaml_dict(str(path))["rules"].keys()
    rules = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]

    assert rules.keys() == known
    for rule, answer in rules.items():
        if answer != "done":
            assert answer["status"] in ("done", "exempt"), rule
            assert answer["comment"].endswith("."), rule


def is_done(rule: str) -> bool:
    """Return whether a rule is done, with or without a comment."""
    answer = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"][rule]
    return "done" in (answer, answer["status"] if isinstance(answer, dict) else "")


@pytest.mark.parametrize(
    "rule, file, evidence",
    [
        ("action-setup", "__init__.py", r"async def async_setup\((.|\n)*async_setup_services"),
        ("brands", "brand/icon.png", ""),
        ("config-entry-unloading", "__init__.py", r"async def async_unload_entry"),
        ("config-flow", "config_flow.py", r"async def async_step_user"),
        ("diagnostics", "diagnostics.py", r"async def async_get_config_entry_diagnostics"),
        ("has-entity-name", "entity.py", r"_attr_has_entity_name = True"),
        ("inject-websession", "flows/base.py", r"async_create_clientsession"),
        ("reauthentication-flow", "config_flow.py", r"async def async_step_reauth_confirm"),
        ("reconfiguration-flow", "config_flow.py", r"async def async_step_reconfigure"),
        ("repair-issues", "issues.py", r"async_create_issue"),
        ("runtime-data", "runtime.py", r"ConfigEntry\[TunnelHubData\]"),
        ("stale-devices", "devices.py", r"async_remove_device"),
        ("test-before-setup", "coordinator.py", r"async_config_entry_first_refresh"),
        ("unique-config-entry", "flows/base.py", r"async_set_unique_id"),
    ],
)
def test_done_rules_have_their_files(rule: str, file: str, evidence: str) -> None:
    assert is_done(rule)
    assert re.search(evidence, (INTEGRATION / file).read_bytes().decode(errors="replace"))


_PAGES = tuple(f"docs/{provider}.md" for provider in PROVIDERS)


@pytest.mark.parametrize(
    "rule, heading, pages",
    [
        ("docs-actions", "## Actions", _PAGES),
        ("docs-conditions", "## In the editor", ("docs/conditions.md",)),
        ("docs-conditions", "## In YAML", ("docs/conditions.md",)),
        (
            "docs-configuration-parameters",
            "## Options",
            ("docs/chmlfrp.md", "docs/easytier.md", "docs/hayfrp.md"),
        ),
        ("docs-data-update", "## Data updates", _PAGES),
        ("docs-examples", "### Examples", ("docs/automations.md", *_PAGES)),
        ("docs-installation-instructions", "## Install", ("README.md", "docs/getting-started.md")),
        ("docs-installation-parameters", "## Sign in", _PAGES),
        ("docs-known-limitations", "## Known limitations", _PAGES),
        ("docs-removal-instructions", "## Remove", ("docs/getting-started.md",)),
        ("docs-supported-functions", "## Devices and entities", _PAGES),
        ("docs-triggers", "## In the editor", ("docs/triggers.md",)),
        ("docs-triggers", "## In YAML", ("docs/triggers.md",)),
        ("docs-troubleshooting", "## What you see", ("docs/troubleshooting.md",)),
        ("docs-troubleshooting", "## Troubleshooting", _PAGES),
    ],
)
def test_documented_rules_have_their_sections(
    rule: str, heading: str, pages: tuple[str, ...]
) -> None:
    assert is_done(rule)
    for page in pages:
        assert f"\n{heading}" in (ROOT / page).read_text(encoding="utf-8"), page


def test_parallel_updates_are_stated() -> None:
    """Commands are sent to a service one at a time. Platforms that only show need no limit."""
    for platform in PLATFORMS:
        source = (INTEGRATION / f"{platform}.py").read_text(encoding="utf-8")
        acts = re.search(r"async def async_(install|press|select_option|turn_on)\(", source)
        (limit,) = re.findall(r"^PARALLEL_UPDATES = ([01])$", source, re.MULTILINE)
        assert (limit == "1") is bool(acts) or platform == "image", platform


def test_frequently_changing_sensors_are_disabled_by_default() -> None:
    """Except those that the dashboard shows: rates of this node, and latencies of others."""
    fast = {
        feed.resource
        for service in DOCUMENTED.values()
        for provider in service.providers
        for feed in feeds(provider)
        if feed.interval < timedelta(minutes=1)
    }
    enabled = {
        f"{kind.kind} {row.key}"
        for kind, rows in PLATFORMS["sensor"].items()
        for row in rows
        if kind in fast
        and row.device_class in ("data_rate", "duration")
        and row.entity_registry_enabled_default
    }
    assert enabled == {
        *(f"{kind} rate_{way}" for kind in ("hub", "link") for way in ("in", "out")),
        *(f"{kind} latency" for kind in ("link", "peer")),
    }


# Icons


def test_icons_of_entities() -> None:
    """Entities without a device class have an icon, and no others do."""
    for platform, icons in ICONS["entity"].items():
        rows = [row for rows in PLATFORMS[platform].values() for row in rows]
        assert icons.keys() <= {row.key for row in rows}, platform
        for row in rows:
            assert row.device_class or row.key in icons, f"{platform} {row.key}"


def test_icons_of_states() -> None:
    for platform, icons in ICONS["entity"].items():
        options: dict[str, set[str]] = {}
        for row in (row for rows in PLATFORMS[platform].values() for row in rows):
            options.setdefault(row.key, set()).update(
                getattr(row, "options", None) or ("on", "off")
            )
        for key, icon in icons.items():
            assert icon.get("state", {}).keys() <= options[key], f"{platform} {key}"
            assert icon["default"] not in icon.get("state", {}).values(), f"{platform} {key}"


def test_icons_of_actions() -> None:
    assert ICONS["services"].keys() == ACTIONS.keys()


def test_icons_of_automations() -> None:
    assert ICONS["conditions"].keys() == CONDITIONS.keys()
    assert ICONS["triggers"].keys() == TRIGGERS.keys()


# Actions


def described(action: str) -> dict[str, Any]:
    """Return the fields of an action in services.yaml, including those in sections."""
    fields: dict[str, Any] = {}
    for name, field in SERVICES[action]["fields"].items():
        more = field.get("fields", {name: field})
        assert not fields.keys() & more.keys(), "the field is there twice"
        fields |= more
    return fields


def test_all_actions_are_described() -> None:
    assert SERVICES.keys() == ACTIONS.keys()
    assert list(SERVICES) == sorted(SERVICES)


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_fields_are_those_of_the_schema(name: str) -> None:
    action, fields = ACTIONS[name], described(name)
    subject = "device_id" if action.kinds else "config_entry_id"
    schema = {str(marker): marker for marker in action.fields}

    assert fields.keys() == {subject, *schema}
    assert fields[subject]["required"] is True
    for field, marker in schema.items():
        assert fields[field].get("required", False) is isinstance(marker, vol.Required), field
        if isinstance(marker, vol.Optional):
            default = None if isinstance(marker.default, vol.Undefined) else marker.default()
            assert fields[field].get("default") == default, field


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_selectors_are_valid(name: str) -> None:
    validators = {str(marker): check for marker, check in ACTIONS[name].fields.items()}
    for field, description in described(name).items():
        selectors.selector(description["selector"])
        for chosen in description["selector"].values():
            if key := (chosen or {}).get("translation_key"):
                assert set(chosen["options"]) == TRANSLATIONS["selector"][key]["options"].keys()
        if field in validators and "example" in description:
            vol.Schema(validators[field])(description["example"])


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_selectable_values_are_accepted(name: str) -> None:
    validators = {str(marker): check for marker, check in ACTIONS[name].fields.items()}
    for field, description in described(name).items():
        ((kind, settings),) = description["selector"].items()
        if field in validators:
            for value in offered(kind, settings or {}):
                vol.Schema(validators[field])(value)


def offered(kind: str, settings: Mapping[str, Any]) -> list[Any]:
    """Return the values that can be selected, or the limits."""
    match kind:
        case "boolean":
            return [True, False]
        case "number":
            return [settings["min"], settings["max"]]
        case "select":
            values = [one if isinstance(one, str) else one["value"] for one in settings["options"]]
            return [[value] for value in values] if settings.get("multiple") else values
    return []


# Triggers and conditions


@pytest.mark.parametrize("kind, classes", [("conditions", CONDITIONS), ("triggers", TRIGGERS)])
async def test_automations_are_described(
    hass: HomeAssistant, kind: str, classes: Mapping[str, Any]
) -> None:
    """Each accepts what its description offers, and nothing else."""
    described = load_yaml_dict(str(INTEGRATION / f"{kind}.yaml"))
    names = [name for name in described if not name.startswith(".")]
    assert names == sorted(classes)
    for name in names:
        fields = described[name].get("fields", {})
        chosen = described[name]["target"].get("device", [])
        assert {device["model"] for device in chosen} <= set(MODELS.values())
        for field in fields.values():
            selectors.selector(field["selector"])
        defaults = {key: field["default"] for key, field in fields.items()}
        target = {"device_id": ["a"]}
        validate = classes[name].async_validate_config
        validated = await validate(hass, {"target": target, "options": defaults})
        assert validated["options"].keys() == defaults.keys()
        bare = {key: defaults[key] for key in defaults.keys() & {"below"}}
        assumed = (await validate(hass, {"target": target, "options": bare}))["options"]
        assert assumed == {key: validated["options"][key] for key in assumed}


def test_devices_are_selected_by_their_model() -> None:
    for name, action in ACTIONS.items():
        if action.kinds:
            device = SERVICES[name]["fields"]["device_id"]["selector"]["device"]
            models = [(chosen["integration"], chosen["model"]) for chosen in device["filter"]]
            assert models == [(DOMAIN, MODELS[kind]) for kind in action.kinds]


def test_options_of_selectors_are_accepted() -> None:
    fields = described("get_tunnel_config")
    (check,) = ACTIONS["get_tunnel_config"].fields.values()
    assert set(fields["format"]["selector"]["select"]["options"]) == set(check.container)
    for name in ("create_tunnel", "update_tunnel"):
        protocols = described(name)["protocol"]["selector"]["select"]["options"]
        assert set(protocols) == {*PROTOCOLS, *PROXY_TYPES}


@pytest.mark.parametrize("classes", [CONDITIONS, TRIGGERS])
def test_triggers_and_conditions_refer_to_existing_entities(classes: Mapping[str, Any]) -> None:
    for cls in classes.values():
        (platform,) = cls._domain_specs
        table = PLATFORMS[platform]
        assert cls.entity_fields <= {
            (kind.kind, row.key) for kind, rows in table.items() for row in rows
        }


def test_units_of_selectors_are_accepted() -> None:
    fields = load_yaml_dict(str(INTEGRATION / "triggers.yaml"))["traffic_low"]["fields"]
    assert tuple(fields["unit_of_measurement"]["selector"]["select"]["options"]) == UNITS


def test_the_flow_is_registered() -> None:
    assert HANDLERS[DOMAIN] is TunnelHubConfigFlow
