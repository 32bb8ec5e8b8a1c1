"""Tests the rate limiter."""

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.rate_limiter import RateLimiter


def test_a_burst_and_then_a_limited_rate(freezer: FrozenDateTimeFactory) -> None:
    rate = RateLimiter(4, at_once=3)
    assert [rate.delay() for _ in range(7)] == [0, 0, 0, 0.25, 0.5, 0.75, 1]

    freezer.tick(1.25)
    assert [rate.delay() for _ in range(2)] == [0, 0.25]

    freezer.tick(3600)
    assert [rate.delay() for _ in range(4)] == [0, 0, 0, 0.25], "a longer pause allows no more"


@pytest.mark.usefixtures("freezer")
def test_five_hundred_requests_keep_the_rate() -> None:
    """After the burst, no second has more requests than the rate."""
    rate = RateLimiter(4, at_once=10)
    moments = [rate.delay() for _ in range(500)]

    assert sum(moment < 1 for moment in moments) == 13
    for second in range(1, 122):
        assert sum(second <= moment < second + 1 for moment in moments) == 4
    assert moments[-1] == 122.5
