"""Tests changes of an account at the server while its config entry is set up."""

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
import pytest

from simulator.easytier import EasyTierService

from ..api.test_redaction import ENCODINGS
from ..common import HOUR, World, on
from .common import BOTH, TWO_MINUTES

pytestmark = pytest.mark.platforms("binary_sensor", "switch")


def reauthentications(world: World[EasyTierService]) -> int:
    """Return how many reauthentication flows are open."""
    return len(list(world.entry.async_get_active_flows(world.hass, {SOURCE_REAUTH})))


def shown(world: World[EasyTierService]) -> set[str]:
    """Return the ids of the nodes that have a device."""
    return {number for number in map(str, range(1, 12)) if world.device(f"relay_node:{number}")}


def delete_account(service: EasyTierService) -> None:
    """Delete the demo account and its nodes, as an administrator does."""
    email = service.account.email
    del service.state.accounts["1"]
    for number, node in list(service.state.nodes.items()):
        if node.user_email == email:
            del service.state.nodes[number]


@BOTH
async def test_a_deleted_account_starts_reauthentication_and_keeps_its_devices(
    world: World[EasyTierService],
) -> None:
    """Its session token is still valid, but returns empty lists."""
    await world.set_up()
    before = shown(world)
    assert len(before) == 8

    delete_account(world.service)
    for _ in range(4):
        await world.elapse(TWO_MINUTES)

    assert reauthentications(world) == 1
    assert shown(world) == before
    assert world.value("switch", "relay_node:1", "allow_relay") == "unavailable"


async def test_a_deleted_account_where_only_a_login_shows_it(
    world: World[EasyTierService],
) -> None:
    """One login is enough, also if the account exists but has no nodes."""
    world.service.state.settings.undocumented_endpoints = False
    await world.set_up()
    before = shown(world)

    delete_account(world.service)
    for _ in range(4):
        await world.elapse(TWO_MINUTES)

    assert reauthentications(world) == 1
    assert shown(world) == before


async def test_an_account_without_nodes_logs_in_once_more(world: World[EasyTierService]) -> None:
    """Only a login shows whether the account was deleted. The first login began the session."""
    world.service.state.settings.undocumented_endpoints = False
    for number, node in list(world.service.state.nodes.items()):
        if node.user_email == world.service.account.email:
            del world.service.state.nodes[number]
    await world.set_up()

    for _ in range(6):
        await world.elapse(TWO_MINUTES)

    assert reauthentications(world) == 0
    assert len([call for call in world.service.calls if call.path == "/api/auth/login"]) == 2


async def test_an_account_deleted_while_home_assistant_was_off(
    world: World[EasyTierService],
) -> None:
    """Setup fails and asks the user to sign in. The devices stay."""
    await world.set_up()
    before = shown(world)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    delete_account(world.service)

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.SETUP_ERROR
    assert reauthentications(world) == 1
    assert shown(world) == before


async def test_an_email_address_that_is_no_longer_verified(world: World[EasyTierService]) -> None:
    """A repair issue reports it. Everything else works, and no sign-in is requested."""
    await world.set_up()
    world.service.account.is_verified = False

    await world.elapse(HOUR)

    assert world.issue("mail_not_verified")
    assert reauthentications(world) == 0
    assert world.value("binary_sensor", "account:account", "administrator") == "off"
    assert world.value("switch", "relay_node:1", "allow_relay") == "on"
    world.service.calls.clear()
    await world.elapse(TWO_MINUTES)
    assert not world.service.calls_to("/api/auth/me"), "it is not requested at each poll"

    world.service.account.is_verified = True
    await world.elapse(HOUR)
    assert world.issue("mail_not_verified") is None


async def test_the_repair_issue_contains_no_secret(world: World[EasyTierService]) -> None:
    """It contains neither credentials nor the session token, and no link."""
    await world.set_up()
    for encode in ENCODINGS.values():
        secrets = [encode(secret) for secret in ("demo-password", world.entry.data["token"])]
        words = f"[未验证](https://evil.example) <b>{' '.join(secrets)}</b>"
        world.service.clear_faults()
        world.service.fault("/api/auth/me", "body", times=None, status=403, body={"error": words})

        await world.elapse(HOUR)

        issue = world.issue("mail_not_verified")
        assert issue
        assert issue.translation_placeholders
        message = issue.translation_placeholders["message"]
        assert "未验证" in message
        assert not [secret for secret in secrets if secret in message]
        assert not set("<>[]") & set(message)


async def test_a_new_administrator_sees_all_nodes(
    world: World[EasyTierService],
) -> None:
    """The option was set before, and the session token is older than the permission."""
    await world.set_up(all_nodes=True)
    assert len(shown(world)) == 8

    world.service.account.is_admin = True
    await world.elapse(HOUR)
    await world.elapse(TWO_MINUTES)
    assert len(shown(world)) == 11

    world.service.account.is_admin = False
    await world.elapse(HOUR)
    for _ in range(3):
        await world.elapse(TWO_MINUTES)
    assert len(shown(world)) == 8
    assert reauthentications(world) == 0


async def test_a_damaged_node_can_be_repaired_after_a_restart(
    world: World[EasyTierService],
) -> None:
    """The server lists no node of the account while one of them is damaged."""
    await world.set_up()
    before = shown(world)
    world.service.state.nodes["1"].is_damaged = True
    await world.restart()
    assert world.entry_state() is ConfigEntryState.LOADED
    assert shown(world) == before

    await on(world, "relay_node:1", "update_node", connections="tcp://192.0.2.7:11010")

    assert not world.service.state.nodes["1"].is_damaged
    assert shown(world) == before
    assert world.value("switch", "relay_node:1", "allow_relay") in {"on", "off"}


async def test_a_new_administrator_whose_sign_in_fails_at_first(
    world: World[EasyTierService],
) -> None:
    """The session token is requested again until a request succeeds."""
    await world.set_up(all_nodes=True)
    world.service.account.is_admin = True
    world.service.fault("/api/auth/login", "error", times=2)

    await world.elapse(HOUR)
    await world.elapse(TWO_MINUTES)
    assert world.service.calls_to("/api/auth/login")
    assert len(shown(world)) == 8

    world.service.clear_faults()
    await world.elapse(HOUR)
    await world.elapse(TWO_MINUTES)
    assert len(shown(world)) == 11
