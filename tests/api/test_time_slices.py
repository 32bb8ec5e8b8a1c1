"""Long work is divided into time slices."""

import asyncio
from itertools import count
from types import SimpleNamespace

import pytest

from custom_components.tunnel_hub.api import time_slices
from custom_components.tunnel_hub.api.time_slices import in_time_slices


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
    monkeypatch.setattr(time_slices, "time", SimpleNamespace(perf_counter=lambda: next(hours)))
    assert await turns_of_others(5) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("freezer")
async def test_a_little_is_done_in_one_turn() -> None:
    assert await turns_of_others(5) == [0]
