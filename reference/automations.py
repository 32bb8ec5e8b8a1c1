"""Generates tables of triggers and conditions: all of them, and those of one service."""

from collections.abc import Collection, Mapping
import json
from typing import Any

from homeassistant.util.yaml import load_yaml_dict

from custom_components.tunnel_hub.condition import CONDITIONS
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.trigger import TRIGGERS

from .markdown import collapsed, table, titles
from .services import Service
from .words import INTEGRATION, Language, after_colon, in_brackets, translated, word

_KINDS: Mapping[str, Mapping[str, Any]] = {"triggers": TRIGGERS, "conditions": CONDITIONS}


def triggers(_: Collection[Service], language: Language) -> str:
    """Returns the triggers, for the editor and in YAML."""
    titles_ = titles(language, "Trigger", "When", "Options")
    return _reference("triggers", titles_, language)


def conditions(_: Collection[Service], language: Language) -> str:
    """Returns the conditions, for the editor and in YAML."""
    titles_ = titles(language, "Condition", "Description", "Options")
    return _reference("conditions", titles_, language)


def _reference(kind: str, titles_: list[str], language: Language) -> str:
    described = load_yaml_dict(str(INTEGRATION / f"{kind}.yaml"))
    rows, lines = [], [f"{kind}:"]
    for name in _KINDS[kind]:
        words = translated(language, kind, name)
        fields = described[name].get("fields", {})
        options = [
            words["fields"][field]["name"] + in_brackets(language, _default(about))
            for field, about in fields.items()
        ]
        rows.append([f"**{words['name']}**", words["description"], "<br>".join(options)])
        lines += [f"  - {kind.removesuffix('s')}: {DOMAIN}.{name}", "    target:"]
        lines.append(f"      device_id: <{word(language, 'select the device')}>")
        values = {field: about["default"] for field, about in fields.items()}
        lines += ["    options:"] * bool(values)
        lines += [f"      {field}: {json.dumps(value)}" for field, value in values.items()]
    yaml = "\n".join(("```yaml", *lines, "```"))
    return f"{table(titles_, rows)}\n\n{collapsed(word(language, 'All of them in YAML'), yaml)}"


def _default(field: Mapping[str, Any]) -> str:
    """Returns the default of a field."""
    default, (settings,) = field["default"], field["selector"].values()
    if isinstance(default, dict):
        return ", ".join(f"{unit}: {number}" for unit, number in default.items())
    return " ".join(filter(None, (str(default), (settings or {}).get("unit_of_measurement"))))


def automations(service: Service, language: Language) -> str:
    """Returns the triggers and conditions for a service, and their entities."""
    rows = []
    for kind, classes in _KINDS.items():
        for name, cls in classes.items():
            looked_at = dict.fromkeys(
                after_colon(
                    language,
                    word(language, entity.model),
                    f"*{translated(language, 'entity', entity.platform, entity.row.key)['name']}*",
                )
                for entity in service.entities
                if entity.platform in cls._domain_specs
                and (entity.resource.kind, entity.row.key) in cls.entity_fields
            )
            if looked_at:
                title = translated(language, kind, name, "name")
                rows.append([f"`{DOMAIN}.{name}`", title, "<br>".join(looked_at)])
    return table(titles(language, "Trigger or condition", "When", "Entities"), rows)
