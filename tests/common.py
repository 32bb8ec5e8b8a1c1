"""Shared by the tests that run Home Assistant."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.websocket_api.const import (
    DATA_CONNECTIONS,
    SIGNAL_WEBSOCKET_CONNECTED,
)
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.checks.addresses import LookupFailedError, SocketAddress, resolve
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import id_prefix
from simulator.hayfrp import HayFrpService
from simulator.hayfrp.state import Account
from simulator.service import Service

from .clocks import fire_timers

ENTITY_REGISTRY = "homeassistant.helpers.entity_registry"
"""The logger that writes a line for each new entity."""

NOON = datetime(2026, 10, 20, 4, tzinfo=UTC)
"""Noon in Shanghai. The services' days begin at midnight there."""

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

SMALL = pytest.mark.parametrize("simulator", [{"tunnels": 2, "nodes": 2}], indirect=True)
"""A small service, for tests that use few resources."""


def account_entry(
    service: HayFrpService, account: Account, entry_id: str | None = None
) -> MockConfigEntry:
    """Return the entry of an account with a password, without a session token."""
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=entry_id or f"entry-{account.username}",
        title=f"HayFrp {account.username}",
        unique_id=f"hayfrp:{account.uuid}",
        data={
            "provider": "hayfrp",
            "base_url": service.url,
            "username": account.username,
            "password": account.password,
        },
    )


def connect_browsers(hass: HomeAssistant, *, browsers: int = 1) -> None:
    """Simulate a number of connected browsers."""
    hass.data[DATA_CONNECTIONS] = browsers
    async_dispatcher_send(hass, SIGNAL_WEBSOCKET_CONNECTED)


async def look_up(host: str, port: int) -> Sequence[SocketAddress]:
    """Resolve only names of loopback."""
    if host not in ("127.0.0.1", "localhost"):
        raise LookupFailedError
    return await resolve(host, port)


@dataclass(frozen=True, slots=True)
class World[S: Service[Any] = HayFrpService, E: ConfigEntry = MockConfigEntry]:
    """Home Assistant with frozen time, a simulated service, and the entry of an account there."""

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    service: S
    entry: E

    async def set_up(self, **options: object) -> None:
        """Set up the entry, and wait until everything was read."""
        if options:
            self.hass.config_entries.async_update_entry(self.entry, options=options)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()

    async def set_up_enabled(self, **options: object) -> None:
        """Set up the entry with all entities enabled."""
        with patch.object(Entity, "entity_registry_enabled_default", new=True):
            await self.set_up(**options)

    async def restart(self, **options: object) -> None:
        """Unload the entry and set it up again, as a restart does."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.set_up(**options)

    def entry_state(self) -> ConfigEntryState:
        """Return the state of the entry."""
        return self.entry.state

    async def settle(self) -> None:
        """Wait until all tasks have ended."""
        await self.hass.async_block_till_done(wait_background_tasks=True)

    async def elapse(self, seconds: float) -> None:
        """Let time pass in one step."""
        self.freezer.tick(seconds)
        fire_timers(self.hass)
        await self.settle()

    async def live(self, seconds: float, step: float = MINUTE) -> None:
        """Let time pass in several steps, so that everything happens in the right order."""
        for _ in range(int(seconds // step)):
            await self.elapse(step)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Run the event loop without letting time pass until a condition is true."""
        for _ in range(100_000):
            if condition():
                return
            await asyncio.sleep(0)
        # A request without an answer would wait forever, because time is frozen.
        await self.give_up()
        raise AssertionError("it never happened")

    async def give_up(self) -> None:
        """Let all running requests time out."""
        self.service.clear_faults()
        await self.elapse(HOUR)

    async def contest(self, username: str = "demo") -> None:
        """Let another program end the account's sessions, twice within minutes."""
        for _ in range(2):
            self.service.state.accounts[username].csrf = "of-another-program"
            await self.elapse(MINUTE)

    def issue(self, key: str) -> ir.IssueEntry | None:
        """Return a repair issue of the entry."""
        return ir.async_get(self.hass).async_get_issue(DOMAIN, f"{self.entry.entry_id}:{key}")

    # Entities and devices by resource and field, independent of their names

    def entity_id(self, platform: str, thing: str, key: str) -> str:
        """Return the entity id of a field. thing: such as "tunnel:1"."""
        entity_id = er.async_get(self.hass).async_get_entity_id(
            platform, DOMAIN, f"{id_prefix(self.entry)}:{thing}:{key}"
        )
        assert entity_id, f"no {platform} {key} of {thing}"
        return entity_id

    def state(self, platform: str, thing: str, key: str) -> State:
        """Return an entity's state."""
        state = self.hass.states.get(self.entity_id(platform, thing, key))
        assert state, f"{platform} {key} of {thing} has no state"
        return state

    def value(self, platform: str, thing: str, key: str) -> str:
        """Return the state of an entity as text."""
        return self.state(platform, thing, key).state

    def device(self, thing: str) -> dr.DeviceEntry | None:
        """Return the device of a resource."""
        return dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, f"{id_prefix(self.entry)}:{thing}"), self.entry.entry_id
        )

    def device_id(self, thing: str) -> str:
        """Return the id of a resource's device, which must exist."""
        device = self.device(thing)
        assert device, f"no device of {thing}"
        return device.id

    def registered(self, thing: str = "") -> list[er.RegistryEntry]:
        """Return the registered entities of the entry, or of a resource."""
        return [
            entity
            for entity in er.async_entries_for_config_entry(
                er.async_get(self.hass), self.entry.entry_id
            )
            if entity.unique_id.startswith(f"{id_prefix(self.entry)}:{thing}")
        ]

    def disable(self, *things: str) -> None:
        """Disable the entities of resources; this takes effect with a restart."""
        for entity in (entity for thing in things for entity in self.registered(thing)):
            er.async_get(self.hass).async_update_entity(
                entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER
            )

    async def enable_all(self) -> None:
        """Enable all entities."""
        for entity in self.registered():
            er.async_get(self.hass).async_update_entity(entity.entity_id, disabled_by=None)
        await self.restart()

    async def act(self, platform: str, action: str, thing: str, key: str) -> None:
        """Call an entity's action, and wait for its effects."""
        await self.hass.services.async_call(
            platform,
            action,
            {ATTR_ENTITY_ID: self.entity_id(platform, thing, key)},
            blocking=True,
        )
        await self.settle()

    async def call(self, action: str, **data: Any) -> Any:
        """Call an action of the integration and return its response."""
        has_response = self.hass.services.supports_response(DOMAIN, action) != "none"
        response = await self.hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=has_response
        )
        await self.settle()
        return response


