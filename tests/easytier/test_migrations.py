"""Tests the migration of entries of older versions, and the refusal of newer ones."""

from hashlib import sha256

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.tunnel_hub import async_migrate_entry
from custom_components.tunnel_hub.ids import id_prefix
from simulator.easytier import EasyTierService

from ..common import World
from .common import account_entry


def version_of(entry: ConfigEntry) -> tuple[int, int]:
    """Return the version and minor version of an entry."""
    return entry.version, entry.minor_version


WHOLE = {"network_name": "demo-network", "network_secret": "demo-network-secret"}


async def upgraded(world: World[EasyTierService], network: dict[str, str]) -> dict[str, str]:
    """Set up an entry of the first version, and return its network settings."""
    world.hass.config_entries.async_update_entry(
        world.entry, data={**world.entry.data, **network}, version=1, minor_version=1
    )
    before = dict(world.entry.data)

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.LOADED
    assert version_of(world.entry) == (2, 1)
    kept = {name: value for name, value in before.items() if name not in WHOLE}
    assert kept.items() <= world.entry.data.items(), "everything else is unchanged"
    return {name: world.entry.data[name] for name in WHOLE if name in world.entry.data}


@pytest.mark.parametrize("name", WHOLE)
async def test_an_incomplete_network_is_dropped(world: World[EasyTierService], name: str) -> None:
    assert await upgraded(world, {name: WHOLE[name]}) == {}


async def test_a_network_is_kept(world: World[EasyTierService]) -> None:
    assert await upgraded(world, WHOLE) == WHOLE


async def test_a_newer_minor_version(world: World[EasyTierService]) -> None:
    """It holds everything that this version needs."""
    data = {**world.entry.data, "unheard_of": "yes"}
    world.hass.config_entries.async_update_entry(
        world.entry, data=data, version=2, minor_version=99
    )

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.LOADED
    assert world.entry.minor_version == 99
    assert world.entry.data["unheard_of"] == "yes"


async def test_a_newer_major_version(world: World[EasyTierService]) -> None:
    world.hass.config_entries.async_update_entry(world.entry, version=3)
    before = dict(world.entry.data)

    await world.set_up()

    assert world.entry_state() is ConfigEntryState.MIGRATION_ERROR
    assert dict(world.entry.data) == before
    assert not world.service.calls
    assert not await async_migrate_entry(world.hass, world.entry), "refused here as well"
    assert version_of(world.entry) == (3, 1)


ACCOUNT = sha256(b"demo@example.com").hexdigest()[:16]


@pytest.mark.parametrize(
    "stored, base_url, today",
    [
        (f"et.example.com.:443:{ACCOUNT}", "https://et.example.com.", f":443:{ACCOUNT}"),
        (f"Et.example.com:8443:{ACCOUNT}", "https://Et.example.com:8443/", f":8443:{ACCOUNT}"),
        (f"?:{ACCOUNT}", "https://?", None),
    ],
)
@pytest.mark.parametrize("has_account", [True, False])
async def test_an_id_in_another_form(
    world: World[EasyTierService],
    stored: str,
    base_url: str,
    today: str | None,
    *,
    has_account: bool,
) -> None:
    """It is corrected, even if the server does not respond, if its address is valid."""
    entry, account = world.entry, "" if has_account else f":{ACCOUNT}"
    unique_id = f"easytier:{stored.removesuffix(account)}"
    kept = {name: value for name, value in entry.data.items() if has_account or name != "email"}
    world.hass.config_entries.async_update_entry(
        entry, data={**kept, "base_url": base_url}, unique_id=unique_id, version=1, minor_version=2
    )

    assert await async_migrate_entry(world.hass, entry)

    assert not world.service.calls
    assert version_of(entry) == (2, 1)
    right = unique_id if today is None else f"easytier:et.example.com{today.removesuffix(account)}"
    assert entry.unique_id == right


async def test_an_id_that_another_entry_has(world: World[EasyTierService]) -> None:
    """Two entries of one account, which an older version added, keep different ids."""
    hass = world.hass
    url = URL(world.service.url)
    first = account_entry(world.service)
    second = MockConfigEntry(
        domain="tunnel_hub",
        entry_id="entry-twin",
        title="EasyTier twin",
        unique_id=f"easytier:{url.authority}.:{ACCOUNT}",
        data={**first.data, "base_url": f"{world.service.url}/admin"},
    )
    second.add_to_hass(hass)
    await world.set_up()

    assert world.entry.unique_id == f"easytier:{url.authority}:{ACCOUNT}"
    assert second.unique_id == f"easytier:{url.authority}.:{ACCOUNT}"
    assert {world.entry.state, second.state} == {ConfigEntryState.LOADED}
    assert version_of(world.entry) == version_of(second) == (2, 1)
    assert id_prefix(world.entry) != id_prefix(second)
