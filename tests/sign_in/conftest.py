"""Fixtures: what decides the lot, and homes in several time zones."""

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
    """With next to nothing."""
    return {"tunnels": 1, "nodes": 1}


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Return what decides the lot from now on: 0 is the beginning of a span, 1 its end."""

    def _draw(share: float) -> None:
        def uniform(first: float, last: float) -> float:
            return first + (last - first) * share

        monkeypatch.setattr(daily_schedule, "random", SimpleNamespace(uniform=uniform))

    _draw(0.5)
    return _draw


type MoveTo = Callable[[str, str], Awaitable[None]]


@pytest.fixture
def move_to(world: World, draw: Draw) -> MoveTo:
    """Return what makes it a home in a time zone, when the clocks there show a time."""

    async def _move(zone: str, local: str) -> None:
        await world.hass.config.async_set_time_zone(zone)
        world.freezer.move_to(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)))

    return _move


@pytest.fixture
async def shanghai(world: World, move_to: MoveTo) -> World:
    """A home in Shanghai, at half past midnight."""
    await move_to("Asia/Shanghai", "2026-10-20 00:30")
    return world
