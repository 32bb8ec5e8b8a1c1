"""Names that are hard to show, and the checks of entity ids and device names."""

from typing import Any

from homeassistant.core import valid_entity_id
from homeassistant.helpers import device_registry as dr

from custom_components.tunnel_hub.devices import MAX_NAME_LENGTH

from .common import World

NAMES = {
    "80 Chinese": "隧道" * 40,
    "248 Latin": "a" * 248,
    "248 words": "it is " * 41 + "it",
    "255 Latin": "b" * 255,
    "5,000 Latin": "c" * 5000,
    "cut at a space": ("d" * 9 + " ") * 40,
    "one character that becomes many": "\ufdfa" * 20,
    "emoji": "🙂🚀" * 60,
    "a family": "👨‍👩‍👧",
    "punctuation": "!?… —" * 30,
    "underscores": "_" * 200,
    "right to left": "מנהרה لبيت" * 20,
    "an override": "\u202egnp.exe",
    "nothing to see": "\u200b\u2060",
    "blank": " \t\u3000 ",
    "two lines": "first\nsecond",
    "digits": "12345678901234567890" * 12,
}


def check(world: World[Any]) -> None:
    """Check that all enabled entities exist, with valid ids."""
    entities = world.registered()
    for entity in entities:
        assert valid_entity_id(entity.entity_id), entity.entity_id
        assert len(entity.entity_id) <= 255
        assert (world.hass.states.get(entity.entity_id) is None) is (
            entity.disabled_by is not None
        ), entity.entity_id
    for device in dr.async_entries_for_config_entry(dr.async_get(world.hass), world.entry.entry_id):
        assert device.name
        assert len(device.name) <= MAX_NAME_LENGTH
        assert any(character.isprintable() for character in device.name)
