"""Tests the ids of long-term statistics."""

from homeassistant.components.recorder.statistics import valid_statistic_id

from custom_components.tunnel_hub.history import statistic_id
from custom_components.tunnel_hub.ids import DeviceKey


def test_ids_that_would_be_equal() -> None:
    """Home Assistant accepts lowercase letters, digits and single underscores."""
    things = ("a-b", "a_b", "a__b", "a/b", "A b", "网", "络", "x" * 300, "x" * 301)
    ids = {statistic_id("01JABC", DeviceKey("peer", thing), "latency") for thing in things}

    assert len(ids) == len(things)
    for id_ in ids:
        assert id_.startswith("tunnel_hub:01jabc_peer_")
        assert valid_statistic_id(id_)
        assert len(id_) < 256
