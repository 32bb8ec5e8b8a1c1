"""What exists: what is part of another thing's device, and what a version lacks."""

from collections.abc import Sequence
from datetime import timedelta
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.tunnel_hub import PLATFORMS, async_remove_config_entry_device
from custom_components.tunnel_hub.storage import async_remove_files
from simulator.hy2scale.state import Client

from ..common import HOUR, MINUTE
from ..names import NAMES, check
from .common import OLD, POLL, Hub


async def test_a_link_that_goes_and_returns(world: Hub, caplog: pytest.LogCaptureFixture) -> None:
    """Its entities go and return, as they were; the tunnel's device and entities stay."""
    await world.set_up()
    er.async_get(world.hass).async_update_entity(
        world.entity_id("switch", "link:us", "nested"), name="Whole mesh"
    )
    tunnel = world.device("tunnel:us")
    assert tunnel

    world.service.fault("/api/topology", "body", times=None, body=[])
    await world.live(2 * POLL, POLL)
    assert not world.registered("link:us:")
    assert world.value("switch", "tunnel:us", "enabled") == "on"

    world.service.clear_faults()
    await world.live(2 * POLL, POLL)

    assert world.value("switch", "link:us", "nested") == "on"
    assert world.state("switch", "link:us", "nested").name.endswith("Whole mesh")
    assert world.device("tunnel:us") == tunnel
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


# What a version lacks

PEER = "peer:us/us-r1"


def entity_ids(world: Hub, things: str) -> set[str]:
    """Return the entities of things, such as "link:"."""
    return {entity.entity_id for entity in world.registered(things)}


def told(world: Hub, *things: str) -> set[str]:
    """Return which of these entities there are, such as "peer:office:connected"."""
    return {thing for thing in things if world.registered(thing)}


@OLD
async def test_missing_features_are_known_with_the_first_answer(world: Hub) -> None:
    """Also when that comes late: nothing is made that would be unknown forever."""
    world.service.fault("/api/topology", "html", times=None)
    await world.set_up()
    assert world.entry_state() is ConfigEntryState.LOADED
    assert not world.registered("peer:")

    world.service.clear_faults()
    await world.live(3 * POLL, POLL)

    assert world.value("switch", PEER, "nested") == "on"
    keys = {entity.unique_id.rpartition(":")[2] for entity in world.registered("peer:")}
    assert not keys & {"connected", "enabled"}


@pytest.mark.parametrize("with_restart", [False, True])
async def test_versions_up_and_down(world: Hub, with_restart: bool) -> None:
    """A node's entities are those of its version, and keep what people gave them."""
    lacking = ("hub:account:rate_in", f"{PEER}:connected", f"{PEER}:enabled", "user:")

    async def becomes(generation: str) -> None:
        world.service.state.settings.generation = generation
        if with_restart:
            await world.restart()
        await world.live(3 * POLL, POLL)

    await world.set_up()
    assert told(world, *lacking) == set(lacking)
    er.async_get(world.hass).async_update_entity(
        world.entity_id("switch", PEER, "enabled"), name="Use it"
    )

    await becomes("documented")
    assert told(world, *lacking) == {"user:"}
    assert world.value("switch", PEER, "nested") == "on"

    await becomes("1.3")
    assert told(world, *lacking) == set(lacking)
    assert world.value("binary_sensor", PEER, "connected") == "on"
    assert world.state("switch", PEER, "enabled").name.endswith("Use it")


async def test_what_a_thing_has_changes_with_the_version(world: Hub) -> None:
    """The Shadowsocks server has an exit of its own in some versions."""
    exit_of_it = "proxy:ss:exit_path"
    await world.set_up()

    for generation, has_exit in (("documented", True), ("1.3", False)):
        assert bool(told(world, exit_of_it)) is not has_exit
        world.service.state.settings.generation = generation
        world.service.reboot()
        await world.live(2 * MINUTE, MINUTE)
        assert bool(told(world, exit_of_it)) is has_exit


async def test_a_slip_takes_no_field(world: Hub) -> None:
    """One answer without a field is none: its entities stay as they are."""
    await world.set_up()
    entities = entity_ids(world, "hub:account:rate_in")

    world.service.state.settings.generation = "documented"
    await world.elapse(POLL)
    world.service.state.settings.generation = "1.3"
    await world.live(2 * POLL, POLL)

    assert entities
    assert entity_ids(world, "hub:account:rate_in") == entities


