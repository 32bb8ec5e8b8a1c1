"""When a change is believed."""

import pytest

from custom_components.tunnel_hub.checks.consecutive_results import ConsecutiveResults

UP, DOWN, NOTHING = True, False, None


@pytest.mark.parametrize(
    "checks, believed",
    [
        ([UP], [UP]),
        ([DOWN, DOWN], [None, DOWN]),
        ([DOWN, UP], [None, UP]),
        ([UP, DOWN, UP, DOWN, UP], [UP, UP, UP, UP, UP]),
        ([UP, DOWN, DOWN, UP, UP], [UP, UP, DOWN, DOWN, UP]),
        ([DOWN, DOWN, UP, DOWN, UP, UP], [None, DOWN, DOWN, DOWN, DOWN, UP]),
        # What says nothing neither confirms nor refutes.
        ([UP, NOTHING, UP], [UP, None, UP]),
        ([UP, NOTHING, DOWN, DOWN], [UP, None, UP, DOWN]),
        ([UP, DOWN, NOTHING, DOWN, DOWN], [UP, UP, None, UP, DOWN]),
        ([DOWN, DOWN, NOTHING, UP, UP], [None, DOWN, None, DOWN, UP]),
        ([NOTHING, NOTHING], [None, None]),
    ],
)
def test_what_is_believed(checks: list[bool | None], believed: list[bool | None]) -> None:
    results = ConsecutiveResults()
    assert [results.add(reached=reached) for reached in checks] == believed


def test_other_numbers() -> None:
    results = ConsecutiveResults(failures_for_down=3, successes_for_up=1)
    believed = [results.add(reached=reached) for reached in (UP, DOWN, DOWN, DOWN, UP)]
    assert believed == [UP, UP, UP, DOWN, UP]
