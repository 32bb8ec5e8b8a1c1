"""What the digits of `recent_status` mean."""

import pytest

from custom_components.tunnel_hub.api.easytier.recent import availability, load


@pytest.mark.parametrize(
    "digits, expected",
    [
        ("2", 0.0),
        ("9", 100.0),
        ("1111116", 57.1),
        ("91", None),
        ("", None),
        (None, None),
        ("9x", None),
        (25, 42.9),
    ],
)
def test_load(digits: object, expected: float | None) -> None:
    assert load({"recent_status": digits}) == expected


@pytest.mark.parametrize(
    "digits, day, month",
    [
        ("2" * 4320, 100.0, 100.0),
        ("1" * 4320, 0.0, 0.0),
        ("1" * 4176 + "3" * 144, 100.0, 3.33),
        ("3" * 4176 + "1" * 36 + "9" * 108, 75.0, 99.17),
        ("1" * 680 + "2" * 4320, 100.0, 100.0),
        ("2221", 75.0, 75.0),
        ("2x1?", 50.0, 50.0),
        ("", None, None),
        ("?", None, None),
        (None, None, None),
    ],
)
def test_availability(digits: object, day: float | None, month: float | None) -> None:
    row = {"recent_status": digits}

    assert (availability(row, days=1), availability(row, days=30)) == (day, month)
