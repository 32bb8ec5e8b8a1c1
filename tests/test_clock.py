"""Tests states and timers when the machine sleeps or its clock is set."""

from datetime import UTC, datetime, timedelta

from homeassistant.core import HomeAssistant
import pytest

from custom_components.tunnel_hub.clock import WallClockTimer

from .clocks import Clocks
from .common import DAY, HOUR, MINUTE, SMALL, World, connect_browsers

pytestmark = SMALL


@pytest.fixture
async def at_noon(world: World, clocks: Clocks) -> World:
    """Return Home Assistant with an online tunnel."""
    for tunnel in world.service.state.tunnels.values():
        tunnel.enabled = tunnel.client_running = True
    for node in world.service.state.nodes.values():
        node.online = True
    await world.set_up_enabled()
    await world.live(2 * MINUTE)
    assert world.value("binary_sensor", "tunnel:1", "online") == "on"
    return world


@pytest.mark.parametrize("seconds", [-DAY, -HOUR, HOUR, DAY])
async def test_a_result_expires_although_the_clock_was_set(
    at_noon: World, clocks: Clocks, seconds: float
) -> None:
    """Results of checks expire by elapsed time, not by the wall clock."""
    at_noon.service.fault("/proxy", "error", match={"type": "check"}, times=None)
    clocks.set(seconds, at_noon.service)

    await at_noon.live(7 * MINUTE)

    assert at_noon.value("binary_sensor", "tunnel:1", "online") == "unknown"


@pytest.mark.parametrize("browsers", [0, 1])
async def test_everything_is_read_after_sleep(
    at_noon: World, clocks: Clocks, browsers: int
) -> None:
    """Timers do not run during sleep and would be hours late."""
    connect_browsers(at_noon.hass, browsers=browsers)
    await at_noon.live(20 * MINUTE)
    for tunnel in at_noon.service.state.tunnels.values():
        tunnel.client_running = False
    at_noon.service.account.traffic = 4096
    clocks.sleep(8 * HOUR)
    asked = len(at_noon.service.calls)

    await at_noon.live(3 * MINUTE)

    assert at_noon.value("binary_sensor", "tunnel:1", "online") == "off"
    assert at_noon.value("sensor", "account:account", "traffic_left") == "4.0"
    feeds = {(call.path, call.get("type")) for call in at_noon.service.calls[asked:]}
    assert {path for path, _ in feeds} >= {"/user", "/proxy", "/node", "/info", "/version"}
    assert len(at_noon.service.calls) - asked < 30, "once each"


async def test_the_service_does_not_respond_after_sleep(at_noon: World, clocks: Clocks) -> None:
    """Values that are eight hours old are not shown."""
    at_noon.service.fault("*", "status", status=503, times=None)
    clocks.sleep(8 * HOUR)

    await at_noon.elapse(MINUTE)
    await at_noon.settle()

    assert at_noon.value("binary_sensor", "tunnel:1", "online") == "unavailable"
    assert at_noon.value("sensor", "account:account", "traffic_left") == "unavailable"


async def test_a_small_correction_causes_no_request(at_noon: World, clocks: Clocks) -> None:
    """It is corrected by the few seconds that clocks usually differ."""
    connect_browsers(at_noon.hass, browsers=0)
    await at_noon.live(HOUR)
    before = len(at_noon.service.calls)
    await at_noon.live(HOUR)
    usual = len(at_noon.service.calls) - before

    for _ in range(60):
        clocks.set(-1, at_noon.service)
        await at_noon.live(MINUTE)
        clocks.set(1, at_noon.service)

    assert len(at_noon.service.calls) - before - usual <= usual + 2


# Timers


@pytest.fixture
def called(hass: HomeAssistant) -> list[datetime]:
    """Return the times of the calls."""
    return []


def timer(hass: HomeAssistant, called: list[datetime], due: datetime | None) -> WallClockTimer:
    """Return a timer that records its calls."""

    def _action(now: datetime) -> datetime | None:
        if due is not None and now >= due:
            called.append(now)
            return None
        return due

    return WallClockTimer(hass, _action)


async def test_a_timer(world: World, clocks: Clocks, called: list[datetime]) -> None:
    due = datetime.now(UTC) + timedelta(seconds=90)
    timer(world.hass, called, due).async_call()

    await world.elapse(59)
    await world.elapse(30)
    assert not called
    await world.elapse(1)

    assert called == [due]
    await world.live(HOUR)
    assert len(called) == 1, "no timer is left"


@pytest.mark.parametrize("seconds", [-HOUR, -MINUTE, 0, MINUTE, HOUR, 2 * DAY])
async def test_a_timer_follows_the_wall_clock(
    world: World, clocks: Clocks, called: list[datetime], seconds: float
) -> None:
    """It is at most a minute late."""
    due = datetime.now(UTC) + timedelta(hours=3)
    wall = timer(world.hass, called, due)
    wall.async_call()
    await world.elapse(10)
    clocks.set(seconds)
    set_to = datetime.now(UTC)

    while not called:
        assert datetime.now(UTC) < due + timedelta(days=2)
        await world.elapse(30)

    assert called[0] >= due
    assert called[0] - max(due, set_to) <= timedelta(minutes=1)
    wall.async_stop()


async def test_a_stopped_timer(world: World, called: list[datetime]) -> None:
    stopped = timer(world.hass, called, datetime.now(UTC) + timedelta(seconds=30))
    stopped.async_call()
    stopped.async_stop()
    stopped.async_call()

    await world.live(HOUR)

    assert not called


async def test_an_action_that_restarts_its_timer(world: World, called: list[datetime]) -> None:
    """There is still only one timer."""
    begin = datetime.now(UTC)

    def _action(now: datetime) -> datetime:
        called.append(now)
        if len(called) == 1:
            nested.async_call()
        return now + timedelta(seconds=30)

    nested = WallClockTimer(world.hass, _action)
    nested.async_call()
    await world.elapse(30)

    assert called == [begin, begin, begin + timedelta(seconds=30)]
    nested.async_stop()
