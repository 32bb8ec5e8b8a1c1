"""Triggers and conditions: all of them, and what they look at in one service."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from homeassistant.util.yaml import load_yaml_dict

from custom_components.tunnel_hub.condition import CONDITIONS
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.trigger import TRIGGERS

from .markdown import table, titles
from .services import Service
from .words import INTEGRATION, Language, said, word

_KINDS: Mapping[str, Mapping[str, Any]] = {"triggers": TRIGGERS, "conditions": CONDITIONS}


def triggers(_: Collection[Service], language: Language) -> str:
    """Return when an automation of ours can start."""
    return table(titles(language, "Trigger", "When", "Options"), _described(language, "triggers"))


def conditions(_: Collection[Service], language: Language) -> str:
    """Return what an automation of ours can ask."""
    return table(
        titles(language, "Condition", "Description", "Options"), _described(language, "conditions")
    )


def _described(language: Language, kind: str) -> Iterable[list[str]]:
    described = load_yaml_dict(str(INTEGRATION / f"{kind}.yaml"))
    for name in _KINDS[kind]:
        words = said(language, kind, name)
        fields = [
            f"`{field}`: {words['fields'][field]['name']} ({_default(about)})"
            for field, about in described[name].get("fields", {}).items()
        ]
        yield [f"`{DOMAIN}.{name}`", words["description"], "<br>".join(fields)]


def _default(field: Mapping[str, Any]) -> str:
    """Return what a field is unless somebody says otherwise."""
    default, (settings,) = field["default"], field["selector"].values()
    if isinstance(default, dict):
        return ", ".join(f"{unit}: {number}" for unit, number in default.items())
    return " ".join(filter(None, (str(default), (settings or {}).get("unit_of_measurement"))))


def automations(service: Service, language: Language) -> str:
    """Return which of them serve in one service, and what they look at there."""
    rows = []
    for kind, classes in _KINDS.items():
        for name, cls in classes.items():
            looked_at = dict.fromkeys(
                f"{word(language, entity.model)}: "
                f"*{said(language, 'entity', entity.platform, entity.row.key)['name']}*"
                for entity in service.entities
                if entity.platform in cls._domain_specs
                and (entity.resource.kind, entity.row.key) in cls._fields
            )
            if looked_at:
                title = said(language, kind, name, "name")
                rows.append([f"`{DOMAIN}.{name}`", title, "<br>".join(looked_at)])
    return table(titles(language, "Trigger or condition", "When", "Entities"), rows)
