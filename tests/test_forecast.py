"""Tests the forecast of when traffic ends, with the recorder's long-term statistics."""

from datetime import datetime
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import ServiceCall
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from .automations import Automate, armed, of
from .common import DAY, HOUR, MINUTE, SMALL, World
from .long_term_statistics import NO_STATES, days_until, lasts_until as shown, store_usage

GIB = 1024**3
ACCOUNT = "account_forecast:account"

pytestmark = [SMALL, pytest.mark.usefixtures("recorder_mock")]


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Record no states: the tests write the statistics."""
    return NO_STATES


@pytest.fixture
async def home(world: World) -> World:
    """Return an account with 60 GiB left."""
    world.service.account.traffic = 60 * 1024
    await world.set_up()
    return world


async def test_unknown_at_first(home: World) -> None:
    assert shown(home, ACCOUNT) == STATE_UNKNOWN

    await store_usage(home, "account:account", "traffic_today", 2, hours=47)
    await home.elapse(HOUR)
    assert shown(home, ACCOUNT) == STATE_UNKNOWN

    await store_usage(home, "account:account", "traffic_today", 2, hours=48)
    await home.elapse(HOUR)
    assert days_until(home, ACCOUNT) == pytest.approx(30, rel=0.03)


async def test_the_average_of_a_week(home: World) -> None:
    """It depends neither on today alone nor on the time before."""
    await store_usage(home, "account:account", "traffic_today", 100, hours=8 * 24)
    await store_usage(home, "account:account", "traffic_today", 6, hours=7 * 24)

    await home.elapse(HOUR)

    assert days_until(home, ACCOUNT) == pytest.approx(10, rel=0.02)
    assert datetime.fromisoformat(shown(home, ACCOUNT)).minute == 0


async def test_gains_of_sign_ins_count(home: World) -> None:
    await store_usage(home, "account:account", "traffic_today", 6)
    await store_usage(home, "account:account", "sign_in_traffic", 4)
    await home.elapse(HOUR)
    assert days_until(home, ACCOUNT) == pytest.approx(30, rel=0.02)

    await store_usage(home, "account:account", "sign_in_traffic", 7)
    await home.elapse(HOUR)
    assert shown(home, ACCOUNT) == STATE_UNKNOWN, "it does not end"


async def test_days_without_home_assistant(home: World) -> None:
    """A daily counter misses the traffic of such days, so they are left out."""
    await store_usage(home, "account:account", "traffic_today", 6, gap=48)

    await home.elapse(HOUR)

    assert days_until(home, ACCOUNT) == pytest.approx(10, rel=0.03)


async def test_it_only_changes_with_new_data(home: World) -> None:
    await store_usage(home, "account:account", "traffic_today", 6)
    await home.elapse(HOUR)
    first = home.state("sensor", ACCOUNT, "traffic_lasts_until")

    for _ in range(8):
        home.service.account.traffic -= 256
        await home.elapse(HOUR)
    assert home.state("sensor", ACCOUNT, "traffic_lasts_until").last_updated == first.last_updated

    home.service.account.traffic = 20 * 1024
    await home.live(30 * MINUTE, 15 * MINUTE)
    assert days_until(home, ACCOUNT) == pytest.approx(20 / 6, rel=0.05)


async def test_no_traffic_is_left(home: World) -> None:
    """The time at which it ended stays until there is traffic again."""
    await store_usage(home, "account:account", "traffic_today", 6)
    home.service.account.traffic = 0
    await home.live(HOUR, 15 * MINUTE)
    ended = shown(home, ACCOUNT)
    assert datetime.fromisoformat(ended) <= dt_util.utcnow()

    await home.live(5 * HOUR, HOUR)
    assert shown(home, ACCOUNT) == ended

    home.service.account.traffic = 6 * 1024
    await home.live(HOUR, 15 * MINUTE)
    assert days_until(home, ACCOUNT) == pytest.approx(1, rel=0.1)


async def test_a_disabled_sensor_does_not_count(home: World) -> None:
    await store_usage(home, "account:account", "traffic_today", 6)
    er.async_get(home.hass).async_update_entity(
        home.entity_id("sensor", "account:account", "traffic_today"),
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    await home.restart()
    await home.elapse(HOUR)

    assert shown(home, ACCOUNT) == STATE_UNKNOWN


async def test_it_is_known_immediately_after_a_restart(home: World) -> None:
    await store_usage(home, "account:account", "traffic_today", 6)

    await home.restart()

    assert days_until(home, ACCOUNT) == pytest.approx(10, rel=0.02)


async def test_the_service_is_down_at_the_start(home: World) -> None:
    """The entity stays, and its state is unknown."""
    await home.hass.config_entries.async_unload(home.entry.entry_id)
    home.service.fault("*", "status", status=503, times=None)
    await home.hass.config_entries.async_setup(home.entry.entry_id)
    await home.settle()

    assert shown(home, ACCOUNT) == STATE_UNAVAILABLE


async def test_without_statistics_it_is_unknown(world: World) -> None:
    world.hass.config.components.remove("recorder")
    await world.set_up()
    await world.elapse(HOUR)

    assert shown(world, ACCOUNT) == STATE_UNKNOWN


async def test_it_causes_no_request(home: World) -> None:
    before = {call.path for call in home.service.calls}
    home.service.calls.clear()

    await home.elapse(HOUR)

    assert {call.path for call in home.service.calls} <= before


# The trigger


async def armed_nine_days_before(home: World) -> list[str]:
    """Arm the trigger with a forecast of ten days; return the entities that have triggered it."""
    await store_usage(home, "account:account", "traffic_today", 6)
    await home.elapse(HOUR)
    return await armed(home.hass, "traffic_ending", of(home, "account:account"), before={"days": 9})


async def test_triggers_once_before_traffic_ends(home: World) -> None:
    """It triggers at the right time, although the forecast does not change then."""
    ending = await armed_nine_days_before(home)
    # No traffic is used, so the forecast would move, but by less than the minimal change.
    await home.live(20 * HOUR, HOUR)
    assert ending == []
    await home.live(6 * HOUR, HOUR)
    assert ending == [home.entity_id("sensor", ACCOUNT, "traffic_lasts_until")]

    home.service.account.traffic = 40 * 1024
    await home.live(HOUR, 15 * MINUTE)
    home.service.account.traffic = 30 * 1024
    await home.live(HOUR, 15 * MINUTE)
    assert len(ending) == 1, "it does not trigger again"

    home.service.account.traffic = 90 * 1024
    await home.live(HOUR, 15 * MINUTE)
    home.service.account.traffic = 20 * 1024
    await home.live(HOUR, 15 * MINUTE)
    assert len(ending) == 2


async def test_triggers_once_although_the_entry_is_reloaded(home: World) -> None:
    ending = await armed_nine_days_before(home)
    home.service.account.traffic = 40 * 1024
    await home.live(HOUR, 15 * MINUTE)
    assert len(ending) == 1

    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.live(2 * HOUR, 15 * MINUTE)

    assert shown(home, ACCOUNT) not in {STATE_UNAVAILABLE, STATE_UNKNOWN}
    assert len(ending) == 1


async def test_does_not_trigger_if_the_forecast_moves_away(home: World) -> None:
    ending = await armed_nine_days_before(home)
    await store_usage(home, "account:account", "sign_in_traffic", 7)
    await home.live(3 * DAY, 6 * HOUR)

    assert shown(home, ACCOUNT) == STATE_UNKNOWN
    assert ending == []


async def test_does_not_trigger_if_the_end_was_near_before(home: World) -> None:
    await store_usage(home, "account:account", "traffic_today", 60)
    await home.elapse(HOUR)
    ending = await armed(home.hass, "traffic_ending", of(home, "account:account"))

    home.service.account.traffic = 40 * 1024
    await home.live(3 * HOUR, HOUR)

    assert ending == []


async def test_the_blueprint(
    home: World, automate: Automate, notifications: list[ServiceCall]
) -> None:
    await store_usage(home, "account:account", "traffic_today", 6)
    await home.elapse(HOUR)
    await automate(
        "traffic_low",
        left=home.entity_id("sensor", "account:account", "traffic_left"),
        lasts_until=home.entity_id("sensor", ACCOUNT, "traffic_lasts_until"),
        below=1,
        before={"days": 5},
    )

    for tunnel in home.service.state.tunnels.values():
        tunnel.rate = 0.0
    home.service.account.traffic = 24 * 1024
    await home.elapse(MINUTE)
    await home.elapse(HOUR)

    (call,) = notifications
    assert call.data["message"] == "HayFrp demo: 24.00 GiB left, enough for 4.0 days."


# From the sensor to the forecast


@pytest.mark.parametrize(
    "recorder_config", [{"include": {"entities": ["sensor.hayfrp_demo_traffic_today"]}}]
)
async def test_with_recorded_statistics(world: World) -> None:
    """Two days, with the recorder's statistics of a counter that starts at 0 at midnight."""
    world.freezer.move_to(datetime(2026, 10, 20, 4, 54, tzinfo=dt_util.UTC))
    account = world.service.account
    account.traffic = 60 * 1024
    await world.set_up()
    for hour in range(50):
        # Midnight at the service is 16:00 UTC.
        if dt_util.utcnow().hour == 16:
            account.today_bytes = 0
        account.today_bytes += GIB // 4
        await world.elapse(MINUTE)
        if hour >= 49:
            break
        await async_wait_recording_done(world.hass)
        do_adhoc_statistics(world.hass, start=dt_util.utcnow().replace(second=0, microsecond=0))
        await async_wait_recording_done(world.hass)
        await world.elapse(59 * MINUTE)

    assert days_until(world, ACCOUNT) == pytest.approx(10, rel=0.15)
