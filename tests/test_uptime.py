"""Tests uptimes: the percentage of time in which an address was reachable, with a real recorder."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from .checks.rows import OK
from .checks.servers import http_handler, listening
from .common import HOUR, MINUTE, SMALL, World

pytestmark = [SMALL, pytest.mark.usefixtures("recorder_mock")]

CHECK = "check:1"


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Record only the entities that uptimes are calculated from."""
    return {"include": {"entity_globs": ["sensor.*_availability"]}}


class Service:
    """The local service of tunnel 1."""

    def __init__(self, world: World) -> None:
        """Listen nowhere yet."""
        self._world = world
        self._running = AsyncExitStack()
        self._port = 0

    async def start(self) -> None:
        """Listen."""
        server = await self._running.enter_async_context(
            listening(http_handler(OK), port=self._port)
        )
        self._port = server.port
        tunnel = self._world.service.state.tunnels["1"]
        tunnel.proxy_type, tunnel.domain = "http", f"127.0.0.1:{server.port}"

    async def stop(self) -> None:
        """Refuse connections."""
        await self._running.aclose()


@pytest.fixture
async def local(world: World) -> AsyncIterator[Service]:
    """Return the running local service of tunnel 1, at the start of an hour."""
    service = Service(world)
    await service.start()
    yield service
    await service.stop()


def uptimes(world: World) -> tuple[str, ...]:
    """Return the uptimes of 24 hours, 7 days and 30 days."""
    return tuple(
        world.value("sensor", CHECK, f"uptime_{span}") for span in ("24_hours", "7_days", "30_days")
    )


async def live(world: World, seconds: float) -> None:
    """Let time pass, with the recorder's statistics for each five minutes."""
    for _ in range(int(seconds // (5 * MINUTE))):
        start = dt_util.utcnow()
        await world.elapse(5 * MINUTE)
        get_instance(world.hass).queue_task(StatisticsTask(start, True))
        await async_wait_recording_done(world.hass)
    await world.settle()


async def test_up_and_down(world: World, local: Service) -> None:
    """It is unknown at first. Then it is measured by time, not by the number of checks."""
    await world.set_up()
    assert uptimes(world) == ("unknown",) * 3
    await live(world, HOUR)
    assert uptimes(world) == ("100.0",) * 3

    await local.stop()
    await live(world, HOUR)
    # Two checks failed before it was shown as unreachable.
    assert [float(uptime) for uptime in uptimes(world)] == pytest.approx([60] * 3, abs=11)


async def test_unknown_time_does_not_count(world: World, local: Service) -> None:
    await world.set_up()
    await live(world, HOUR)
    # Without internet, the name cannot be resolved.
    world.service.state.tunnels["1"].domain = "nowhere.example.com"
    await live(world, HOUR)
    assert world.value("sensor", CHECK, "availability") == "unknown"
    assert uptimes(world) == ("100.0",) * 3


async def test_only_the_period_counts(world: World, local: Service) -> None:
    await world.set_up()
    await local.stop()
    await live(world, HOUR)
    await local.start()
    world.freezer.tick(timedelta(hours=25))
    await live(world, HOUR)
    day, week, month = map(float, uptimes(world))
    assert day > week + 20
    assert week == month


async def test_time_without_home_assistant_does_not_count(
    world: World, local: Service, hass: HomeAssistant
) -> None:
    """The recorder fills this time with the last known state."""
    await world.set_up()
    await live(world, HOUR)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await world.settle()
    assert world.value("sensor", CHECK, "availability") == "unknown"
    assert world.value("binary_sensor", CHECK, "reachable") == "on"


async def test_unchanged_values_write_no_rows(
    world: World, local: Service, recorder_mock: Recorder
) -> None:
    """A value that does not change is not written again."""
    await world.set_up()
    await live(world, HOUR)
    before = world.state("sensor", CHECK, "uptime_30_days").last_updated
    await live(world, 50 * MINUTE)
    assert world.state("sensor", CHECK, "uptime_30_days").last_updated == before
