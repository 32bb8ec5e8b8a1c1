"""Tests that the frontend knows all icons; it shows nothing for others."""

import json
from pathlib import Path
import re

import hass_frontend

ICONS = Path(__file__).parent.parent / "custom_components" / "tunnel_hub" / "icons.json"


def test_the_frontend_knows_all_icons() -> None:
    known = json.loads((hass_frontend.where() / "static" / "mdi" / "iconList.json").read_text())
    used = set(re.findall(r'"mdi:([^"]+)"', ICONS.read_text()))
    assert used
    assert used <= {icon["name"] for icon in known}
