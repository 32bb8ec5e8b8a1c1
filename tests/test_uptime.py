"""For how much of the last days an address was reachable, by a real recorder's statistics."""

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
from .checks.servers import answers, listening
from .common import HOUR, MINUTE, SMALL, World

pytestmark = [SMALL, pytest.mark.usefixtures("recorder_mock")]

CHECK = "check:1"


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Record nothing but what uptimes are made of."""
    return {"include": {"entity_globs": ["sensor.*_availability"]}}


class Service:
    """What tunnel 1 leads to: it is there or not."""

    def __init__(self, world: World) -> None:
        """Listen nowhere yet."""
        self._world = world
        self._running = AsyncExitStack()
        self._port = 0

    async def start(self) -> None:
        """Listen."""
        server = await self._running.enter_async_context(listening(answers(OK), port=self._port))
        self._port = server.port
        tunnel = self._world.service.state.tunnels["1"]
        tunnel.proxy_type, tunnel.domain = "http", f"127.0.0.1:{server.port}"

    async def stop(self) -> None:
        """Refuse connections."""
        await self._running.aclose()


@pytest.fixture
async def local(world: World) -> AsyncIterator[Service]:
    """A service behind tunnel 1, in an hour that has just begun."""
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
    """Let time pass, with the recorder's statistics for each five minutes of it."""
    for _ in range(int(seconds // (5 * MINUTE))):
        start = dt_util.utcnow()
        await world.elapse(5 * MINUTE)
        get_instance(world.hass).queue_task(StatisticsTask(start, True))
        await async_wait_recording_done(world.hass)
    await world.settle()


async def test_up_and_down(world: World, local: Service) -> None:
    """Unknown at first; then by the time, not by the number of checks."""
    await world.set_up()
    assert uptimes(world) == ("unknown",) * 3
    await live(world, HOUR)
    assert uptimes(world) == ("100.0",) * 3

    await local.stop()
    await live(world, HOUR)
    # It was down for two checks before that was believed.
    assert [float(uptime) for uptime in uptimes(world)] == pytest.approx([60] * 3, abs=11)


async def test_what_is_not_known_does_not_count(world: World, local: Service) -> None:
    await world.set_up()
    await live(world, HOUR)
    # A name that leads nowhere, without internet.
    world.service.state.tunnels["1"].domain = "nowhere.example.com"
    await live(world, HOUR)
    assert world.value("sensor", CHECK, "availability") == "unknown"
    assert uptimes(world) == ("100.0",) * 3


async def test_only_the_span_counts(world: World, local: Service) -> None:
    await world.set_up()
    await local.stop()
    await live(world, HOUR)
    await local.start()
    world.freezer.tick(timedelta(hours=25))
    await live(world, HOUR)
    day, week, month = map(float, uptimes(world))
    assert day > week + 20
    assert week == month


async def test_nothing_is_known_while_home_assistant_is_off(
    world: World, local: Service, hass: HomeAssistant
) -> None:
    """The recorder makes up for what it missed, with the last state that it knows."""
    await world.set_up()
    await live(world, HOUR)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await world.settle()
    assert world.value("sensor", CHECK, "availability") == "unknown"
    assert world.value("binary_sensor", CHECK, "reachable") == "on"


async def test_they_cost_no_rows(world: World, local: Service, recorder_mock: Recorder) -> None:
    """A value that stays as it is is not written again."""
    await world.set_up()
    await live(world, HOUR)
    before = world.state("sensor", CHECK, "uptime_30_days").last_updated
    await live(world, 50 * MINUTE)
    assert world.state("sensor", CHECK, "uptime_30_days").last_updated == before
