"""Until when traffic lasts, out of long-term statistics as the recorder has them."""

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
from .long_term import NO_STATES, days_until, lasts_until as shown, remember

GIB = 1024**3
ACCOUNT = "account_forecast:account"

pytestmark = [SMALL, pytest.mark.usefixtures("recorder_mock")]


@pytest.fixture
def recorder_config() -> dict[str, Any]:
    """Record no states: the statistics are written by the tests."""
    return NO_STATES


@pytest.fixture
async def home(world: World) -> World:
    """An account with 60 GiB left."""
    world.service.account.traffic = 60 * 1024
    await world.set_up()
    return world


async def test_unknown_at_first(home: World) -> None:
    assert shown(home, ACCOUNT) == STATE_UNKNOWN

    await remember(home, "account:account", "traffic_today", 2, hours=47)
    await home.elapse(HOUR)
    assert shown(home, ACCOUNT) == STATE_UNKNOWN

    await remember(home, "account:account", "traffic_today", 2, hours=48)
    await home.elapse(HOUR)
    assert days_until(home, ACCOUNT) == pytest.approx(30, rel=0.03)


async def test_the_pace_of_a_week(home: World) -> None:
    """Neither of today alone, nor of what was before."""
    await remember(home, "account:account", "traffic_today", 100, hours=8 * 24)
    await remember(home, "account:account", "traffic_today", 6, hours=7 * 24)

    await home.elapse(HOUR)

    assert days_until(home, ACCOUNT) == pytest.approx(10, rel=0.02)
    assert datetime.fromisoformat(shown(home, ACCOUNT)).minute == 0


async def test_what_signing_in_gains_counts(home: World) -> None:
    await remember(home, "account:account", "traffic_today", 6)
    await remember(home, "account:account", "sign_in_traffic", 4)
    await home.elapse(HOUR)
    assert days_until(home, ACCOUNT) == pytest.approx(30, rel=0.02)

    await remember(home, "account:account", "sign_in_traffic", 7)
    await home.elapse(HOUR)
    assert shown(home, ACCOUNT) == STATE_UNKNOWN, "it lasts for ever"


async def test_days_on_which_home_assistant_was_off(home: World) -> None:
    """A counter of today alone misses what was used then: they are no days without use."""
    await remember(home, "account:account", "traffic_today", 6, gap=48)

    await home.elapse(HOUR)

    assert days_until(home, ACCOUNT) == pytest.approx(10, rel=0.03)


async def test_it_only_changes_with_news(home: World) -> None:
    await remember(home, "account:account", "traffic_today", 6)
    await home.elapse(HOUR)
    first = home.state("sensor", ACCOUNT, "traffic_lasts_until")

    for _ in range(8):
        home.service.account.traffic -= 256
        await home.elapse(HOUR)
    assert home.state("sensor", ACCOUNT, "traffic_lasts_until").last_updated == first.last_updated

    home.service.account.traffic = 20 * 1024
    await home.live(30 * MINUTE, 15 * MINUTE)
    assert days_until(home, ACCOUNT) == pytest.approx(20 / 6, rel=0.05)


async def test_nothing_is_left(home: World) -> None:
    """The moment at which it ended stays until there is some again."""
    await remember(home, "account:account", "traffic_today", 6)
    home.service.account.traffic = 0
    await home.live(HOUR, 15 * MINUTE)
    ended = shown(home, ACCOUNT)
    assert datetime.fromisoformat(ended) <= dt_util.utcnow()

    await home.live(5 * HOUR, HOUR)
    assert shown(home, ACCOUNT) == ended

    home.service.account.traffic = 6 * 1024
    await home.live(HOUR, 15 * MINUTE)
    assert days_until(home, ACCOUNT) == pytest.approx(1, rel=0.1)


