"""Tests that changing the console's password while the node is polled requests no sign-in."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.components.repairs import DOMAIN as REPAIRS
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
import pytest

from custom_components.tunnel_hub.api.capabilities.account import CanUpdateAccount
from custom_components.tunnel_hub.api.models.account import AccountChanges
from custom_components.tunnel_hub.const import DOMAIN
from simulator.hy2scale import hashed

from ..clocks import fire_timers
from ..common import on_account
from .common import POLL, Hub
from .test_repairs import NEW, begin, fill

PASSWORD = "/api/settings/password"
BETTER = "a better one"


async def by_action(world: Hub) -> None:
    """Change the password with the action."""
    await on_account(world, "update_account", password=BETTER)


async def by_repair(world: Hub) -> None:
    """Change the password with the repair flow."""
    await fill(world, await begin(world), **NEW)


async def set_up(world: Hub) -> None:
    """Set up a node with the default password, which has a repair issue."""
    world.service.set_password("admin")
    world.hass.config_entries.async_update_entry(
        world.entry, data={**world.entry.data, "password_hash": hashed("admin")}
    )
    assert await async_setup_component(world.hass, REPAIRS, {})
    await world.set_up()


async def by_provider(world: Hub) -> None:
    """Change the password without waiting for running requests."""
    provider = world.entry.runtime_data.provider
    assert isinstance(provider, CanUpdateAccount)
    await provider.update_account(AccountChanges(password=BETTER))


def begin_poll(world: Hub) -> None:
    """Let the next poll begin."""
    world.freezer.tick(POLL)
    fire_timers(world.hass)


def logins(world: Hub, password: str, status: int) -> list[Any]:
    """Return the logins that were answered with a status."""
    sent = world.service.calls_to("/api/login", password=hashed(password))
    return [call for call in sent if call.status == status]


async def works(world: Hub) -> None:
    """Check that all requests work, now and at the next poll, without reauthentication."""
    await world.settle()
    for _ in range(2):
        assert world.entry_state() is ConfigEntryState.LOADED
        assert not list(world.entry.async_get_active_flows(world.hass, {SOURCE_REAUTH}))
        assert all(c.available for c in world.entry.runtime_data.coordinators.values())
        assert all(c.last_update_success for c in world.entry.runtime_data.coordinators.values())
        world.service.calls.clear()
        await world.elapse(POLL)
    assert {call.status for call in world.service.calls} == {200}


@pytest.mark.parametrize("change", [by_action, by_repair])
async def test_a_poll_before_the_new_password_is_stored(
    world: Hub, change: Callable[[Hub], Coroutine[Any, Any, None]]
) -> None:
    """The node has the new password and has ended all sessions. Home Assistant uses the old one."""
    await set_up(world)
    gate = world.service.gate(PASSWORD, "after")
    changing = asyncio.create_task(change(world))
    await gate.reached()

    begin_poll(world)
    await world.until(lambda: bool(logins(world, "admin", 401)))
    gate.open()
    await changing
    await world.settle()
    assert len(logins(world, "admin", 401)) == 1, "it is sent once"

    await works(world)
    assert world.entry.data["password_hash"] == hashed(BETTER)


async def test_a_login_during_the_change(world: Hub) -> None:
    """The old password was valid when it was sent, and is refused after the change."""
    await set_up(world)
    tokens = dict(world.service.state.tokens)
    world.service.state.tokens.clear()
    login = world.service.gate("/api/login", match={"password": hashed("admin")})
    begin_poll(world)
    await login.reached()
    world.service.state.tokens |= tokens
    await by_provider(world)

    login.open()

    await works(world)


async def test_a_token_that_the_change_revokes_before_its_first_use(world: Hub) -> None:
    """A poll has just logged in with the old password, which was still valid."""
    await set_up(world)
    world.service.state.tokens.clear()
    change = world.service.gate(PASSWORD)
    changing = asyncio.create_task(by_provider(world))
    await change.reached()
    read = world.service.gate("/api/topology")
    begin_poll(world)
    await read.reached()
    read.let_through()
    await read.reached()
    assert logins(world, "admin", 200)
    change.open()
    await changing

    read.open()

    await works(world)


async def test_the_answer_is_lost(world: Hub) -> None:
    """The node has the new password: the integration tries to log in with it."""
    await set_up(world)
    world.service.fault(PASSWORD, "lost")

    await by_action(world)

    await works(world)
    assert world.entry.data["password_hash"] == hashed(BETTER)


async def test_a_change_that_did_not_reach_the_node(world: Hub) -> None:
    """The old password still works and stays stored."""
    await set_up(world)
    world.service.fault(PASSWORD, "reset", times=2)

    with pytest.raises(HomeAssistantError, match="Cannot connect"):
        await by_action(world)

    await works(world)
    assert world.entry.data["password_hash"] == hashed("admin")


async def test_a_refused_current_password_starts_reauthentication(world: Hub) -> None:
    """It was changed at the node."""
    await set_up(world)
    world.service.set_password("of another user")

    await world.elapse(POLL)

    (flow,) = world.entry.async_get_active_flows(world.hass, {SOURCE_REAUTH})
    assert flow["handler"] == DOMAIN
    assert len(logins(world, "admin", 401)) == 1
