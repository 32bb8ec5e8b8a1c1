"""Tests what the recorder stores while only counters and measurements change."""

from collections import Counter

from homeassistant.components.image import DOMAIN as IMAGE
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback

from ..common import MINUTE
from .faulty_world import FaultyWorld
from .provider_modules import PROVIDER_DATA


async def test_no_attribute_changes_with_every_reading(world: FaultyWorld) -> None:
    """The recorder writes a row for each changed attribute, even an excluded one."""
    world.hass.config_entries.async_update_entry(
        world.entry, data={**world.entry.data, **PROVIDER_DATA[world.case.key].extra}
    )
    await world.set_up_enabled()
    # A tunnel's node has a name only; its id is known after the nodes have been read.
    for _ in range(2):
        await world.elapse(5 * MINUTE)
    states, attributes = Counter[str](), Counter[str]()

    @callback
    def _count(event: Event[EventStateChangedData]) -> None:
        old, new = event.data["old_state"], event.data["new_state"]
        # Home Assistant itself replaces the token in a picture's address.
        if old and new and new.domain != IMAGE:
            (states if old.state != new.state else attributes)[new.entity_id] += 1

    world.hass.bus.async_listen(EVENT_STATE_CHANGED, _count)
    for _ in range(7):
        PROVIDER_DATA[world.case.key].measure(world.service)
        await world.elapse(5 * MINUTE)

    assert states, "no counter changed"
    assert not attributes
