"""Tests that all needed translations exist in both languages, and no others.

The check in translations.py finds a missing text when another test shows it. This finds all missing
texts, and unused ones.
"""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
import inspect
from pathlib import Path
import pkgutil
import re

from homeassistant.config_entries import ConfigFlow
from homeassistant.data_entry_flow import section
from homeassistant.util.yaml import load_yaml_dict
import pytest
import voluptuous as vol

from custom_components.tunnel_hub import config_flow, flows
from custom_components.tunnel_hub.api import PROVIDERS
from custom_components.tunnel_hub.api.capabilities.nodes import (
    NODES,
    NODES_ALL,
    NODES_CHOSEN,
    NODES_USED,
)
from custom_components.tunnel_hub.api.chmlfrp import ChmlFrpProvider
from custom_components.tunnel_hub.api.chmlfrp.subdomains import TTLS
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.models.directory import QueryPriority, Region
from custom_components.tunnel_hub.exceptions import translation
from custom_components.tunnel_hub.flows.base import Form, failure_of
from custom_components.tunnel_hub.flows.watched_addresses import SCHEMA as WATCHED_SCHEMA
from custom_components.tunnel_hub.reachability import CHECKS, CHECKS_ALL, CHECKS_ENABLED, CHECKS_OFF
from custom_components.tunnel_hub.repairs import FIXES
from custom_components.tunnel_hub.services import ACTIONS
from custom_components.tunnel_hub.watched_addresses import WATCHED as NO_PROVIDER, WATCHED_ADDRESS
from reference.services import PLATFORMS

from .common import World
from .translations import INTEGRATION, LANGUAGES, placeholders, sentences, translations

ENGLISH = sentences(translations("en"))
CHINESE = sentences(translations("zh-Hans"))

ERRORS: list[TunnelHubError] = [
    *(refusal(words) for refusal in (AuthenticationError, RejectedError) for words in ("m", "")),
    TunnelHubError(),
    UnsupportedError(),
    *(UnavailableError(reason, "d") for reason in Reason),
]


# Texts in the code


@cache
def calls_in(path: Path) -> tuple[tuple[str, ast.Call], ...]:
    """Return all calls in a file with the functions' names, as the code spells them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return tuple((ast.unparse(call.func), call) for call in called)


def calls(name: str, folder: str = "") -> Iterator[ast.Call]:
    """Return the calls of a function. name: as the code spells it."""
    for path in (INTEGRATION / folder).rglob("*.py"):
        yield from (call for called, call in calls_in(path) if called == name)


def named(call: ast.Call, name: str) -> ast.expr | None:
    """Return a keyword argument of a call."""
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def invalid_inputs(folder: str = "") -> dict[str, set[str]]:
    """Return the names of InvalidInputErrors, with the placeholders that all calls pass."""
    found: dict[str, set[str]] = {}
    for call in calls("InvalidInputError", folder):
        assert isinstance(call.args[0], ast.Constant), ast.unparse(call)
        _note(found, call.args[0], {keyword.arg or "" for keyword in call.keywords})
    for call in calls("super().__init__", folder):
        # An error class that is derived from InvalidInputError.
        if len(call.args) == 1 and isinstance(call.args[0], ast.Constant):
            _note(found, call.args[0], {keyword.arg or "" for keyword in call.keywords})
    return found


def _note(found: dict[str, set[str]], key: ast.Constant, given: set[str]) -> None:
    """Keep the placeholders that each call passes, because all have to fill the text."""
    name = str(key.value)
    found[name] = found.get(name, given) & given


def refused_logins() -> dict[str, set[str]]:
    """Return the refusals of logins that have their own texts."""
    return {
        str(key.value) + without_reason: set() if without_reason else {"message"}
        for call in calls("AuthenticationError")
        if isinstance(key := named(call, "key"), ast.Constant)
        for without_reason in ("", "_without_reason")
    }


def translated_exceptions() -> dict[str, set[str]]:
    """Return the translation keys of Home Assistant's exceptions that the code raises."""
    found: dict[str, set[str]] = {}
    for call in (*calls("ServiceValidationError"), *calls("HomeAssistantError")):
        key, given = named(call, "translation_key"), named(call, "translation_placeholders")
        if isinstance(key, ast.Constant):
            _note(found, key, _keys(given))
    return found


def issues() -> dict[str, set[str]]:
    """Return the repair issues in the code."""
    found: dict[str, set[str]] = {}
    for call in calls("Issue"):
        key = named(call, "key")
        assert isinstance(key, ast.Constant), ast.unparse(call)
        _note(found, key, {"account", *_keys(named(call, "placeholders"))})
    return found