async def test_a_sensor_that_is_disabled_counts_nothing(home: World) -> None:
    await remember(home, "account:account", "traffic_today", 6)
    er.async_get(home.hass).async_update_entity(
        home.entity_id("sensor", "account:account", "traffic_today"),
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    await home.restart()
    await home.elapse(HOUR)

    assert shown(home, ACCOUNT) == STATE_UNKNOWN


async def test_after_a_restart_it_is_there_at_once(home: World) -> None:
    await remember(home, "account:account", "traffic_today", 6)

    await home.restart()

    assert days_until(home, ACCOUNT) == pytest.approx(10, rel=0.02)


async def test_the_service_is_down_at_the_start(home: World) -> None:
    """The entity stays, and there is no guess."""
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


async def test_it_costs_no_request(home: World) -> None:
    before = {call.path for call in home.service.calls}
    home.service.calls.clear()

    await home.elapse(HOUR)

    assert {call.path for call in home.service.calls} <= before


# The trigger


async def test_told_once_some_time_before(home: World) -> None:
    """At the right time, although the forecast itself says nothing new then."""
    await remember(home, "account:account", "traffic_today", 6)
    await home.elapse(HOUR)
    ending = await armed(
        home.hass, "traffic_ending", of(home, "account:account"), before={"days": 9}
    )
    # Nothing is used any more: the forecast would move away, but by less than what is news.
    await home.live(20 * HOUR, HOUR)
    assert ending == []
    await home.live(6 * HOUR, HOUR)
    assert ending == [home.entity_id("sensor", ACCOUNT, "traffic_lasts_until")]

    home.service.account.traffic = 40 * 1024
    await home.live(HOUR, 15 * MINUTE)
    home.service.account.traffic = 30 * 1024
    await home.live(HOUR, 15 * MINUTE)
    assert len(ending) == 1, "nearer and nearer is no news"

    home.service.account.traffic = 90 * 1024
    await home.live(HOUR, 15 * MINUTE)
    home.service.account.traffic = 20 * 1024
    await home.live(HOUR, 15 * MINUTE)
    assert len(ending) == 2


async def test_told_once_although_the_account_is_reloaded(home: World) -> None:
    await remember(home, "account:account", "traffic_today", 6)
    await home.elapse(HOUR)
    ending = await armed(
        home.hass, "traffic_ending", of(home, "account:account"), before={"days": 9}
    )
    home.service.account.traffic = 40 * 1024
    await home.live(HOUR, 15 * MINUTE)
    assert len(ending) == 1

    await home.hass.config_entries.async_reload(home.entry.entry_id)
    await home.live(2 * HOUR, 15 * MINUTE)

    assert shown(home, ACCOUNT) not in {STATE_UNAVAILABLE, STATE_UNKNOWN}
    assert len(ending) == 1


async def test_a_forecast_that_goes_away_is_not_told(home: World) -> None:
    await remember(home, "account:account", "traffic_today", 6)
    await home.elapse(HOUR)
    ending = await armed(
        home.hass, "traffic_ending", of(home, "account:account"), before={"days": 9}
    )
    await remember(home, "account:account", "sign_in_traffic", 7)
    await home.live(3 * DAY, 6 * HOUR)

    assert shown(home, ACCOUNT) == STATE_UNKNOWN
    assert ending == []


async def test_what_is_near_already_is_not_told_when_armed(home: World) -> None:
    await remember(home, "account:account", "traffic_today", 60)
    await home.elapse(HOUR)
    ending = await armed(home.hass, "traffic_ending", of(home, "account:account"))

    home.service.account.traffic = 40 * 1024
    await home.live(3 * HOUR, HOUR)

    assert ending == []


async def test_the_blueprint(home: World, automate: Automate, told: list[ServiceCall]) -> None:
    await remember(home, "account:account", "traffic_today", 6)
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

    (call,) = told
    assert call.data["message"] == "HayFrp demo: 24.00 GiB left, enough for 4.0 days."


# From the sensor to the forecast


@pytest.mark.parametrize(
    "recorder_config", [{"include": {"entities": ["sensor.hayfrp_demo_traffic_today"]}}]
)
async def test_out_of_what_home_assistant_records_itself(world: World) -> None:
    """Two days, with the recorder's statistics of a counter that begins with 0 at midnight."""
    world.freezer.move_to(datetime(2026, 10, 20, 4, 54, tzinfo=dt_util.UTC))
    account = world.service.account
    account.traffic = 60 * 1024
    await world.set_up()
    for hour in range(50):
        # The service's midnight is at 16:00 UTC.
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
