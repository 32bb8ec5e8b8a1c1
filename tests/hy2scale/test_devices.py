"""What is part of another thing's device comes and goes by itself."""

import logging

from homeassistant.helpers import entity_registry as er
import pytest

from .common import POLL, Hub


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