# An older version


OWN_ID = (1, 4)
"""The last version and minor version whose identifiers began with the entry's id."""


def as_older(world: World[Any], *stores: str, version: tuple[int, int] = OWN_ID) -> None:
    """Convert an unloaded entry, and its identifiers in the registries, to an older version.

    stores: only these are changed, of those that Home Assistant writes one after another.
    """
    entities, devices = er.async_get(world.hass), dr.async_get(world.hass)
    own, prefix, kept = world.entry.entry_id, id_prefix(world.entry), stores or STORES

    def _older(id_: str) -> str:
        assert id_.startswith(f"{prefix}:")
        return f"{own}{id_.removeprefix(prefix)}"

    if "entities" in kept:
        for entity in er.async_entries_for_config_entry(entities, own):
            entities.async_update_entity(entity.entity_id, new_unique_id=_older(entity.unique_id))
    if "devices" in kept:
        for device in dr.async_entries_for_config_entry(devices, own):
            ((domain, id_),) = device.identifiers
            devices.async_update_device(device.id, new_identifiers={(domain, _older(id_))})
    if "entry" in kept:
        world.hass.config_entries.async_update_entry(
            world.entry,
            data={name: value for name, value in world.entry.data.items() if name != "id_prefix"},
            version=version[0],
            minor_version=version[1],
        )


STORES = ("entry", "entities", "devices")


def user_settings(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, object]:
    """Return what users can change of each entity and device, by its id in the registry."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {
        entity.id: (
            entity.unique_id,
            entity.entity_id,
            entity.name,
            entity.area_id,
            entity.labels,
            entity.disabled_by,
            entity.hidden_by,
            entity.device_id,
        )
        for entity in entities
    } | {device.id: (device.identifiers, device.name_by_user, device.area_id) for device in devices}


# Actions of the integration


async def on_account(world: World[Any], action: str, **data: Any) -> Any:
    """Call an action for the account."""
    return await world.call(action, config_entry_id=world.entry.entry_id, **data)


async def on(world: World[Any], thing: str, action: str, **data: Any) -> Any:
    """Call an action for the device of a resource."""
    return await world.call(action, device_id=world.device_id(thing), **data)


async def refused(
    world: World[Any], thing: str | None, action: str, **data: Any
) -> HomeAssistantError:
    """Call an action that fails, and return the error."""
    with pytest.raises(HomeAssistantError) as info:
        await (on(world, thing, action, **data) if thing else on_account(world, action, **data))
    return info.value
