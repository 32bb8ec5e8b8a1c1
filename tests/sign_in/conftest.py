"""Fixtures: predictable random times, and homes in different time zones."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.tunnel_hub import daily_schedule

from ..common import World
from .common import Draw


@pytest.fixture
def simulated() -> dict[str, Any]:
    """Uses few rows, to be fast."""
    return {"tunnels": 1, "nodes": 1}


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Sets the random time: 0 is the start of the time window, 1 its end."""

    def _draw(share: float) -> None:
        def uniform(first: float, last: float) -> float:
            return first + (last - first) * share

        monkeypatch.setattr(daily_schedule, "random", SimpleNamespace(uniform=uniform))

    _draw(0.5)
    return _draw


type MoveTo = Callable[[str, str], Awaitable[None]]


@pytest.fixture
def move_to(world: World, draw: Draw) -> MoveTo:
    """Sets the home's time zone and its local time."""

    async def _move(zone: str, local: str) -> None:
        await world.hass.config.async_set_time_zone(zone)
        world.freezer.move_to(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)))

    return _move


@pytest.fixture
async def shanghai(world: World, move_to: MoveTo) -> World:
    """A home in Shanghai, at half past midnight."""
    await move_to("Asia/Shanghai", "2026-10-20 00:30")
    return world
