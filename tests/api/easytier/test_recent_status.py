"""Tests the recent status of nodes, and how it changes with the time since the last report."""

from datetime import UTC, datetime, timedelta

import pytest

from custom_components.tunnel_hub.api.easytier import models
from custom_components.tunnel_hub.api.easytier.recent_status import at_time, availability, is_silent
from custom_components.tunnel_hub.api.rows import Row

LAST_REPORT = datetime(2026, 11, 29, 8, 14, 43, tzinfo=UTC)


def at(row: Row, **since: float) -> Row:
    """Return a row with its values some time after its last report."""
    return at_time(row, LAST_REPORT + timedelta(**since))


def own(digits: object = "69", **fields: object) -> Row:
    """Return a row of an own node that the server still shows as online."""
    return {
        "id": 1,
        "status": "online",
        "recent_status": digits,
        "last_report_at": LAST_REPORT.isoformat(),
        **fields,
    }


@pytest.mark.parametrize(
    "digits, last_144, last_4320",
    [
        ("2" * 4320, 100.0, 100.0),
        ("1" * 4320, 0.0, 0.0),
        ("1" * 4176 + "3" * 144, 100.0, 3.33),
        ("3" * 4176 + "1" * 36 + "9" * 108, 75.0, 99.17),
        ("1" * 680 + "2" * 4320, 100.0, 100.0),
        ("2221", 75.0, 75.0),
        ("241", 66.67, 66.67),
        (241, 66.67, 66.67),
        ("2201", 66.67, 66.67),
        ("2x1?", None, None),
        (7.5, None, None),
        ("2026-12-24", None, None),
        ("0", None, None),
        ("", None, None),
        ("?", None, None),
        (None, None, None),
    ],
)
def test_availability(digits: object, last_144: float | None, last_4320: float | None) -> None:
    row = {"status": "online", "recent_status": digits}

    assert (availability(row, 144), availability(row, 4320)) == (last_144, last_4320)


@pytest.mark.parametrize(
    "since, last_144, last_4320",
    [
        ({"minutes": -5}, 100.0, 100.0),
        ({"minutes": 19, "seconds": 59}, 100.0, 100.0),
        ({"minutes": 20}, 66.67, 66.67),
        ({"minutes": 30}, 50.0, 50.0),
        ({"hours": 24}, 0.69, 1.38),
        ({"days": 3}, 0.0, 0.46),
        ({"days": 300}, 0.0, 0.0),
    ],
)
def test_the_availability_of_a_silent_node_falls(
    since: dict[str, float], last_144: float, last_4320: float
) -> None:
    row = at(own(), **since)

    assert (availability(row, 144), availability(row, 4320)) == (last_144, last_4320)


def test_a_node_offline_since_an_unknown_time_has_no_availability() -> None:
    """The server does not return the last report of public nodes."""
    public = {"status": "online", "recent_status": "2222"}

    assert availability(public, 144) == 100.0
    assert availability({**public, "status": "offline"}, 144) is None
    assert availability({**own("2222"), "status": "offline"}, 144) == 100.0


BUSY = {
    "current_bandwidth": 40,
    "tier_bandwidth": 80,
    "connection_count": 9,
    "max_connections": 10,
    "used_traffic": 10,
    "max_traffic": 1000,
}


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, 90.0),
        ({"current_bandwidth": 80, "connection_count": 0, "used_traffic": 0}, 100.0),
        ({"used_traffic": 1500}, 150.0),
        ({"current_bandwidth": 0, "connection_count": 0, "used_traffic": 0}, 0.0),
        ({"max_connections": 0}, 50.0),
        ({"max_connections": 0, "tier_bandwidth": 0}, 1.0),
        ({"max_connections": 0, "tier_bandwidth": 0, "max_traffic": 0}, None),
        ({"max_connections": None, "tier_bandwidth": "many"}, 1.0),
        ({"max_connections": 1e30, "tier_bandwidth": 5e-324}, 1.0),
        ({"status": "offline"}, None),
        ({"status": None}, 90.0),
    ],
)
def test_the_load_is_that_of_the_scarcest_resource(
    changes: dict[str, object], expected: float | None
) -> None:
    node = models.NODE.one({**own(), **BUSY, **changes})

    assert node is not None
    assert node.load == expected


def test_a_silent_node_has_no_load() -> None:
    row = own(**BUSY)

    late, silent = at(row, minutes=19), at(row, days=3)

    assert (is_silent(late), is_silent(silent)) == (False, True)
    assert [node and node.load for node in map(models.NODE.one, (late, silent))] == [90.0, None]


def test_an_overdue_reset_is_unknown() -> None:
    """The server only advances it with the node's next report."""
    reset = LAST_REPORT + timedelta(days=1)
    row = {"id": 1, "reset_date": reset.isoformat()}

    before, after = (
        models.PUBLIC_NODE.one(at(row, hours=23)),
        models.PUBLIC_NODE.one(at(row, days=1)),
    )

    assert before is not None
    assert after is not None
    assert (before.traffic_reset, after.traffic_reset) == (reset, None)


def test_an_unchanged_row_stays_the_same_object() -> None:
    row = own(reset_date=(LAST_REPORT + timedelta(days=9)).isoformat())

    assert at(row, minutes=5) is row
    assert at(own(last_report_at=None, reset_date="soon"), days=5) == own(
        last_report_at=None, reset_date="soon"
    )