# What is part of another thing's device


def shows(world: Hub, *names: str) -> None:
    """Let the topology show only these connections."""
    world.service.clear_faults()
    rows = [{"name": name, "direction": "outbound", "connected": True} for name in names]
    world.service.fault("/api/topology", "body", times=None, body=rows)


@pytest.mark.parametrize("while_unloaded", [False, True])
async def test_a_part_that_goes(world: Hub, while_unloaded: bool) -> None:
    """Its entities go, as well while Home Assistant is down; the rest of the device stays."""
    await world.set_up()
    parts = ("link:us:", world.sessions("alice"), "wireguard:", "vpn:")
    assert told(world, *parts) == set(parts)
    if while_unloaded:
        assert await world.hass.config_entries.async_unload(world.entry.entry_id)

    shows(world)
    world.service.state.settings.missing_routes = [
        "/api/sessions",
        "/api/wireguard",
        "/api/l2tp",
        "/api/ikev2",
    ]
    if while_unloaded:
        await world.set_up()
    else:
        # What has answered before cannot be missing until the next sign-in.
        await world.restart()
    await world.live(HOUR + 5 * MINUTE, 5 * MINUTE)

    assert not told(world, *parts)
    assert world.value("switch", "tunnel:us", "enabled") == "on"
    assert world.value("switch", world.person("alice"), "enabled") == "on"
    assert "unavailable" not in {state.state for state in world.hass.states.async_all()}


async def test_a_thing_goes_with_all_its_parts(world: Hub) -> None:
    """Whatever the feeds of its parts knew last; it returns with all of them."""
    await world.set_up()
    entities = entity_ids(world, "link:us:")
    client = world.service.state.clients["us"]

    del world.service.state.clients["us"]
    world.service.fault("/api/topology", "html", times=None)
    await world.live(3 * POLL, POLL)
    assert entities
    assert not world.device("tunnel:us")
    assert not told(world, "link:us:", "tunnel:us:")

    world.service.state.clients["us"] = client
    world.service.clear_faults()
    await world.live(3 * POLL, POLL)
    assert world.value("switch", "link:us", "nested") == "on"
    assert entity_ids(world, "link:us:") == entities


async def test_a_part_of_nothing(world: Hub) -> None:
    """What tells something about a thing that the node does not list makes no device."""
    await world.set_up()

    shows(world, "us", "nobody")
    await world.live(3 * POLL, POLL)

    assert world.device("tunnel:us")
    assert not world.device("tunnel:nobody")
    assert not told(world, "link:nobody:")


async def test_an_id_that_begins_like_another(world: Hub) -> None:
    """Only what belongs to it goes with it: an id may hold a colon."""
    names = ("host", "host:443", "host:nested")
    for name in names:
        world.service.state.clients[name] = Client(name=name, addr="192.0.2.1:443")
    shows(world, *names)
    await world.set_up()
    all_links = entity_ids(world, "link:")
    of_others = entity_ids(world, "link:host:443:") | entity_ids(world, "link:host:nested:")
    assert of_others < all_links

    shows(world, *names[1:])
    await world.live(3 * POLL, POLL)

    assert entity_ids(world, "link:") == of_others
    assert world.value("switch", "tunnel:host", "enabled") == "on"
    for name in names[1:]:
        assert world.value("switch", f"link:{name}", "nested") != "unavailable"


async def test_a_new_version_of_the_node(world: Hub) -> None:
    """Its device says so; it is called as its entry is, whatever the node calls itself."""
    await world.set_up()
    world.service.state.version = "1.4.0"
    await world.elapse(POLL)

    hub = world.device("account:account")
    assert hub
    assert (hub.name, hub.sw_version) == (world.entry.title, "1.4.0")

    world.hass.config_entries.async_update_entry(world.entry, title="Home")
    await world.restart()
    hub = world.device("account:account")
    assert hub
    assert (hub.name, hub.sw_version) == ("Home", "1.4.0")


