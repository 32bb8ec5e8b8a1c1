"""Tests that nothing deprecated in this version of Home Assistant is used."""

import re

import pytest

from ..common import HOUR, MINUTE
from .faulty_world import FaultyWorld

_DEPRECATED = re.compile(
    r"deprecat|will stop working|breaks_in_ha_version|is calling .* which", re.IGNORECASE
)


async def test_nothing_deprecated_is_logged(
    world: FaultyWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """Sets up with all entities enabled, polls and removes the entry."""
    await world.set_up_enabled()
    await world.live(HOUR, 20 * MINUTE)
    assert world.hass.states.async_all()
    await world.hass.config_entries.async_remove(world.entry.entry_id)
    await world.settle()

    logged = [record.getMessage() for record in caplog.records]
    assert not [message for message in logged if _DEPRECATED.search(message)]
