"""Tests the promises of the threat model in SECURITY.md that no other test covers."""

import re

from homeassistant.helpers import issue_registry as ir

from custom_components.tunnel_hub.actions.mesh import _BACKUPS
from custom_components.tunnel_hub.api.provider import Issue
from custom_components.tunnel_hub.button import BUTTONS
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.image import IMAGES
from custom_components.tunnel_hub.markdown import escape_markdown
from custom_components.tunnel_hub.select import SELECTS
from custom_components.tunnel_hub.switch import SWITCHES
from custom_components.tunnel_hub.update import UPDATES

from .common import World
from .translations import INTEGRATION

ROOT = INTEGRATION.parents[1]


def test_entities_that_every_user_can_control() -> None:
    """None of them deletes anything or shows a secret, except the image that is disabled."""
    used = {
        f"{platform}.{row.key}"
        for platform, table in (
            ("button", BUTTONS),
            ("image", IMAGES),
            ("select", SELECTS),
            ("switch", SWITCHES),
            ("update", UPDATES),
        )
        for rows in table.values()
        for row in rows
        if row.entity_registry_enabled_default
    }
    assert used == {
        "button.force_offline",
        "button.kick_sessions",
        "button.refresh",
        "button.reset_traffic",
        "button.sign_in",
        "select.exit_path",
        "select.tun_mode",
        "switch.allow_relay",
        "switch.enabled",
        "switch.exit_node",
        "switch.force_down",
        "switch.l2tp_enabled",
        "switch.nested",
        "switch.wireguard_enabled",
        "update.program",
    }


# Texts of services

EVIL = '<img src=x onerror="alert(1)"> [free](https://evil.example) {{ 1 + 1 }} `x`'
HARMLESS = re.compile(r"[^<>\[\]]*")


def test_texts_contain_neither_links_nor_markup() -> None:
    said = escape_markdown({"account": EVIL})["account"]
    assert HARMLESS.fullmatch(said)
    assert "free" in said


async def test_texts_in_repair_issues(world: World) -> None:
    await world.set_up()
    world.hass.config_entries.async_update_entry(world.entry, title=EVIL)

    world.entry.runtime_data.issues.show(
        Issue(key="sign_in_failing", placeholders={"message": EVIL})
    )

    (issue,) = (i for i in ir.async_get(world.hass).issues.values() if i.domain == DOMAIN)
    for words in (issue.translation_placeholders or {}).values():
        assert HARMLESS.fullmatch(words), words


async def test_texts_in_forms(world: World) -> None:
    """This includes the service's messages and the name of an account."""
    await world.set_up()
    world.hass.config_entries.async_update_entry(world.entry, title=EVIL)

    menu = await world.entry.start_reconfigure_flow(world.hass)
    form = await world.hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "hayfrp_password"}
    )
    world.service.fault("*", "body", times=None, body={"status": 403, "message": EVIL})
    form = await world.hass.config_entries.flow.async_configure(
        form["flow_id"],
        {
            "username": "demo",
            "password": "demo-password",
            "advanced": {"base_url": world.service.url},
        },
    )

    assert form["errors"]
    for result in (menu, form):
        assert result["description_placeholders"]
        for words in result["description_placeholders"].values():
            assert HARMLESS.fullmatch(words), words


async def test_a_title_is_not_a_path(world: World) -> None:
    """Only the folder of backups is written to. Its files are named with slugify."""
    writing = [
        path.name
        for path in INTEGRATION.rglob("*.py")
        if re.search(r"\.(write_bytes|write_text|open|mkdir|unlink)\(|\bopen\(", path.read_text())
    ]
    assert writing == ["mesh.py"]
    assert "/" not in _BACKUPS


# The threat model


def test_the_threat_model_names_existing_files() -> None:
    """The files and tests that it names exist."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:tests|custom_components|api|docs|frontend)/[\w/.-]+\.\w+)`", text)
    assert len(files) > 10
    for file in files:
        assert (ROOT / file).exists() or (INTEGRATION / file).exists(), file
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(tests) > 10
    for file, name in tests:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name
