"""Generates tables of entities."""

from typing import Any

from .markdown import Notes, table, titles
from .services import Entity, Service
from .words import Language, enumerated, translated, word

_ORDER = ("sensor", "binary_sensor", "event", "switch", "select", "button", "update", "image")


def entities(service: Service, language: Language) -> str:
    """Returns the entities by device."""
    notes = Notes(language)
    found = sorted(service.entities, key=lambda entity: _ORDER.index(entity.platform))
    rows = []
    for model in dict.fromkeys(entity.model for entity in service.entities):
        title = f"**{word(language, model)}**"
        for entity in (entity for entity in found if entity.model == model):
            if title and entity.may_be_disabled:
                title += notes.mark("disabled by default if none of your tunnels uses the node")
            name = translated(language, "entity", entity.platform, entity.row.key)["name"]
            if not entity.row.entity_registry_enabled_default:
                name += notes.mark("disabled by default")
            if entity.optional:
                name += notes.mark("only if selected in the options")
            kind = word(language, entity.platform.replace("_", " "))
            rows.append([title, name, kind, _value(language, entity)])
            title = ""
    return notes.below(table(titles(language, "Device", "Entity", "Kind", "Value"), rows))


def _value(language: Language, entity: Entity) -> str:
    """Returns an entity's unit, or its possible values."""
    row: Any = entity.row
    words = translated(language, "entity", entity.platform, row.key)
    if event_types := getattr(row, "event_types", None):
        named = words["state_attributes"]["event_type"]["state"]
        return enumerated(language, [named[kind] for kind in event_types])
    if choices := getattr(row, "options", None):
        return enumerated(language, [words["state"][choice] for choice in choices])
    match getattr(row, "device_class", None):
        case "timestamp":
            return word(language, "a date and time")
        case "date":
            return word(language, "a date")
    unit = getattr(row, "suggested_unit_of_measurement", None) or getattr(
        row, "native_unit_of_measurement", None
    )
    return str(unit or words.get("unit_of_measurement", ""))
