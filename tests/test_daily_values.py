"""Tests daily values: they are unknown after the service's midnight until they are read again."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from .clocks import Clocks
from .common import DAY, HOUR, MINUTE, SMALL, World, connect_browsers

SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = datetime(2026, 10, 21, tzinfo=SHANGHAI)

pytestmark = SMALL


def of_today(world: World[Any]) -> dict[str, str]:
    """Return the states of all daily values, by thing and key."""
    return {
        entity.unique_id.partition(":")[2]: state.state
        for entity in world.registered()
        if entity.unique_id.endswith("_today")
        and (state := world.hass.states.get(entity.entity_id))
    }


@pytest.fixture
async def evening(world: World) -> World:
    """Return a world half a minute before the service's midnight, in which no daily value is 0."""
    world.freezer.move_to(MIDNIGHT - timedelta(hours=2))
    world.service.account.signdate = int((MIDNIGHT - timedelta(hours=1)).timestamp())
    world.service.state.today_runs = 7
    await world.set_up_enabled()
    world.freezer.move_to(MIDNIGHT - timedelta(seconds=30))
    await world.elapse(0)
    shown = of_today(world)
    assert len(shown) >= 8
    assert not {"unknown", "unavailable", "0", "0.0", "off"} & set(shown.values())
    return world


async def test_read_on_the_new_day(evening: World) -> None:
    """At midnight the values are unknown. Each feed is read at its own interval."""
    await evening.elapse(30)
    assert set(of_today(evening).values()) <= {"unknown", "off"}

    await evening.live(HOUR)

    shown = of_today(evening)
    assert shown["account:account:signed_in_today"] == "off"
    assert "unknown" not in shown.values()


async def test_the_service_is_down_at_midnight(evening: World) -> None:
    """Other values are kept for two failed polls, but not daily values."""
    evening.service.fault("*", "status", status=503, times=None)
    left_before = evening.value("sensor", "account:account", "traffic_left")

    await evening.elapse(30)

    assert set(of_today(evening).values()) == {"unknown"}
    assert evening.value("sensor", "account:account", "traffic_left") == left_before
    await evening.live(3 * HOUR, 10 * MINUTE)
    assert set(of_today(evening).values()) == {"unavailable"}
    evening.service.clear_faults()
    await evening.live(40 * MINUTE)
    assert "unknown" not in of_today(evening).values()
    assert evening.value("binary_sensor", "account:account", "signed_in_today") == "off"


@pytest.mark.parametrize("browsers", [0, 1])
async def test_with_and_without_a_connected_browser(evening: World, browsers: int) -> None:
    """Values that other polls publish later are cleared immediately."""
    connect_browsers(evening.hass, browsers=browsers)
    evening.service.fault("*", "status", status=503, times=None)

    await evening.elapse(30)

    assert set(of_today(evening).values()) == {"unknown"}


async def test_asleep_over_midnight(evening: World, clocks: Clocks) -> None:
    """The machine wakes up in the morning, while the service does not respond."""
    evening.service.fault("*", "status", status=503, times=None)
    clocks.sleep(8 * HOUR)

    await evening.elapse(MINUTE)

    assert set(of_today(evening).values()) <= {"unknown", "unavailable"}


@pytest.mark.parametrize("seconds", [-DAY, -HOUR, HOUR, DAY])
async def test_wrong_clock(evening: World, clocks: Clocks, seconds: float) -> None:
    """Values of another day are unknown."""
    evening.service.fault("*", "status", status=503, times=None)
    clocks.set(seconds, evening.service)

    await evening.elapse(1)
    await evening.elapse(MINUTE)

    is_same_day = datetime.now(SHANGHAI).date() == (MIDNIGHT - timedelta(days=1)).date()
    assert (set(of_today(evening).values()) <= {"unknown", "unavailable"}) != is_same_day


async def test_an_answer_during_midnight(evening: World) -> None:
    gate = evening.service.gate("/user", "after", match={"type": "info"})
    refreshing = evening.hass.async_create_task(
        evening.entry.runtime_data.coordinators["account"].async_refresh()
    )
    await asyncio.wait_for(gate.reached(), None)
    evening.freezer.move_to(MIDNIGHT + timedelta(seconds=1))
    async_fire_time_changed(evening.hass)

    gate.open()
    await refreshing
    await evening.settle()

    assert evening.value("sensor", "account:account", "traffic_today") == "unknown"
    assert evening.value("binary_sensor", "account:account", "signed_in_today") == "unknown"
    assert evening.value("sensor", "account:account", "traffic_left") != "unknown"
    await evening.live(2 * MINUTE)
    assert float(evening.value("sensor", "account:account", "traffic_today")) < 1


async def test_midnight_does_not_fire_the_signed_in_trigger(evening: World) -> None:
    """A new day does not trigger it, but the next sign-in does."""
    states = []
    entity_id = evening.entity_id("binary_sensor", "account:account", "signed_in_today")
    evening.hass.bus.async_listen(
        "state_changed",
        lambda event: (
            states.append(event.data["new_state"].state)
            if event.data["entity_id"] == entity_id
            else None
        ),
    )

    await evening.live(5 * MINUTE, 30)
    await evening.act("button", "press", "account:account", "sign_in")

    assert states == ["unknown", "off", "on"]
