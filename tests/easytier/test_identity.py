"""Tests that servers are identified by their nodes, not by address or email address."""

from collections.abc import AsyncIterator
from typing import Any, cast

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.tunnel_hub.const import DOMAIN
from simulator import Simulator
from simulator.easytier import EasyTierService

from ..common import World
from ..test_config_flow import begin, choose
from .common import BOTH, FIVE_MINUTES, TWO_MINUTES
from .test_config_flow import DEMO, fill

pytestmark = pytest.mark.platforms("switch")


@pytest.fixture
async def stranger(dialect: str) -> AsyncIterator[EasyTierService]:
    """Return another server, with the same email address and password and other nodes."""
    async with Simulator(services=("easytier",), seed=2) as running:
        service = running.get(EasyTierService)
        service.state.settings.dialect = "real" if dialect == "real" else "documented"
        for node in service.state.nodes.values():
            node.node_name = f"{node.node_name}2"
        yield service


def server_of(url: str) -> str:
    """Return the part of an entry's id that comes from an address."""
    return str(URL(url).authority)


async def sign_in(hass: HomeAssistant, url: str, way: str = "account") -> ConfigFlowResult:
    """Add an account at an address, or an entry without an account."""
    form = await begin(hass, f"easytier_{way}", "easytier")
    return await fill(hass, form, base_url=url, **(DEMO if way == "account" else {}))


async def again(
    hass: HomeAssistant, entry: ConfigEntry, url: str, source: str, **changes: Any
) -> ConfigFlowResult:
    """Sign in again at an address."""
    way = "account" if "email" in entry.data else "public"
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": source, "entry_id": entry.entry_id}, data=dict(entry.data)
    )
    form = await choose(hass, menu, f"easytier_{way}")
    fields = {**DEMO, **changes} if way == "account" else {}
    return await fill(hass, form, base_url=url, **fields)


async def added(world: World[EasyTierService], way: str) -> ConfigEntry:
    """Return the server's entry, after it was set up."""
    await world.hass.config_entries.async_remove(world.entry.entry_id)
    result = await sign_in(world.hass, world.service.url, way)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry: ConfigEntry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    return entry


WAYS = pytest.mark.parametrize("way", ["account", "public"])
SOURCES = pytest.mark.parametrize("source", ["reauth", "reconfigure"])


@BOTH
@WAYS
@SOURCES
async def test_a_server_that_moved(world: World[EasyTierService], way: str, source: str) -> None:
    """Entry, devices and entities stay. Its id changes, so the old address can be added."""
    hass = world.hass
    entry = await added(world, way)
    # World only uses what every entry has.
    moved = World(hass, world.freezer, world.service, cast("MockConfigEntry", entry))
    before = {entity.entity_id for entity in moved.registered()}

    result = await again(hass, entry, world.service.mirror_url, source)

    assert result["reason"] == f"{'reauth' if source == 'reauth' else 'reconfigure'}_successful"
    assert hass.config_entries.async_entries(DOMAIN) == [entry]
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["base_url"] == world.service.mirror_url
    assert entry.unique_id
    assert server_of(world.service.mirror_url) in entry.unique_id
    await moved.elapse(FIVE_MINUTES)
    assert {entity.entity_id for entity in moved.registered()} == before


@BOTH
@WAYS
async def test_a_server_at_a_second_address_is_not_added_again(
    world: World[EasyTierService], way: str
) -> None:
    await added(world, way)

    result = await sign_in(world.hass, world.service.mirror_url, way)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


@BOTH
@WAYS
async def test_two_servers(
    world: World[EasyTierService], stranger: EasyTierService, way: str
) -> None:
    """Each has an entry, and neither is taken for the other, with one email address or none."""
    entry = await added(world, way)

    result = await sign_in(world.hass, stranger.url, way)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    for source in ("reauth", "reconfigure"):
        result = await again(world.hass, entry, stranger.url, source)
        assert result["reason"] == "wrong_account"
    assert entry.data["base_url"] == world.service.url


async def test_with_and_without_an_account_at_one_server(world: World[EasyTierService]) -> None:
    """They are two entries, as one shows more than the other."""
    await added(world, "account")

    result = await sign_in(world.hass, world.service.mirror_url, "public")

    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_another_account_of_the_same_server(world: World[EasyTierService]) -> None:
    entry = await added(world, "account")

    result = await again(
        world.hass,
        entry,
        world.service.mirror_url,
        "reconfigure",
        email="other@example.com",
        password="other-password",
    )

    assert result["reason"] == "wrong_account"


async def test_a_move_to_the_address_of_another_entry(
    world: World[EasyTierService], stranger: EasyTierService
) -> None:
    """A server without nodes cannot be identified, but two entries are never merged."""
    hass = world.hass
    world.service.state.nodes.clear()
    stranger.state.nodes.clear()
    entry = await added(world, "account")
    other = (await sign_in(hass, stranger.url))["result"]

    result = await again(hass, entry, stranger.url, "reconfigure")

    assert result["reason"] == "already_configured"
    assert entry.unique_id != other.unique_id


