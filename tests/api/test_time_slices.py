"""Tests that long work is divided into time slices."""

import asyncio
from itertools import count
from types import SimpleNamespace

import pytest

from custom_components.tunnel_hub.api import time_slices
from custom_components.tunnel_hub.api.time_slices import in_time_slices


async def progress_seen_by_others(items: int) -> list[int]:
    """Return the progress each time that another task runs."""
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


async def test_other_tasks_run_between_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading of the clock is an hour later."""
    hours = count(step=3600)
    monkeypatch.setattr(time_slices, "time", SimpleNamespace(perf_counter=lambda: next(hours)))
    assert await progress_seen_by_others(5) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("freezer")
async def test_short_work_needs_one_slice() -> None:
    assert await progress_seen_by_others(5) == [0]
