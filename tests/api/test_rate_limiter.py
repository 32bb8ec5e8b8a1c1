"""How many requests are sent, and how often."""

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.rate_limiter import RateLimiter


def test_a_few_at_once_then_so_many_a_second(freezer: FrozenDateTimeFactory) -> None:
    rate = RateLimiter(4, at_once=3)
    assert [rate.delay() for _ in range(7)] == [0, 0, 0, 0.25, 0.5, 0.75, 1]

    freezer.tick(1.25)
    assert [rate.delay() for _ in range(2)] == [0, 0.25]

    freezer.tick(3600)
    assert [rate.delay() for _ in range(4)] == [0, 0, 0, 0.25], "a longer rest earns no more"


@pytest.mark.usefixtures("freezer")
def test_five_hundred_take_their_time() -> None:
    """After the first few, in no second are there more than a second's worth."""
    rate = RateLimiter(4, at_once=10)
    moments = [rate.delay() for _ in range(500)]

    assert sum(moment < 1 for moment in moments) == 13
    for second in range(1, 122):
        assert sum(second <= moment < second + 1 for moment in moments) == 4
    assert moments[-1] == 122.5
