"""Tests setup, unload, disabling, removal, migration and a second account."""

import asyncio
from dataclasses import replace
from typing import Any

from aiohttp.abc import ResolveResult
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import CoreState
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.migrations import MINOR_VERSION, VERSION
from simulator import Simulator

from ..clocks import fire_timers
from ..common import HOUR, MINUTE, as_older, user_settings
from .conftest import entry_for
from .faulty_world import FaultyWorld, belongs_to_simulator
from .names import Names
from .output_check import OutputCheck
from .providers import AnyService, Case


def shown(world: FaultyWorld) -> dict[str, str]:
    """Returns the state of each enabled entity of the entry."""
    return {
        entity.entity_id: state.state
        for entity in world.registered()
        if (state := world.hass.states.get(entity.entity_id)) is not None
    }


def names(world: FaultyWorld) -> dict[str, str]:
    """Returns the entity ids by unique id."""
    return {entity.unique_id: entity.entity_id for entity in world.registered()}


async def sends_nothing(world: FaultyWorld) -> bool:
    """Returns whether no requests are sent for some hours."""
    world.service.calls.clear()
    for _ in range(3):
        await world.advance_time(HOUR)
    return not world.service.calls


@pytest.fixture
def simulated() -> dict[str, Any]:
    """Uses as few resources as all actions need."""
    return {"tunnels": 4, "nodes": 2}


async def test_unload_and_reload(world: FaultyWorld, output_check: OutputCheck) -> None:
    await world.set_up()
    steady, before, devices = world.steady(), names(world), world.device_identifiers()

    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    assert await sends_nothing(world)
    assert set(shown(world).values()) <= {"unavailable"}

    await world.set_up()
    assert await world.hass.config_entries.async_reload(world.entry.entry_id)
    await world.settle()
    assert (world.steady(), names(world), world.device_identifiers()) == (steady, before, devices)
    output_check.check()


async def test_disabled_and_enabled_again(world: FaultyWorld, output_check: OutputCheck) -> None:
    await world.set_up()
    steady, before, devices = world.steady(), names(world), world.device_identifiers()
    switch = world.hass.config_entries.async_set_disabled_by

    await switch(world.entry.entry_id, ConfigEntryDisabler.USER)
    await world.settle()
    assert world.entry_state() is ConfigEntryState.NOT_LOADED
    assert set(shown(world).values()) <= {"unavailable"}
    assert await sends_nothing(world)

    await switch(world.entry.entry_id, None)
    await world.settle()
    assert world.entry_state() is ConfigEntryState.LOADED
    assert (world.steady(), names(world), world.device_identifiers()) == (steady, before, devices)
    output_check.check()


async def test_removal_leaves_nothing(
    world: FaultyWorld, output_check: OutputCheck, hass_storage: dict[str, Any]
) -> None:
    await world.set_up()

    await world.hass.config_entries.async_remove(world.entry.entry_id)
    await world.settle()

    assert await sends_nothing(world)
    assert not world.registered()
    assert not world.device_identifiers()
    assert not [issue for domain, issue in ir.async_get(world.hass).issues if domain == DOMAIN]
    assert f"{DOMAIN}.{world.entry.entry_id}" not in hass_storage
    output_check.check()


def customize(world: FaultyWorld) -> tuple[str, str]:
    """Changes entities and devices as a user does; returns an entity's unique id and entity id."""
    entities, devices = er.async_get(world.hass), dr.async_get(world.hass)
    first, second, third, *_ = world.registered()
    mine = f"{first.domain}.mine"
    entities.async_update_entity(
        first.entity_id, new_entity_id=mine, name="Mine", labels={"home"}, area_id="attic"
    )
    entities.async_update_entity(second.entity_id, disabled_by=er.RegistryEntryDisabler.USER)
    entities.async_update_entity(third.entity_id, hidden_by=er.RegistryEntryHider.USER)
    for device in dr.async_entries_for_config_entry(devices, world.entry.entry_id):
        devices.async_update_device(device.id, name_by_user="My device", area_id="attic")
    return first.unique_id, mine


async def test_an_entry_of_the_first_version(world: FaultyWorld, output_check: OutputCheck) -> None:
    """Tests the migration: no reauthentication, and the user's changes are kept."""
    await world.set_up()
    first, mine = customize(world)
    await world.settle()
    before, data = user_settings(world.hass, world.entry), dict(world.entry.data)
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    as_older(world, version=(1, 1))
    assert user_settings(world.hass, world.entry) != before

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.LOADED
    assert (world.entry.version, world.entry.minor_version) == (VERSION, MINOR_VERSION)
    assert world.entry.data == data
    assert user_settings(world.hass, world.entry) == before
    assert names(world)[first] == mine
    assert not world.reauthentications()
    output_check.check()


