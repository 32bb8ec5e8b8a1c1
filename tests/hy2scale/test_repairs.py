"""Tests repair issues that the user has to solve, and the repair flow for the default password."""

from datetime import timedelta
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.components.repairs.issue_handler import RepairsFlowManager
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest

from custom_components.tunnel_hub.const import DOMAIN
from simulator.hy2scale import hashed

from ..api.test_redaction import ENCODINGS
from ..common import HOUR, MINUTE, NOON, on_account
from .common import BOTH, POLL, Hub

pytestmark = pytest.mark.platforms("switch")

NEW = {"password": "a better one", "password_repeated": "a better one"}

SECRETS = (NEW["password"], hashed(NEW["password"]))


@pytest.fixture
async def fresh(world: Hub) -> Hub:
    """Return a newly installed node with its default password."""
    world.service.set_password("admin")
    world.hass.config_entries.async_update_entry(
        world.entry, data={**world.entry.data, "password_hash": hashed("admin")}
    )
    assert await async_setup_component(world.hass, REPAIRS, {})
    await world.set_up()
    return world


async def begin(world: Hub) -> Any:
    manager = flows(world)
    return await manager.async_init(
        DOMAIN, data={"issue_id": f"{world.entry.entry_id}:default_password"}
    )


def flows(world: Hub) -> RepairsFlowManager:
    """Return the open repair flows."""
    manager: RepairsFlowManager = world.hass.data[REPAIRS]["flow_manager"]
    return manager


async def fill(world: Hub, form: Any, **fields: str) -> Any:
    assert form["type"] is FlowResultType.FORM
    result = await flows(world).async_configure(form["flow_id"], fields)
    await world.settle()
    return result


# The default password


@BOTH
async def test_the_default_password(fresh: Hub) -> None:
    """The flow sets the new password, and only stores its hash."""
    found = fresh.issue("default_password")
    assert found
    assert found.is_fixable
    assert found.translation_placeholders == {"account": "HY2 SCALE sg-home"}

    form = await begin(fresh)
    assert form["description_placeholders"] == {"account": "HY2 SCALE sg-home"}
    result = await fill(fresh, form, **NEW)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert fresh.service.state.password_hash == hashed("a better one")
    assert fresh.entry.data["password_hash"] == hashed("a better one")
    assert fresh.issue("default_password") is None
    await fresh.live(MINUTE, POLL)
    assert fresh.issue("default_password") is None
    assert fresh.value("switch", "tunnel:us", "enabled") == "on"
    assert "a better one" not in str([call.body for call in fresh.service.calls])
    await fresh.restart()
    assert fresh.issue("default_password") is None
    assert not fresh.hass.config_entries.flow.async_progress()


async def test_different_passwords(fresh: Hub) -> None:
    form = await begin(fresh)

    result = await fill(fresh, form, password="one", password_repeated="another")

    assert result["errors"] == {"base": "passwords_differ"}
    assert fresh.service.state.password_hash == hashed("admin")
    result = await fill(fresh, result, **NEW)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "fault, options, error",
    [
        ("status", {"status": 500}, "unavailable_server_error"),
        ("html", {}, "unavailable_firewall"),
        ("body", {"status": 400, "body": "too weak"}, "rejected"),
    ],
)
async def test_a_refused_password(
    fresh: Hub, fault: str, options: dict[str, Any], error: str
) -> None:
    form = await begin(fresh)
    fresh.service.fault("/api/settings/password", fault, **options)

    result = await fill(fresh, form, **NEW)

    assert result["errors"] == {"base": error}
    assert fresh.issue("default_password")
    assert fresh.entry.data["password_hash"] == hashed("admin")
    result = await fill(fresh, result, **NEW)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_refusal_that_repeats_the_password(fresh: Hub) -> None:
    """The error contains neither the password nor its hash, and no link."""
    form = await begin(fresh)
    secrets = {encode(secret) for encode in ENCODINGS.values() for secret in SECRETS}
    for secret in secrets:
        words = f"[weak](https://evil.example) <b>{secret}</b>"
        fresh.service.fault("/api/settings/password", "body", status=400, body=words)

        form = await fill(fresh, form, **NEW)

        assert form["errors"] == {"base": "rejected"}
        message = form["description_placeholders"]["message"]
        assert "weak" in message
        assert secret not in message
        assert not set("<>[]") & set(message)


async def test_a_node_that_is_not_loaded(fresh: Hub) -> None:
    form = await begin(fresh)
    await fresh.hass.config_entries.async_unload(fresh.entry.entry_id)

    result = await fill(fresh, form, **NEW)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_loaded"


async def test_a_password_changed_elsewhere(fresh: Hub) -> None:
    """It was changed on the node's console. The issue is removed after the next sign-in."""
    fresh.service.set_password("changed")
    fresh.hass.config_entries.async_update_entry(
        fresh.entry, data={**fresh.entry.data, "password_hash": hashed("changed")}
    )

    await fresh.restart()
    await fresh.elapse(POLL)

    assert fresh.issue("default_password") is None


async def test_no_issue_for_another_password(world: Hub) -> None:
    await world.set_up()

    assert world.issue("default_password") is None


# Certificates


@BOTH
@pytest.mark.platforms("sensor")
async def test_a_certificate_that_expires_soon(world: Hub) -> None:
    """The issue appears 14 days before."""
    await world.set_up()
    assert world.issue("certificate_expiring") is None

    world.service.issue_certificate("short", days=15.5)
    await world.live(2 * HOUR, HOUR)
    assert world.issue("certificate_expiring") is None
    await world.live(26 * HOUR, 13 * HOUR)

    found = world.issue("certificate_expiring")
    assert found
    assert not found.is_fixable
    end = NOON + timedelta(days=15.5)
    assert found.translation_placeholders
    assert found.translation_placeholders["certificates"] == f"short ({end:%Y-%m-%d})"
    await on_account(world, "delete_certificate", id="short")
    assert world.issue("certificate_expiring") is None


@pytest.mark.platforms("sensor")
async def test_expired_certificates(world: Hub) -> None:
    world.service.issue_certificate("one", days=0.1)
    world.service.issue_certificate("two", days=3)

    await world.set_up()
    await world.live(25 * HOUR, 5 * HOUR)

    found = world.issue("certificate_expiring")
    assert found
    assert found.translation_placeholders
    words = found.translation_placeholders["certificates"]
    assert words.startswith("one (")
    assert "two (" in words


async def test_an_ignored_issue(fresh: Hub) -> None:
    """It stays ignored after a reload. After it was solved, a new one is shown."""
    issue_id = f"{fresh.entry.entry_id}:default_password"

    async def reload() -> None:
        await fresh.restart()
        await fresh.live(MINUTE, POLL)

    def is_ignored() -> bool:
        found = fresh.issue("default_password")
        assert found
        assert found.active
        return found.dismissed_version is not None

    ir.async_ignore_issue(fresh.hass, DOMAIN, issue_id, ignore=True)
    await reload()
    assert is_ignored()
    fresh.service.fault("/api/users", "html", times=None)
    await reload()
    fresh.service.clear_faults()
    assert is_ignored()

    async def becomes(password: str) -> None:
        assert await fresh.hass.config_entries.async_unload(fresh.entry.entry_id)
        fresh.service.set_password(password)
        data = {**fresh.entry.data, "password_hash": hashed(password)}
        fresh.hass.config_entries.async_update_entry(fresh.entry, data=data)
        await fresh.set_up()
        await fresh.live(MINUTE, POLL)

    await becomes("a better one")
    assert fresh.issue("default_password") is None
    await becomes("admin")
    assert not is_ignored()
