"""Nothing that this version of Home Assistant will stop to support."""

import re

import pytest

from ..common import HOUR, MINUTE
from .world import BadWorld

_OLD = re.compile(
    r"deprecat|will stop working|breaks_in_ha_version|is calling .* which", re.IGNORECASE
)


async def test_nothing_deprecated_is_logged(
    world: BadWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """With all entities enabled: set up, polled, set up again and removed."""
    await world.set_up_enabled()
    await world.live(HOUR, 20 * MINUTE)
    assert world.hass.states.async_all()
    await world.hass.config_entries.async_remove(world.entry.entry_id)
    await world.settle()

    logged = [record.getMessage() for record in caplog.records]
    assert not [message for message in logged if _OLD.search(message)]