@pytest.mark.parametrize("name", ["80 Chinese", "248 words", "emoji"])
async def test_names(world: Hub, name: str) -> None:
    """Of everything that has one, on every platform."""
    state = world.service.state
    for user in state.users.values():
        user.username = NAMES[name]
    for rule in state.rules.values():
        rule.name = NAMES[name]
    for peer in state.wireguard.peers:
        peer.name = NAMES[name]
    await world.set_up()

    await world.enable_all()

    check(world)
    platforms = {entity.domain for entity in world.registered() if entity.disabled_by is None}
    assert platforms == {*map(str, PLATFORMS)} - {"event"}


# A device of the mesh goes only when a person removes it


async def removed_by_a_person(world: Hub, thing: str) -> bool:
    """Remove a device as the user interface does, if that is allowed."""
    device = world.device(thing)
    assert device
    if not await async_remove_config_entry_device(world.hass, world.entry, device):
        return False
    if world.device(thing):
        dr.async_get(world.hass).async_remove_device(device.id)
    await world.settle()
    return True


async def test_a_peer_that_a_person_removes(world: Hub, hass_storage: dict[str, Any]) -> None:
    """Only one that is not shown; it returns as it was when the node shows it again."""
    await world.set_up()
    connected = world.entity_id("binary_sensor", "peer:office", "connected")
    er.async_get(world.hass).async_update_entity(connected, name="Link to the office")
    assert not await removed_by_a_person(world, "peer:office")

    world.service.drop("office")
    await world.live(6 * POLL, POLL)
    assert await removed_by_a_person(world, "peer:office")
    await world.live(3 * POLL, POLL)
    assert not world.device("peer:office")
    assert not world.registered("peer:office:")
    await world.restart()
    assert not world.device("peer:office")

    world.service.reconnect("office")
    await world.live(3 * POLL, POLL)
    assert world.value("binary_sensor", "peer:office", "connected") == "on"
    assert world.entity_id("binary_sensor", "peer:office", "connected") == connected
    assert world.state("binary_sensor", "peer:office", "connected").name.endswith(
        "Link to the office"
    )
    await world.hass.config_entries.async_remove(world.entry.entry_id)
    assert not [key for key in hass_storage if "entry-hub" in key]


async def test_devices_while_a_node_is_away(world: Hub) -> None:
    """For a short while, for a restart, for weeks: with the same devices and entities."""
    await world.set_up()
    devices = {device.id for device in devices_of(world)}
    entities = entity_ids(world, "")

    def same() -> bool:
        return {device.id for device in devices_of(world)} == devices and entity_ids(
            world, ""
        ) == entities

    world.service.kill("us")
    world.service.kill("office")
    for _ in range(14):
        await world.elapse(1)
        assert same()
    await world.live(6 * POLL, POLL)
    for peer in ("peer:office", "peer:us/us-r1", "peer:us/us-r1/us-r1-r1"):
        assert world.value("binary_sensor", peer, "connected") == "off"
    assert world.value("binary_sensor", "tunnel:us", "online") == "off"
    world.freezer.tick(timedelta(days=20))
    await world.restart()
    await world.live(6 * POLL, POLL)
    assert same()

    world.service.revive("us")
    world.service.revive("office")
    await world.live(6 * POLL, POLL)
    assert same()
    for peer in ("peer:office", "peer:us/us-r1", "peer:us/us-r1/us-r1-r1"):
        assert world.value("binary_sensor", peer, "connected") == "on"
    await world.service.restart()
    for _ in range(30):
        await world.elapse(1)
        assert same()
    assert world.value("binary_sensor", "peer:office", "connected") == "on"


def devices_of(world: Hub) -> Sequence[dr.AnyDeviceEntry]:
    """Return all devices of the node."""
    return dr.async_entries_for_config_entry(dr.async_get(world.hass), world.entry.entry_id)


async def test_an_entry_of_a_version_that_remembered_nothing(world: Hub) -> None:
    """What it has registered is what there is: under the names of that time."""
    await world.set_up()
    entities = entity_ids(world, "")
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    await async_remove_files(world.hass, world.entry.entry_id)

    await world.set_up()
    await world.live(3 * POLL, POLL)

    assert entity_ids(world, "") == entities
