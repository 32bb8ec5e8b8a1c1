"""Entries that an older version stored, or a newer one."""

from homeassistant.config_entries import ConfigEntryState
import pytest

from custom_components.tunnel_hub import async_migrate_entry
from custom_components.tunnel_hub.config_flow import TunnelHubConfigFlow
from simulator.easytier import EasyTierService

from ..common import World

WHOLE = {"network_name": "demo-network", "network_secret": "demo-network-secret"}


async def upgraded(world: World[EasyTierService], network: dict[str, str]) -> dict[str, str]:
    """Set up an entry as the first version stored it; what it knows of the network afterwards."""
    world.hass.config_entries.async_update_entry(
        world.entry, data={**world.entry.data, **network}, minor_version=1
    )
    before = dict(world.entry.data)

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.LOADED
    assert world.entry.minor_version == TunnelHubConfigFlow.MINOR_VERSION == 2
    kept = {name: value for name, value in before.items() if name not in WHOLE}
    assert kept.items() <= world.entry.data.items(), "all else is as it was"
    return {name: world.entry.data[name] for name in WHOLE if name in world.entry.data}


@pytest.mark.parametrize("name", WHOLE)
async def test_half_a_network_is_dropped(world: World[EasyTierService], name: str) -> None:
    assert await upgraded(world, {name: WHOLE[name]}) == {}


async def test_a_network_is_kept(world: World[EasyTierService]) -> None:
    assert await upgraded(world, WHOLE) == WHOLE


async def test_a_little_newer(world: World[EasyTierService]) -> None:
    """It holds all that this version needs."""
    data = {**world.entry.data, "unheard_of": "yes"}
    world.hass.config_entries.async_update_entry(world.entry, data=data, minor_version=99)

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.LOADED
    assert world.entry.minor_version == 99
    assert world.entry.data["unheard_of"] == "yes"


async def test_much_newer(world: World[EasyTierService]) -> None:
    world.hass.config_entries.async_update_entry(world.entry, version=2)
    before = dict(world.entry.data)

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.MIGRATION_ERROR
    assert dict(world.entry.data) == before
    assert not world.service.calls
    assert not await async_migrate_entry(world.hass, world.entry), "whatever Home Assistant checks"
    assert (world.entry.version, world.entry.minor_version) == (2, 1)
