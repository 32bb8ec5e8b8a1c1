"""Generates tables of actions."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import SupportsResponse
from homeassistant.util.yaml import load_yaml_dict
import voluptuous as vol

from custom_components.tunnel_hub.actions.base import Action
from custom_components.tunnel_hub.api.models.account import Account
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.devices import MODELS

from .markdown import Notes, table, titles
from .services import Service
from .words import ANSWERS, INTEGRATION, Language, enumerated, translated, word


def actions(service: Service, language: Language) -> str:
    """Returns the actions with their permissions and responses."""
    notes = Notes(language)
    rows = []
    for name, action in sorted(service.actions.items()):
        mark = notes.mark("for administrators only") if action.admin else ""
        rows.append(
            [
                f"`{DOMAIN}.{name}`{mark}",
                _subject(service, language, action),
                translated(language, "services", name, "description"),
                _answer(language, name, action),
            ]
        )
    overview = table(titles(language, "Action", "For", "Description", "Response"), rows)
    summary = word(language, "Fields of the actions")
    return (
        f"{notes.below(overview)}\n\n<details>\n<summary>{summary}</summary>\n\n"
        f"{_fields(service, language)}\n\n</details>"
    )


def _subject(service: Service, language: Language, action: Action) -> str:
    """Returns the target of an action for a service."""
    there = {entity.device for entity in service.entities}
    kinds = [kind for kind in action.kinds if kind in there]
    of_account = service.accounts_with(action)
    models = [of_account if kind == Account.kind else [MODELS[kind]] for kind in kinds]
    named = [word(language, model) for each in models or [of_account] for model in each]
    return enumerated(language, named)


def _answer(language: Language, name: str, action: Action) -> str:
    return "" if action.response is SupportsResponse.NONE else word(language, ANSWERS[name])


def _fields(service: Service, language: Language) -> str:
    """Returns the fields of actions; those of several actions are listed once."""
    described = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    notes = Notes(language)
    takers: dict[tuple[str, str], list[str]] = {}
    values: dict[tuple[str, str], str] = {}
    for name, action in sorted(service.actions.items()):
        about = _without_sections(described[name]["fields"])
        for marker in action.fields:
            field = (
                str(marker),
                translated(language, "services", name, "fields")[marker]["description"],
            )
            mark = notes.mark("required") if isinstance(marker, vol.Required) else ""
            takers.setdefault(field, []).append(f"`{name}`{mark}")
            values[field] = values.get(field) or _values(about[str(marker)])
    rows = [
        [f"`{name}`", meaning, values[name, meaning], ", ".join(names)]
        for (name, meaning), names in sorted(takers.items(), key=lambda field: field[0][0])
    ]
    return notes.below(table(titles(language, "Field", "Meaning", "Values", "Actions"), rows))


def _without_sections(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of an action without its sections."""
    found: dict[str, Any] = {}
    for name, field in fields.items():
        found |= field.get("fields", {name: field})
    return found


def _values(field: Mapping[str, Any]) -> str:
    """Returns the possible values of a field, or an example."""
    (settings,) = field["selector"].values()
    settings = settings or {}
    if choices := settings.get("options"):
        values = [choice["value"] if isinstance(choice, dict) else choice for choice in choices]
        return ", ".join(f"`{value}`" for value in values if value)
    example = f"`{field['example']}`" if "example" in field else ""
    return " ".join(filter(None, (example, settings.get("unit_of_measurement"))))
