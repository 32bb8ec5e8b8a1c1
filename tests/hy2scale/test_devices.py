"""What is part of another thing's device comes and goes by itself."""

import logging

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers import entity_registry as er
import pytest

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
    entity = world.registered("hub:account:rate_in")

    world.service.state.settings.generation = "documented"
    await world.elapse(POLL)
    world.service.state.settings.generation = "1.3"
    await world.live(2 * POLL, POLL)

    assert entity
    assert world.registered("hub:account:rate_in") == entity
