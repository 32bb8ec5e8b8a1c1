"""Tests after how many results a state changes."""

import pytest

from custom_components.tunnel_hub.checks.consecutive_results import ConsecutiveResults

UP, DOWN, UNKNOWN = True, False, None


@pytest.mark.parametrize(
    "checks, states",
    [
        ([UP], [UP]),
        ([DOWN, DOWN], [None, DOWN]),
        ([DOWN, UP], [None, UP]),
        ([UP, DOWN, UP, DOWN, UP], [UP, UP, UP, UP, UP]),
        ([UP, DOWN, DOWN, UP, UP], [UP, UP, DOWN, DOWN, UP]),
        ([DOWN, DOWN, UP, DOWN, UP, UP], [None, DOWN, DOWN, DOWN, DOWN, UP]),
        # Unknown results neither confirm nor refute.
        ([UP, UNKNOWN, UP], [UP, None, UP]),
        ([UP, UNKNOWN, DOWN, DOWN], [UP, None, UP, DOWN]),
        ([UP, DOWN, UNKNOWN, DOWN, DOWN], [UP, UP, None, UP, DOWN]),
        ([DOWN, DOWN, UNKNOWN, UP, UP], [None, DOWN, None, DOWN, UP]),
        ([UNKNOWN, UNKNOWN], [None, None]),
    ],
)
def test_numbers_of_checks_in_a_row(checks: list[bool | None], states: list[bool | None]) -> None:
    results = ConsecutiveResults()
    assert [results.add(reached=reached) for reached in checks] == states
