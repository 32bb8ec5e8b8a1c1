"""The texts of both languages, and a check that fails a test on a missing one.

Home Assistant shows nothing, or a key, if a translation is missing. It does not fail.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
import json
from pathlib import Path
from string import Formatter
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import (
    ConfigEntriesFlowManager,
    ConfigSubentryFlowManager,
    OptionsFlowManager,
)
from homeassistant.core import ServiceRegistry
from homeassistant.data_entry_flow import FlowManager, FlowResultType, section
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers.issue_registry import IssueRegistry
import voluptuous as vol

from custom_components.tunnel_hub.const import DOMAIN

INTEGRATION = Path(__file__).parents[1] / "custom_components" / DOMAIN
LANGUAGES = ("en", "zh-Hans")


@cache
def translations(language: str) -> dict[str, Any]:
    """Return all texts of a language."""
    loaded: dict[str, Any] = json.loads(
        (INTEGRATION / "translations" / f"{language}.json").read_text(encoding="utf-8")
    )
    return loaded


def sentences(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the texts of a tree by their dotted path."""
    found: dict[str, str] = {}
    for key, value in tree.items():
        path = f"{prefix}.{key}" if prefix else key
        found |= sentences(value, path) if isinstance(value, Mapping) else {path: value}
    return found


@cache
def all_sentences(language: str) -> Mapping[str, str]:
    """Return the texts of a language by their dotted path."""
    return sentences(translations(language))


def placeholders(sentence: str) -> set[str]:
    """Return the names in braces."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def need(path: str, given: Mapping[str, object] | None = None) -> None:
    """Fail unless both languages have the text and can fill all of its placeholders."""
    for language in LANGUAGES:
        sentence = all_sentences(language).get(path)
        assert sentence, f"{language}: no {path}"
        missing = placeholders(sentence) - (given or {}).keys()
        assert not missing, f"{language}: {path} lacks {missing}"


def _need_form(prefix: str, schema: vol.Schema) -> None:
    """Check a form's fields and sections."""
    for marker, field in schema.schema.items():
        if isinstance(field, section):
            need(f"{prefix}.sections.{marker}.name")
            _need_form(f"{prefix}.sections.{marker}", field.schema)
        else:
            need(f"{prefix}.data.{marker}")
            need(f"{prefix}.data_description.{marker}")


def check_flow_result(kind: str, result: Mapping[str, Any]) -> None:
    """Check the texts of a step of a flow. kind: the path of the flow's texts."""
    given = result.get("description_placeholders")
    match result["type"]:
        case FlowResultType.ABORT:
            builtin = {"reauth_successful", "reconfigure_successful"}
            if result["reason"] not in builtin:
                need(f"{kind}.abort.{result['reason']}", given)
        case FlowResultType.MENU:
            need(f"{kind}.step.{result['step_id']}.title", given)
            for option in result["menu_options"]:
                need(f"{kind}.step.{result['step_id']}.menu_options.{option}")
        case FlowResultType.SHOW_PROGRESS:
            need(f"{kind}.step.{result['step_id']}.title", given)
            need(f"{kind}.progress.{result['progress_action']}", given)
        case FlowResultType.FORM:
            need(f"{kind}.step.{result['step_id']}.title", given)
            _need_form(f"{kind}.step.{result['step_id']}", result["data_schema"])
            for error in (result["errors"] or {}).values():
                need(f"{kind}.error.{error}", given)


def check_exception(err: HomeAssistantError) -> None:
    """Check that the text of an exception is translated, by the integration or Home Assistant."""
    if not isinstance(err, Unauthorized) and err.translation_domain in (None, DOMAIN):
        assert err.translation_key, f"not translated: {err!r}"
        need(f"exceptions.{err.translation_key}.message", err.translation_placeholders)


def _kind(manager: object, result: Mapping[str, Any], issues: Mapping[str, str]) -> str:
    """Return the path of a flow's texts. issues: repair issues by the flow that repairs them."""
    if result["flow_id"] in issues:
        return f"issues.{issues[result['flow_id']].partition(':')[2]}.fix_flow"
    match manager:
        case ConfigSubentryFlowManager():
            return f"config_subentries.{result['handler'][1]}"
        case OptionsFlowManager():
            return "options"
    return "config"


@contextmanager
def watched() -> Iterator[None]:
    """Check all texts that are shown meanwhile."""
    issues: dict[str, str] = {}
    create_issue = IssueRegistry.async_get_or_create
    call_action = ServiceRegistry.async_call

    def _checked(begin_or_continue: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        async def _check(manager: object, *args: Any, **kwargs: Any) -> Any:
            result = await begin_or_continue(manager, *args, **kwargs)
            if issue := (kwargs.get("data") or {}).get("issue_id"):
                issues[result["flow_id"]] = issue
            if result["type"] is not FlowResultType.CREATE_ENTRY:
                check_flow_result(_kind(manager, result, issues), result)
            return result

        return _check

    def _create_issue(registry: Any, domain: str, issue_id: str, **issue: Any) -> Any:
        if domain == DOMAIN:
            given = issue["translation_placeholders"]
            need(f"issues.{issue['translation_key']}.title", given)
            if not issue["is_fixable"]:
                need(f"issues.{issue['translation_key']}.description", given)
        return create_issue(registry, domain, issue_id, **issue)

    async def _call_action(registry: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await call_action(registry, *args, **kwargs)
        except HomeAssistantError as err:
            check_exception(err)
            raise

    with (
        patch.object(FlowManager, "async_init", _checked(FlowManager.async_init)),
        patch.object(
            ConfigEntriesFlowManager, "async_init", _checked(ConfigEntriesFlowManager.async_init)
        ),
        patch.object(FlowManager, "async_configure", _checked(FlowManager.async_configure)),
        patch.object(IssueRegistry, "async_get_or_create", _create_issue),
        patch.object(ServiceRegistry, "async_call", _call_action),
    ):
        yield
