"""Tests devices: parts of devices, names, and what a version does not support."""

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
from ..unusual_names import NAMES, check
from .common import OLD, POLL, Hub


async def test_a_link_that_is_removed_and_returns(
    world: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    """Its entities are removed and return unchanged. The tunnel's device and entities stay."""
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


# Unsupported fields

PEER = "peer:us/us-r1"


def entity_ids(world: Hub, things: str) -> set[str]:
    """Return the entities of kinds, such as "link:"."""
    return {entity.entity_id for entity in world.registered(things)}


def existing(world: Hub, *things: str) -> set[str]:
    """Return which of these entities exist, such as "peer:office:connected"."""
    return {thing for thing in things if world.registered(thing)}


@OLD
async def test_unsupported_fields_are_known_with_the_first_answer(world: Hub) -> None:
    """This also holds when it comes late: no entity is created that would always be unknown."""
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
async def test_upgrade_and_downgrade(world: Hub, with_restart: bool) -> None:
    """The entities are those of the version, and keep the settings of the user."""
    lacking = ("hub:account:rate_in", f"{PEER}:connected", f"{PEER}:enabled", "user:")

    async def becomes(generation: str) -> None:
        world.service.state.settings.generation = generation
        if with_restart:
            await world.restart()
        await world.live(3 * POLL, POLL)

    await world.set_up()
    assert existing(world, *lacking) == set(lacking)
    er.async_get(world.hass).async_update_entity(
        world.entity_id("switch", PEER, "enabled"), name="Use it"
    )

    await becomes("documented")
    assert existing(world, *lacking) == {"user:"}
    assert world.value("switch", PEER, "nested") == "on"

    await becomes("1.3")
    assert existing(world, *lacking) == set(lacking)
    assert world.value("binary_sensor", PEER, "connected") == "on"
    assert world.state("switch", PEER, "enabled").name.endswith("Use it")


async def test_the_fields_of_a_proxy_depend_on_the_version(world: Hub) -> None:
    """The Shadowsocks server only has an exit in some versions."""
    exit_of_it = "proxy:ss:exit_path"
    await world.set_up()

    for generation, has_exit in (("documented", True), ("1.3", False)):
        assert bool(existing(world, exit_of_it)) is not has_exit
        world.service.state.settings.generation = generation
        world.service.reboot()
        await world.live(2 * MINUTE, MINUTE)
        assert bool(existing(world, exit_of_it)) is has_exit


async def test_a_field_that_is_missing_once(world: Hub) -> None:
    """If a field is missing in one answer, its entities stay."""
    await world.set_up()
    entities = entity_ids(world, "hub:account:rate_in")

    world.service.state.settings.generation = "documented"
    await world.elapse(POLL)
    world.service.state.settings.generation = "1.3"
    await world.live(2 * POLL, POLL)

    assert entities
    assert entity_ids(world, "hub:account:rate_in") == entities


# Parts of devices


def shows(world: Hub, *names: str) -> None:
    """Let the topology contain only these connections."""
    world.service.clear_faults()
    rows = [{"name": name, "direction": "outbound", "connected": True} for name in names]
    world.service.fault("/api/topology", "body", times=None, body=rows)


@pytest.mark.parametrize("while_unloaded", [False, True])
async def test_a_removed_part(world: Hub, while_unloaded: bool) -> None:
    """Its entities are removed, also if Home Assistant is off. The rest of the device stays."""
    await world.set_up()
    parts = ("link:us:", world.sessions("alice"), "wireguard:", "vpn:")
    assert existing(world, *parts) == set(parts)
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
        # A field that was in an answer before is only unsupported after the next sign-in.
        await world.restart()
    await world.live(HOUR + 5 * MINUTE, 5 * MINUTE)

    assert not existing(world, *parts)
    assert world.value("switch", "tunnel:us", "enabled") == "on"
    assert world.value("switch", world.user_thing("alice"), "enabled") == "on"
    assert "unavailable" not in {state.state for state in world.hass.states.async_all()}


async def test_a_device_is_removed_with_all_its_parts(world: Hub) -> None:
    """The last values of other feeds do not keep it. It returns with all parts."""
    await world.set_up()
    entities = entity_ids(world, "link:us:")
    client = world.service.state.clients["us"]

    del world.service.state.clients["us"]
    world.service.fault("/api/topology", "html", times=None)
    await world.live(3 * POLL, POLL)
    assert entities
    assert not world.device("tunnel:us")
    assert not existing(world, "link:us:", "tunnel:us:")

    world.service.state.clients["us"] = client
    world.service.clear_faults()
    await world.live(3 * POLL, POLL)
    assert world.value("switch", "link:us", "nested") == "on"
    assert entity_ids(world, "link:us:") == entities


async def test_a_part_without_its_device(world: Hub) -> None:
    """Values of a row that the node does not list create no device."""
    await world.set_up()

    shows(world, "us", "nobody")
    await world.live(3 * POLL, POLL)

    assert world.device("tunnel:us")
    assert not world.device("tunnel:nobody")
    assert not existing(world, "link:nobody:")


async def test_an_id_that_begins_with_another_id(world: Hub) -> None:
    """Only its own parts are removed with it: an id can contain a colon."""
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
    """The device shows it. Its name is the entry's title, not the node's name."""
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
    """Names are tested for all rows, on every platform."""
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


# Devices of the mesh are only removed by the user


async def removed_by_user(world: Hub, thing: str) -> bool:
    """Remove a device as the user interface does, if that is allowed."""
    device = world.device(thing)
    assert device
    if not await async_remove_config_entry_device(world.hass, world.entry, device):
        return False
    if world.device(thing):
        dr.async_get(world.hass).async_remove_device(device.id)
    await world.settle()
    return True


async def test_a_peer_that_the_user_removes(world: Hub, hass_storage: dict[str, Any]) -> None:
    """Only a hidden peer can be removed. It returns unchanged when the node shows it again."""
    await world.set_up()
    connected = world.entity_id("binary_sensor", "peer:office", "connected")
    er.async_get(world.hass).async_update_entity(connected, name="Link to the office")
    assert not await removed_by_user(world, "peer:office")

    world.service.drop("office")
    await world.live(6 * POLL, POLL)
    assert await removed_by_user(world, "peer:office")
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


async def test_devices_while_a_node_is_offline(world: Hub) -> None:
    """Devices and entities stay after a short outage, a restart and weeks."""
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


async def test_an_entry_of_an_older_version(world: Hub) -> None:
    """The registered entities are known, under the names of that version."""
    await world.set_up()
    entities = entity_ids(world, "")
    assert await world.hass.config_entries.async_unload(world.entry.entry_id)
    await async_remove_files(world.hass, world.entry.entry_id)

    await world.set_up()
    await world.live(3 * POLL, POLL)

    assert entity_ids(world, "") == entities
