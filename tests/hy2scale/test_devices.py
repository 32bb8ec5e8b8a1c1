"""What exists: what is part of another thing's device, and what a version lacks."""

import logging

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.tunnel_hub import PLATFORMS
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
async def test_what_a_version_lacks_is_known_with_the_first_answer(world: Hub) -> None:
    """Also when that comes late: nothing is made that would be unknown for ever."""
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
    await world.live(HOUR + MINUTE, MINUTE)

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