async def test_removed_and_added_again(world: FaultyWorld, output_check: OutputCheck) -> None:
    """Tests that registries restore the user's changes for a new entry."""
    await world.set_up()
    customize(world)
    await world.settle()
    before = user_settings(world.hass, world.entry)
    await world.hass.config_entries.async_remove(world.entry.entry_id)
    await world.settle()
    assert not world.registered()
    assert not world.device_identifiers()

    way, fields = next(iter(world.case.ways.items()))
    result = await world.enter(await world.start_sign_in(way), fields(world.service))
    if result["type"] is FlowResultType.SHOW_PROGRESS:
        # With a browser; its own tests simulate the user.
        world.abort_flows()
        entry_for(world.case, world.service).add_to_hass(world.hass)
        await world.set_up()
    await world.settle()

    (added,) = world.hass.config_entries.async_entries(DOMAIN)
    assert added is not world.entry
    assert user_settings(world.hass, added) == before
    assert not world.case.secrets(world.service) & {*added.data["id_prefix"].split(".")}
    output_check.check()


async def test_stop_during_a_poll(world: FaultyWorld, output_check: OutputCheck) -> None:
    """Tests that Home Assistant's stop cancels polls."""
    await world.set_up()
    world.service.calls.clear()
    world.service.fault("*", "hang", times=None)
    before = asyncio.all_tasks()
    world.freezer.tick(world.case.interval)
    fire_timers(world.hass)
    await world.until(lambda: bool(world.service.calls))
    polls = {task for task in asyncio.all_tasks() - before if not belongs_to_simulator(task)}

    await replace(world, slow=True).run_to_end(world.hass.async_stop(force=True))

    assert world.hass.state is CoreState.stopped
    assert polls
    assert all(task.done() for task in polls)
    output_check.check()


async def test_unloaded_while_a_command_connects(
    world: FaultyWorld, output_check: OutputCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests that the request is completed and no other follows."""
    await world.set_up()
    await world.service.stop()
    await world.service.start()
    # Until then the resolved address is cached.
    world.freezer.tick(MINUTE)
    asked, found = asyncio.Event(), asyncio.Event()
    resolve = Names.resolve

    async def _resolve(self: Names, *args: Any, **options: Any) -> list[ResolveResult]:
        asked.set()
        await found.wait()
        return await resolve(self, *args, **options)

    monkeypatch.setattr(Names, "resolve", _resolve)
    command = asyncio.create_task(world.run_action(world.case.user_actions[0]))
    await asked.wait()
    world.service.calls.clear()

    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    found.set()
    await command

    assert len(world.service.calls) == 1
    output_check.check()


async def test_the_same_account_twice(world: FaultyWorld, output_check: OutputCheck) -> None:
    for way, fields in world.case.ways.items():
        form = await world.start_sign_in(way)
        result = await world.enter(form, fields(world.service))
        if result["type"] is FlowResultType.SHOW_PROGRESS:
            # With a browser; its own tests simulate the user.
            world.abort_flows()
            continue

        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert world.hass.config_entries.async_entries(DOMAIN) == [world.entry]
    output_check.check()


async def test_two_accounts(world: FaultyWorld, case: Case, output_check: OutputCheck) -> None:
    """Tests that one account works after the other one is removed."""
    async with Simulator(services=(case.service,)) as elsewhere:
        service = world.service
        if case.other is None:
            service = elsewhere.services[case.service]
            case.elsewhere(service)
        entry = second_entry(case, service)
        entry.add_to_hass(world.hass)
        await world.set_up()
        other = FaultyWorld(world.hass, world.freezer, service, entry, case)
        assert other.entry_state() is ConfigEntryState.LOADED
        before = names(other)
        assert before
        assert not before.items() & names(world).items()

        await world.hass.config_entries.async_remove(world.entry.entry_id)
        await other.poll(3)

        assert other.entry_state() is ConfigEntryState.LOADED
        assert names(other) == before
        assert set(shown(other).values()) - {"unavailable", "unknown"}
        assert not other.reauthentications()
    output_check.check()


def second_entry(case: Case, service: AnyService) -> MockConfigEntry:
    """Returns an entry of another account, or of the only one at another service."""
    credentials, account = case.credentials(service), case.account(service)
    if case.other is not None:
        credentials, account = case.other(service)
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id="entry-other",
        unique_id=f"{case.service}:{account}",
        version=VERSION,
        minor_version=MINOR_VERSION,
        data={"provider": case.service, **credentials},
    )