def aborts(file: str) -> set[str]:
    """Return the reasons for which the flows of a file abort."""
    return {
        str(reason.value)
        for called, call in calls_in(INTEGRATION / file)
        if "abort" in called and isinstance(reason := named(call, "reason"), ast.Constant)
    }


def _keys(node: ast.expr | None) -> set[str]:
    if not isinstance(node, ast.Dict):
        return set()
    return {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}


def forms() -> dict[str, vol.Schema]:
    """Return the forms of all providers' steps."""
    return {
        form.step_id: form.schema
        for module in pkgutil.iter_modules(flows.__path__)
        for form in vars(import_module(f"{flows.__name__}.{module.name}")).values()
        if isinstance(form, Form)
    }


def steps() -> set[str]:
    """Return the steps of the config flow with a form. One called done has none."""
    names = {
        name.removeprefix("async_step_")
        for name, _ in inspect.getmembers(config_flow.TunnelHubConfigFlow, inspect.isfunction)
        if name.startswith("async_step_") and not name.endswith("_done")
    }
    inherited = {name.removeprefix("async_step_") for name in dir(ConfigFlow)}
    return names - inherited - {"reauth"} | {"user"}


# Needed texts


def of_form(prefix: str, schema: vol.Schema) -> set[str]:
    """Return the texts of a form, without its title and description."""
    needed: set[str] = set()
    for marker, field in schema.schema.items():
        if isinstance(field, section):
            needed |= {f"{prefix}.sections.{marker}.name"}
            needed |= of_form(f"{prefix}.sections.{marker}", field.schema)
        else:
            needed |= {f"{prefix}.data.{marker}", f"{prefix}.data_description.{marker}"}
    return needed


def of_steps() -> set[str]:
    """Return the texts of the config flow's steps."""
    needed = {f"config.step.{step}.title" for step in steps()}
    for step_id, schema in forms().items():
        needed |= of_form(f"config.step.{step_id}", schema)
    needed |= {f"config.step.user.menu_options.{key}" for key in (*PROVIDERS, NO_PROVIDER)}
    needed |= of_form("config.step.watched", WATCHED_SCHEMA)
    for provider in PROVIDERS:
        ways = flows.FLOWS[provider].sign_in
        first = {
            step
            for step in forms()
            if step.startswith(f"{provider}_") and not step.endswith(("_code", "_initialize"))
        }
        needed |= {f"config.step.{provider}.menu_options.{step}" for step in first}
        for menu in ("reauth_confirm", "reconfigure"):
            needed |= {f"config.step.{menu}.menu_options.{way}" for way in ways}
    return needed


def of_entities() -> set[str]:
    """Return the texts of all entities."""
    needed: set[str] = set()
    for platform, table in PLATFORMS.items():
        for row in (row for rows in table.values() for row in rows):
            prefix = f"entity.{platform}.{row.key}"
            needed |= {f"{prefix}.name"}
            needed |= {f"{prefix}.state.{option}" for option in getattr(row, "options", None) or ()}
            needed |= {
                f"{prefix}.state_attributes.event_type.state.{kind}"
                for kind in getattr(row, "event_types", None) or ()
            }
    return needed


def of_actions() -> set[str]:
    """Return the texts of all actions."""
    needed: set[str] = set()
    for name, action in ACTIONS.items():
        subject = "device_id" if action.kinds else "config_entry_id"
        for prefix in (
            f"services.{name}",
            *(f"services.{name}.fields.{field}" for field in (subject, *map(str, action.fields))),
        ):
            needed |= {f"{prefix}.name", f"{prefix}.description"}
    return needed


def of_automations() -> set[str]:
    """Return the texts of all triggers and conditions."""
    needed: set[str] = set()
    for kind in ("conditions", "triggers"):
        for name, described in load_yaml_dict(str(INTEGRATION / f"{kind}.yaml")).items():
            if name.startswith("."):
                continue
            needed |= {f"{kind}.{name}.name", f"{kind}.{name}.description"}
            needed |= {
                f"{kind}.{name}.fields.{field}.name" for field in described.get("fields", ())
            }
    return needed


def of_errors() -> set[str]:
    """Return the texts of all errors."""
    in_flows = invalid_inputs("flows").keys()
    in_actions = invalid_inputs().keys() - in_flows | translated_exceptions().keys()
    refused = refused_logins().keys()
    return {
        *(f"exceptions.{key}.message" for key in in_actions | refused),
        *(f"exceptions.{translation(err)['translation_key']}.message" for err in ERRORS),
        *(f"config.error.{key}" for key in in_flows | refused),
        *(f"config.error.{failure_of(err).key}" for err in ERRORS),
        *(
            f"issues.{key}.{part}"
            for key in issues()
            for part in (("title",) if key in FIXES else ("title", "description"))
        ),
        # Errors in repair flows have the texts of the config flow.
        *(
            f"issues.{key}.fix_flow.error.{failure_of(err).key}"
            for key in FIXES
            for err in ERRORS
            if not isinstance(err, UnsupportedError)
        ),
    }


