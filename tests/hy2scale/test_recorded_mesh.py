"""Tests a recorded mesh, second by second: each node keeps one device when it is renamed."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from simulator.hy2scale import hashed

from ..clocks import fire_timers
from .common import POLL
from .recorded import RecordedNode

EXPECTED = {"account", "tunnel", "eee", "sea", "gone"}


@dataclass
class User:
    """A user who names each device and entity as soon as it appears.

    removed: what was removed from the registries. named: the names, by registry id.
    """

    hass: HomeAssistant
    freezer: FrozenDateTimeFactory
    node: RecordedNode
    entry: MockConfigEntry
    removed: list[str] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    after_each_second: Callable[[], None] = lambda: None

    def listen(self) -> None:
        """Record what is removed."""

        def _note(event: Event[Any]) -> None:
            if event.data["action"] == "remove":
                self.removed.append(repr(event.data))

        for kind in (dr.EVENT_DEVICE_REGISTRY_UPDATED, er.EVENT_ENTITY_REGISTRY_UPDATED):
            self.hass.bus.async_listen(kind, _note)

    def devices(self) -> Sequence[dr.AnyDeviceEntry]:
        """Return the devices of the node and its mesh."""
        return dr.async_entries_for_config_entry(dr.async_get(self.hass), self.entry.entry_id)

    def name_all(self) -> None:
        """Give new devices and entities a name and an area."""
        area = ar.async_get(self.hass).async_get_or_create("Attic")
        for device in self.devices():
            if device.id not in self.named:
                self.named[device.id] = f"My {device.name}"
                dr.async_get(self.hass).async_update_device(
                    device.id, name_by_user=self.named[device.id], area_id=area.id
                )
        registry = er.async_get(self.hass)
        for entity in er.async_entries_for_config_entry(registry, self.entry.entry_id):
            if entity.id not in self.named:
                self.named[entity.id] = f"My {entity.unique_id}"
                registry.async_update_entity(entity.entity_id, name=self.named[entity.id])

    def state_of(self, device: dr.AnyDeviceEntry, key: str) -> str:
        """Return an entity's state by its device and field."""
        (entity,) = (
            entity
            for entity in er.async_entries_for_device(er.async_get(self.hass), device.id)
            if entity.unique_id.endswith(f":{key}")
        )
        state = self.hass.states.get(entity.entity_id)
        assert state
        return state.state

    async def see_all(self, *, interval: int, restart_each: int | None = None) -> None:
        """Replay the recording. interval: seconds here for each recorded one."""
        self.listen()
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()
        while self.node.second < self.node.last:
            self.node.second += 1
            self.freezer.tick(interval)
            fire_timers(self.hass)
            await self.settle()
            self.after_each_second()
            if restart_each and self.node.second % restart_each == 0:
                await self.restart()

    async def settle(self) -> None:
        """Wait until all tasks have ended, then name the new devices."""
        await self.hass.async_block_till_done(wait_background_tasks=True)
        self.name_all()

    async def restart(self) -> None:
        """Unload the entry and set it up again."""
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.settle()


@pytest.fixture
async def user(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> AsyncIterator[User]:
    """Return a user with a recorded node, not yet set up."""
    async with RecordedNode() as node:
        entry = MockConfigEntry(
            domain=DOMAIN,
            entry_id="entry-hub",
            title="HY2 SCALE home",
            unique_id="hy2scale:home",
            data={
                "provider": "hy2scale",
                "host": "127.0.0.1",
                "port": str(node.port),
                "base_path": "scale",
                "https": "false",
                "verify": "true",
                "username": "admin",
                "password_hash": hashed("admin"),
            },
        )
        entry.add_to_hass(hass)
        yield User(hass, freezer, node, entry)


def _who(device: dr.AnyDeviceEntry) -> str:
    """Return the node that a device represents."""
    ((_, identifier),) = device.identifiers
    _, kind, id_ = identifier.split(":", 2)
    return kind if kind in ("account", "tunnel") else id_.rpartition("/")[2]


def assert_same_as_ever(user: User) -> None:
    """Check that each node has one device with its original name, and that nothing was lost."""
    assert user.removed == []
    devices = user.devices()
    assert sorted(map(_who, devices)) == sorted(EXPECTED)
    assert {device.id: device.name_by_user for device in devices}.items() <= user.named.items()
    assert {device.area_id for device in devices} == {"attic"}
    entities = er.async_entries_for_config_entry(er.async_get(user.hass), user.entry.entry_id)
    assert {device.id for device in devices} == {entity.device_id for entity in entities}
    assert {entity.id: entity.name for entity in entities}.items() <= user.named.items()
    assert len(user.named) == len(devices) + len(entities)


@pytest.mark.parametrize("first", [0, 3, 7])
async def test_polled_as_usual(user: User, first: int) -> None:
    """Changes happen at any time between two polls."""
    user.node.second = first

    await user.see_all(interval=1)
    user.freezer.tick(POLL)
    fire_timers(user.hass)
    await user.settle()

    assert_same_as_ever(user)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Test without restarts and with some; in the long form, with one after each answer."""
    if "restart_each" in metafunc.fixturenames:
        always = [1] if metafunc.config.getoption("extended") else []
        metafunc.parametrize("restart_each", [None, 7, *always])


async def test_every_recorded_answer(user: User, restart_each: int | None) -> None:
    """Polls are as frequent as the recording, with restarts of Home Assistant as well."""
    await user.see_all(interval=POLL, restart_each=restart_each)

    assert_same_as_ever(user)
    (link,) = (device for device in user.devices() if _who(device) == "tunnel")
    assert (link.name, link.name_by_user) == ("bee-2", "My My Seaside")
    (nested,) = (device for device in user.devices() if _who(device) == "sea")
    assert (nested.name, nested.name_by_user) == ("bee-2/sea", "My bee/sea")


async def test_connected(user: User) -> None:
    """It is off while a node is offline, also if the service does not list the node."""
    states: dict[str, list[str]] = {"eee": [], "sea": [], "gone": []}

    def _note() -> None:
        for device in user.devices():
            if (who := _who(device)) in states:
                now = user.state_of(device, "connected")
                if states[who][-1:] != [now]:
                    states[who].append(now)

    user.after_each_second = _note
    await user.see_all(interval=POLL)

    # The node is listed as long as its parent, and missing while bee changes its name.
    assert states == {
        "eee": ["on", "off"],
        "sea": ["on", "off", "on", "off", "on"],
        "gone": ["off"],
    }