@SOURCES
async def test_a_server_without_nodes_moves(world: World[EasyTierService], source: str) -> None:
    """It cannot be identified, so the move is accepted."""
    world.service.state.nodes.clear()
    entry = await added(world, "account")

    result = await again(world.hass, entry, world.service.mirror_url, source)

    assert str(result["reason"]).endswith("_successful")


async def test_the_stored_nodes_follow_the_server(
    world: World[EasyTierService],
) -> None:
    """Nodes are added, deleted, and get new report tokens."""
    entry = await added(world, "account")
    first = entry.data["known_by"]
    for node in world.service.state.nodes.values():
        node.report_token = f"new-{node.id}"
    await world.elapse(TWO_MINUTES)
    assert entry.data["known_by"] != first

    result = await sign_in(world.hass, world.service.mirror_url)

    assert result["reason"] == "already_configured"


async def test_an_older_entry_moves(world: World[EasyTierService]) -> None:
    """It has stored no nodes, and its old address does not answer."""
    await world.service.stop()
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.SETUP_RETRY
    await world.service.start()

    result = await again(world.hass, world.entry, world.service.mirror_url, "reconfigure")

    assert result["reason"] == "reconfigure_successful"
    assert world.entry.unique_id
    assert server_of(world.service.mirror_url) in world.entry.unique_id


async def test_an_administrator_is_identified_by_the_own_nodes(
    world: World[EasyTierService],
) -> None:
    """The config flow only sees these, regardless of the options."""
    world.service.account.is_admin = True
    entry = await added(world, "account")
    world.hass.config_entries.async_update_entry(entry, options={"all_nodes": True})
    await world.hass.config_entries.async_reload(entry.entry_id)
    await world.settle()
    assert len(entry.data["known_by"].split()) == 8

    result = await sign_in(world.hass, world.service.mirror_url)

    assert result["reason"] == "already_configured"


# One account that an older version added twice

TWICE = (DOMAIN, "entry-twin:account_twice")


def twin_of(world: World[EasyTierService], way: str, url: str) -> MockConfigEntry:
    """Store a second entry of an account, as an older version did for a second address."""
    hass = world.hass
    left_out = () if way == "account" else ("email", "password")
    data = {name: value for name, value in world.entry.data.items() if name not in left_out}
    hass.config_entries.async_update_entry(world.entry, data=data)
    twin = MockConfigEntry(
        domain=DOMAIN,
        entry_id="entry-twin",
        title="EasyTier twin",
        unique_id="easytier:twin",
        data={**data, "base_url": url},
    )
    twin.add_to_hass(hass)
    return twin


@BOTH
@WAYS
async def test_an_account_that_was_added_twice(world: World[EasyTierService], way: str) -> None:
    """Both entries work, with different ids, until the user acts on the repair issue."""
    hass, issues = world.hass, ir.async_get(world.hass)
    twin = twin_of(world, way, world.service.mirror_url)

    await world.set_up()
    await world.elapse(FIVE_MINUTES)

    assert {world.entry.state, twin.state} == {ConfigEntryState.LOADED}
    assert world.entry.unique_id != twin.unique_id
    first, second = (
        {
            entity.unique_id.partition(":")[2]
            for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        }
        for entry in (world.entry, twin)
    )
    assert first == second
    repair = issues.issues[TWICE]
    assert repair.translation_placeholders == {
        "account": "EasyTier twin",
        "others": "EasyTier demo",
    }
    assert [key for key in issues.issues if key[1].endswith("account_twice")] == [TWICE]

    await hass.config_entries.async_remove(world.entry.entry_id)
    assert TWICE not in issues.issues
    await hass.config_entries.async_reload(twin.entry_id)
    await world.elapse(FIVE_MINUTES)
    assert twin.state is ConfigEntryState.LOADED
    assert TWICE not in issues.issues


async def test_the_newer_of_two_entries_is_removed(world: World[EasyTierService]) -> None:
    twin = twin_of(world, "account", world.service.mirror_url)
    await world.set_up()
    await world.elapse(FIVE_MINUTES)
    assert TWICE in ir.async_get(world.hass).issues

    await world.hass.config_entries.async_remove(twin.entry_id)

    assert TWICE not in ir.async_get(world.hass).issues


@WAYS
async def test_two_servers_are_not_reported_as_one(
    world: World[EasyTierService], stranger: EasyTierService, way: str
) -> None:
    """Neither are an account and an entry without one, nor servers without nodes."""
    twin = twin_of(world, way, stranger.url)
    await world.set_up()
    await world.elapse(FIVE_MINUTES)
    assert {world.entry.state, twin.state} == {ConfigEntryState.LOADED}
    assert TWICE not in ir.async_get(world.hass).issues

    world.service.state.nodes.clear()
    stranger.state.nodes.clear()
    await world.elapse(FIVE_MINUTES)
    assert TWICE not in ir.async_get(world.hass).issues