def of_watched_addresses() -> set[str]:
    """Return the texts of adding and editing a watched address."""
    prefix = f"config_subentries.{WATCHED_ADDRESS}"
    reasons = {
        str(call.args[0].value)
        for call in calls("InvalidAddressError")
        if isinstance(call.args[0], ast.Constant)
    }
    assert "credentials_in_address" in reasons
    return {
        f"{prefix}.entry_type",
        f"{prefix}.initiate_flow.user",
        f"{prefix}.error.already_watched",
        *(f"config.error.{reason}" for reason in reasons),
        *(f"{prefix}.error.{reason}" for reason in reasons),
        *(f"{prefix}.step.{step}.title" for step in ("user", "reconfigure")),
        *of_form(f"{prefix}.step.user", WATCHED_SCHEMA),
        *of_form(f"{prefix}.step.reconfigure", WATCHED_SCHEMA),
    }


NEEDED = (
    of_watched_addresses()
    | of_steps()
    | of_entities()
    | of_actions()
    | of_automations()
    | of_errors()
)

# Texts that the check in translations.py covers, and texts that may exist without a use.
WATCHED = re.compile(
    r"""
    common\.\w+
    | config\.abort\.\w+
    | config_subentries\.\w+\.abort\.\w+
    | config_subentries\.\w+\.step\.\w+\.description
    | config\.error\.(account_banned|device_\w+|invalid_(ca|host)|no_device_grant|unknown_client)
    | config\.error\.(jwt_secret_refused|no_(administrator|frp_here|node_here))
    | config\.error\.(not_initialized|other_service)
    | config\.progress\.\w+
    | config\.step\.\w+_registered\.menu_options\.\w+
    | config\.step\.(reauth_confirm|reconfigure)\.menu_option_descriptions\.\w+
    | config\.step\.\w+\.(description|sections\.advanced\.description)
    | device\.service\.name
    | entity\.binary_sensor\.\w+\.(state\.(on|off)|state_attributes\.(reason|users)\..+)
    | entity\.select\.\w+\.state\.\w+
    | entity\.sensor\.\w+\.state_attributes\.\w+\.name
    | entity\.sensor\.(phase|state)\.state_attributes\.advice\.state\.\w+
    | entity\.switch\.\w+\.state_attributes\.method\..+
    | issues\.\w+\.fix_flow\.(abort|step\.\w+)\..+
    | issues\.\w+\.fix_flow\.error\.passwords_differ
    | options\..+
    | selector\..+
    | (conditions|triggers)\.\w+\.fields\.\w+\.description
    | services\.\w+\.sections\.\w+\.(name|description)
    | system_health\..+
    """,
    re.VERBOSE,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing(language: str) -> None:
    assert sorted(NEEDED - sentences(translations(language)).keys()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_over(language: str) -> None:
    left_over = sentences(translations(language)).keys() - NEEDED
    assert sorted(key for key in left_over if not WATCHED.fullmatch(key)) == []


OF_HOME_ASSISTANT = {
    "ConfigEntryAuthFailed",
    "ConfigEntryError",
    "ConfigEntryNotReady",
    "HomeAssistantError",
    "ServiceValidationError",
    "UpdateFailed",
}


def test_every_exception_is_translated() -> None:
    """Each exception that Home Assistant shows has a translation."""
    raised = [call for name in OF_HOME_ASSISTANT for call in calls(name)]
    assert len(raised) > 5
    for call in raised:
        given = [ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg is None]
        assert not call.args, ast.unparse(call)
        assert given == ["translation(err)"] or named(call, "translation_key"), ast.unparse(call)


def test_every_abort_reason_has_a_text() -> None:
    of_options = {"no_options", "not_loaded"}
    assert aborts("config_flow.py") == of_options
    assert {f"options.abort.{reason}" for reason in of_options} <= ENGLISH.keys()
    in_flows = {
        r
        for path in (INTEGRATION / "flows").iterdir()
        if path.suffix == ".py"
        for r in aborts(f"flows/{path.name}")
    }
    assert "wrong_account" in in_flows
    for reason in in_flows | {"already_configured"}:
        assert f"config.abort.{reason}" in ENGLISH, reason
    for key in FIXES:
        for reason in aborts("repairs.py"):
            assert f"issues.{key}.fix_flow.abort.{reason}" in ENGLISH, reason


def test_both_languages_have_the_same_texts() -> None:
    assert ENGLISH.keys() == CHINESE.keys()
    assert {key: placeholders(text) for key, text in ENGLISH.items()} == {
        key: placeholders(text) for key, text in CHINESE.items()
    }


def test_chinese_is_chinese() -> None:
    names = {provider.name for provider in PROVIDERS.values()}
    assert [
        key
        for key, text in CHINESE.items()
        if text not in names and not re.search(r"[\u3001\u4e00-\u9fff]|^(\{\w+\})+$", text)
    ] == []


_CONDITIONS = (
    ("entity.sensor.verdict.state.node_down", "entity.sensor.state.state.node_offline"),
    ("entity.sensor.state.state.disabled", "entity.sensor.phase.state.disabled"),
    ("entity.sensor.verdict.state.no_client", "entity.sensor.state.state.offline"),
    ("common.path_link_down", "entity.sensor.state.state.offline"),
)
"""States of several sensors: the path, the list and Assist use the same text."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("keys", _CONDITIONS)
def test_a_state_has_one_name(language: str, keys: tuple[str, ...]) -> None:
    said = sentences(translations(language))
    assert len({said[key] for key in keys}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_advice_is_in_one_place(language: str) -> None:
    said = sentences(translations(language))
    advice = [
        text for key, text in said.items() if re.search(r"advice_\w+$|\.advice\.state\.", key)
    ]
    assert len(advice) > 25
    assert len(set(advice)) == len(advice)


@pytest.mark.parametrize("language", LANGUAGES)
def test_descriptions_are_sentences(language: str) -> None:
    """Descriptions end like sentences, as Home Assistant's own. Names do not."""
    ends = {"en": (".", "?"), "zh-Hans": ("。", "？")}[language]
    described = {
        key: re.sub(r"\s*{\w+}$", ends[0], text)
        for key, text in sentences(translations(language)).items()
        if re.search(r"(^|\.)(description|data_description\.\w+)$", key)
    }
    assert len(described) > 400
    assert [key for key, text in described.items() if not text.endswith(ends)] == []


@pytest.mark.parametrize(
    "prefix, given",
    [
        ("exceptions.{}.message", invalid_inputs() | refused_logins() | translated_exceptions()),
        ("config.error.{}", invalid_inputs() | refused_logins()),
        ("issues.{}.title", issues()),
        ("issues.{}.description", issues()),
    ],
)
def test_placeholders_are_passed(prefix: str, given: dict[str, set[str]]) -> None:
    for key, names in given.items():
        if (text := ENGLISH.get(prefix.format(key))) is not None:
            assert placeholders(text) <= names, key


def test_placeholders_of_errors_are_passed() -> None:
    for err in ERRORS:
        said, failure = translation(err), failure_of(err)
        text = ENGLISH[f"exceptions.{said['translation_key']}.message"]
        assert placeholders(text) <= said["translation_placeholders"].keys()
        assert placeholders(ENGLISH[f"config.error.{failure.key}"]) <= failure.placeholders.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_unit_is_a_word(language: str) -> None:
    """One client would be "1 clients". The entity's name says what is counted."""
    assert not [
        key
        for key in sentences(translations(language))
        if re.match(r"entity\..+unit_of_measurement", key)
    ]


def test_choices() -> None:
    said = {key: list(words["options"]) for key, words in translations("en")["selector"].items()}
    assert {key: sorted(options) for key, options in said.items()} == {
        CHECKS: sorted((CHECKS_ALL, CHECKS_ENABLED, CHECKS_OFF)),
        "exit_mode": ["aggregate", "quality"],
        "query_priority": sorted(QueryPriority),
        "region": sorted(Region),
        NODES: sorted((NODES_ALL, NODES_CHOSEN, NODES_USED)),
        "node_history": sorted(ChmlFrpProvider.history_fields),
        "ttl": sorted(TTLS),
    }


async def test_options(world: World) -> None:
    await world.set_up()
    form = await world.hass.config_entries.options.async_init(world.entry.entry_id)
    assert form["data_schema"] is not None

    needed = of_form("options.step.init", form["data_schema"])

    optional = {
        "options.abort.entry_removed",
        "options.abort.not_loaded",
        "options.abort.no_options",
        "options.error.invalid_host",
        "options.error.no_nodes_chosen",
        "options.step.init.title",
    } | {
        f"options.step.init.sections.{marker}.description" for marker in form["data_schema"].schema
    }
    of_others = tuple(
        f"options.step.init.sections.{section}."
        for section in ("administration", "more_of_nodes", "outside_address", "shown_public_nodes")
    )
    said = {key for key in ENGLISH if key.startswith("options.") and not key.startswith(of_others)}
    assert said == needed | optional
