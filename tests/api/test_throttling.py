"""Not too much at once."""

import asyncio
from itertools import count
from types import SimpleNamespace

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api import throttling
from custom_components.tunnel_hub.api.throttling import RateLimiter, in_time_slices


async def turns_of_others(items: int) -> list[int]:
    """Return how much had been done each time that someone else had the loop."""
    done: list[int] = []
    seen: list[int] = []

    async def _other() -> None:
        while len(done) < items:
            seen.append(len(done))
            await asyncio.sleep(0)

    other = asyncio.create_task(_other())
    await asyncio.sleep(0)
    await in_time_slices(range(items), done.append)
    await other
    assert done == list(range(items))
    return seen


async def test_others_have_the_loop_between_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour passes whenever someone looks at the clock."""
    hours = count(step=3600)
    monkeypatch.setattr(throttling, "time", SimpleNamespace(perf_counter=lambda: next(hours)))
    assert await turns_of_others(5) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("freezer")
async def test_a_little_is_done_in_one_turn() -> None:
    assert await turns_of_others(5) == [0]


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
