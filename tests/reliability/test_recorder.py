"""What the recorder has to keep while nothing but counters and measurements move."""

from collections import Counter
from collections.abc import Callable, Mapping

from homeassistant.components.image import DOMAIN as IMAGE
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback

from ..common import MINUTE
from .providers import AnyService
from .world import BadWorld


def _nothing(_: AnyService) -> None:
    """Leave it to the simulator, whose counters move with the time."""


def _measure_easytier(service: AnyService) -> None:
    """Let a node's second address be measured anew; the first one's latency is the node's."""
    for node in service.state.nodes.values():
        node.network_name, node.network_token = _NETWORK["easytier"].values()
        for connection in node.connections[1:]:
            connection.latency_ms += 1


def _measure_hy2scale(service: AnyService) -> None:
    """Let sessions count up, and latencies change."""
    for session in service.state.sessions.values():
        session.tx_bytes += 1000
        session.rx_bytes += 5000
        session.conn_count += 1
    for peer in service.state.peers.values():
        if peer.latency_ms > 0:
            peer.latency_ms += 1


_MEASURE: Mapping[str, Callable[[AnyService], None]] = {
    "easytier": _measure_easytier,
    "hy2scale": _measure_hy2scale,
}


_NETWORK = {"easytier": {"network_name": "demo-network", "network_secret": "demo-network-secret"}}
"""What checks of nodes need."""


async def test_no_attribute_changes_with_every_reading(world: BadWorld) -> None:
    """The recorder writes a row for each changed attribute, whether it keeps it or not."""
    world.hass.config_entries.async_update_entry(
        world.entry, data={**world.entry.data, **_NETWORK.get(world.case.service, {})}
    )
    await world.set_up()
    await world.enable_all()
    states, attributes = Counter[str](), Counter[str]()

    @callback
    def _count(event: Event[EventStateChangedData]) -> None:
        old, new = event.data["old_state"], event.data["new_state"]
        # Home Assistant itself replaces the token in a picture's address.
        if old and new and new.domain != IMAGE:
            (states if old.state != new.state else attributes)[new.entity_id] += 1

    world.hass.bus.async_listen(EVENT_STATE_CHANGED, _count)
    for _ in range(30):
        _MEASURE.get(world.case.service, _nothing)(world.service)
        await world.elapse(MINUTE)

    assert states, "counters move"
    assert not attributes
