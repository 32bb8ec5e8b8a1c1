"""Tests one sign-in for each of the service's days, with any time zone and clock changes."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.tunnel_hub.const import DOMAIN

from ..clocks import Clocks
from ..common import DAY, HOUR, MINUTE, World, on_account
from .common import DAILY, SHANGHAI, Draw, at, live_until, next_attempt, sign_in_requests, signed_on
from .conftest import MoveTo

pytestmark = pytest.mark.platforms("button", "event")

EVENING = {**DAILY, "sign_in_from": "18:00:00", "sign_in_until": "20:00:00"}


def hours(first: str, last: str) -> dict[str, object]:
    """Returns the options for a sign-in between two times."""
    return {**DAILY, "sign_in_from": f"{first}:00", "sign_in_until": f"{last}:00"}


def october(first: int, last: int) -> list[date]:
    """Returns the days of October 2026 from one to another."""
    return [date(2026, 10, day) for day in range(first, last + 1)]


def outcome(world: World) -> Mapping[str, Any]:
    """Returns the attributes of the account's event entity."""
    return world.state("event", "account:account", "sign_in").attributes


async def test_service_midnight_within_the_window(world: World, move_to: MoveTo) -> None:
    """In Los Angeles it is at 9:00: each half of the time window belongs to another day."""
    await move_to("America/Los_Angeles", "2026-10-18 22:00")
    await world.set_up(**DAILY)

    assert await live_until(world, at(26, 12)) == october(19, 26)
    assert len(sign_in_requests(world)) == 8


async def test_a_restart_every_noon(world: World, move_to: MoveTo) -> None:
    """In Berlin, the evening's time window already belongs to the service's next day."""
    await move_to("Europe/Berlin", "2026-10-18 11:00")
    await world.set_up(**EVENING)
    berlin = ZoneInfo("Europe/Berlin")

    days = []
    for day in range(18, 24):
        days += await live_until(world, datetime(2026, 10, day, 12, tzinfo=berlin))
        await world.restart()

    # The time window of the service's 18th is over: it is caught up.
    assert days == october(18, 23)
    assert len(sign_in_requests(world)) == 6


@pytest.mark.parametrize("first, last", [("08:00", "10:00"), ("18:00", "20:00")])
async def test_restart_keeps_the_selected_time(
    shanghai: World, draw: Draw, first: str, last: str
) -> None:
    """Tests several restarts, each of which would select another time."""
    await shanghai.set_up(**hours(first, last))
    chosen = next_attempt(shanghai)

    for share in (0.1, 0.9, 0.3):
        draw(share)
        await shanghai.restart()
        assert next_attempt(shanghai) == chosen


async def test_off_at_the_selected_time(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    assert await shanghai.hass.config_entries.async_unload(shanghai.entry.entry_id)
    shanghai.freezer.move_to(at(20, 9, 58))

    await shanghai.set_up()

    assert signed_on(shanghai) == date(2026, 10, 20)
    assert next_attempt(shanghai) == at(21, 9)


async def test_changed_window(shanghai: World) -> None:
    """Tests that the selected time changes with the time window."""
    await shanghai.set_up(**DAILY)
    assert next_attempt(shanghai) == at(20, 9)

    await shanghai.restart()
    shanghai.hass.config_entries.async_update_entry(shanghai.entry, options=EVENING)
    await shanghai.restart()

    assert next_attempt(shanghai) == at(20, 19)


@pytest.mark.parametrize(
    "zone, day, between",
    [
        pytest.param("America/Los_Angeles", "2026-11-01", "01:00-02:00", id="an hour comes twice"),
        pytest.param("America/Los_Angeles", "2026-03-08", "02:00-03:00", id="an hour is skipped"),
        pytest.param("America/Los_Angeles", "2026-03-08", "08:30-09:30", id="another half of them"),
        pytest.param("Europe/Berlin", "2026-10-25", "16:45-17:00", id="a day without any"),
        pytest.param("Australia/Lord_Howe", "2026-10-04", "01:45-02:15", id="half an hour"),
        pytest.param("Pacific/Chatham", "2026-09-27", "02:30-03:00", id="45 minutes"),
        pytest.param("Pacific/Kiritimati", "2026-06-01", "05:59-06:01", id="two minutes"),
        pytest.param("Asia/Shanghai", "2026-06-01", "00:00-00:00", id="all day"),
    ],
)
async def test_daylight_saving_time(
    world: World, move_to: MoveTo, zone: str, day: str, between: str
) -> None:
    """Tests one sign-in a day, within the time window where any of it is left."""
    await move_to(zone, f"{day} 12:00")
    world.freezer.tick(-2 * DAY)
    first, last = map(time.fromisoformat, between.split("-"))
    await world.set_up(**hours(*between.split("-")))
    begin = datetime.now(SHANGHAI)

    def is_open(moment: datetime) -> bool:
        """Returns whether local time is within the window."""
        return first == last or first <= moment.astimezone(ZoneInfo(zone)).time() < last

    await live_until(world, begin + timedelta(days=4))

    days = [moment.date() for moment in sign_in_requests(world)]
    assert days == [begin.date() + timedelta(days=n) for n in range(len(days))]
    assert len(days) in (4, 5)
    assert world.service.account.totalsign == len(days)
    for signed in sign_in_requests(world):
        midnight = datetime.combine(signed, time(), SHANGHAI)
        minutes = (midnight + timedelta(minutes=n) for n in range(24 * 60))
        left = (minute for minute in minutes if minute >= begin)
        assert is_open(signed) or not any(map(is_open, left)), f"{signed} is outside of the window"


async def test_another_time_zone(shanghai: World) -> None:
    """Changes the time zone to Berlin, where it is still the evening before."""
    await shanghai.set_up(**EVENING)
    assert next_attempt(shanghai) == at(20, 19)

    await shanghai.hass.config.async_set_time_zone("Europe/Berlin")
    await shanghai.elapse(MINUTE)

    # 18 to 20 in Berlin is 0 to 2 in Shanghai.
    assert at(20, 0, 31) < next_attempt(shanghai) < at(20, 2)


async def test_asleep_at_the_selected_time(shanghai: World, clocks: Clocks) -> None:
    """Resumes the machine after the time window."""
    await shanghai.set_up(**DAILY)
    clocks.sleep(10 * HOUR)

    await shanghai.elapse(MINUTE)

    assert sign_in_requests(shanghai) == [at(20, 10, 31)]
    assert next_attempt(shanghai) == at(21, 9)


async def test_asleep_over_midnight(shanghai: World, clocks: Clocks) -> None:
    shanghai.freezer.move_to(at(20, 23, 30))
    await shanghai.set_up(**DAILY)
    await live_until(shanghai, at(20, 23, 58))
    assert signed_on(shanghai) == date(2026, 10, 20)
    clocks.sleep(8 * HOUR)

    await shanghai.elapse(MINUTE)

    assert next_attempt(shanghai) == at(21, 9)
    assert await live_until(shanghai, at(21, 12)) == october(21, 21)


@pytest.mark.parametrize(
    "when, set_by",
    [
        (at(20, 0, 31), 26 * HOUR),
        (at(20, 8, 45), -HOUR),
        (at(20, 8, 45), HOUR),
        (at(20, 12), -26 * HOUR),
        (at(20, 23, 45), -HOUR),
        (at(20, 23, 45), HOUR),
    ],
)
async def test_wrong_clock(shanghai: World, clocks: Clocks, when: datetime, set_by: float) -> None:
    """Tests that no day is missed or signed in twice while the clock is wrong for six hours."""
    await shanghai.set_up(**DAILY)
    days = await live_until(shanghai, when)

    for seconds in (set_by, -set_by):
        clocks.set(seconds, shanghai.service)
        days += await live_until(shanghai, datetime.now(SHANGHAI) + timedelta(hours=6))
    days += await live_until(shanghai, at(23, 12))

    assert days == october(20, 23)
    assert shanghai.service.account.totalsign == 4
    assert len(sign_in_requests(shanghai)) < 12


@pytest.mark.parametrize("seconds", [-90, 30, 5 * MINUTE])
async def test_service_clock_differs(
    world: World, move_to: MoveTo, draw: Draw, seconds: float
) -> None:
    """Tests around midnight, when the service's date differs from ours."""
    await move_to("America/Los_Angeles", "2026-10-18 22:00")
    draw(0.0)
    world.service.advance(seconds)
    await world.set_up(**DAILY)

    assert await live_until(world, at(23, 12)) == october(19, 23)
    assert len(sign_in_requests(world)) <= 6


async def test_service_clock_an_hour_behind(world: World, move_to: MoveTo) -> None:
    """Tests that the day that the service reports counts."""
    await move_to("America/Los_Angeles", "2026-10-18 22:00")
    world.service.advance(-HOUR)
    await world.set_up(**DAILY)

    assert await live_until(world, at(23, 12)) == october(19, 23)
    assert len(sign_in_requests(world)) < 5 * 6


async def test_service_without_the_last_sign_in(shanghai: World) -> None:
    """Tests that our own sign-ins count then, also after a restart."""
    shanghai.service.fault(
        "/user", "patch", match={"type": "info"}, times=None, patch={"signdate": "?"}
    )
    await shanghai.set_up(**DAILY)

    assert await live_until(shanghai, at(20, 12)) == october(20, 20)
    await shanghai.restart()
    assert next_attempt(shanghai) == at(21, 9)
    assert await live_until(shanghai, at(22, 12)) == october(21, 22)
    assert len(sign_in_requests(shanghai)) == 3


async def test_a_missed_day_is_reported(
    shanghai: World, hass_storage: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Tests the event after Home Assistant was off on the 21st and 22nd."""
    await shanghai.set_up(**DAILY)
    await live_until(shanghai, at(20, 12))
    assert await shanghai.hass.config_entries.async_unload(shanghai.entry.entry_id)
    shanghai.freezer.move_to(at(23, 0, 10))

    await shanghai.set_up()

    assert outcome(shanghai)[ATTR_EVENT_TYPE] == "missed"
    assert outcome(shanghai)["day"] == "2026-10-22"
    assert outcome(shanghai)["days"] == 2
    assert "no daily sign-in on 2026-10-22" in caplog.text
    await shanghai.restart()
    assert caplog.text.count("no daily sign-in") == 1


async def test_a_day_signed_in_elsewhere_is_not_missed(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    await live_until(shanghai, at(20, 12))
    assert await shanghai.hass.config_entries.async_unload(shanghai.entry.entry_id)
    shanghai.service.account.signdate = int(at(21, 20).timestamp())
    shanghai.freezer.move_to(at(22, 0, 10))

    await shanghai.set_up()

    assert outcome(shanghai)[ATTR_EVENT_TYPE] == "signed_in"


async def test_a_failed_day_is_reported(shanghai: World) -> None:
    """Tests that it is reported only after the service has confirmed it."""
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "error", times=None)
    await live_until(shanghai, at(21, 4))
    shanghai.service.clear_faults()
    await shanghai.live(3 * MINUTE)

    assert outcome(shanghai)[ATTR_EVENT_TYPE] == "missed"
    assert outcome(shanghai)["day"] == "2026-10-20"
    assert outcome(shanghai)["days"] == 1


async def test_a_missed_day_after_a_clock_a_week_ahead(shanghai: World, clocks: Clocks) -> None:
    await shanghai.set_up(**DAILY)
    await live_until(shanghai, at(21, 1))
    for seconds in (7 * DAY, -7 * DAY):
        clocks.set(seconds, shanghai.service)
        await shanghai.live(5 * MINUTE)
    shanghai.service.fault("/user", "error", times=None)
    await live_until(shanghai, at(22, 4))
    shanghai.service.clear_faults()
    await shanghai.live(3 * MINUTE)

    assert outcome(shanghai)[ATTR_EVENT_TYPE] == "missed"
    assert outcome(shanghai)["day"] == "2026-10-21"
    assert outcome(shanghai)["days"] == 1


async def test_manual_sign_in_before_the_report(shanghai: World) -> None:
    """Tests that the missed day is reported before a manual sign-in although polls fail."""
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "error", times=None)
    await live_until(shanghai, at(21, 4))
    shanghai.service.clear_faults()
    shanghai.service.fault("/user", "error", match={"type": "info"}, times=None)
    outcomes: list[str] = []
    shanghai.entry.runtime_data.sign_in.async_listen(lambda outcome, _: outcomes.append(outcome))

    await on_account(shanghai, "sign_in")

    assert outcomes == ["missed", "signed_in"]


async def test_turned_off_for_days(shanghai: World, hass_storage: dict[str, Any]) -> None:
    """Tests that days while it was turned off are not reported."""
    await shanghai.set_up(**DAILY)
    await live_until(shanghai, at(20, 12))
    shanghai.hass.config_entries.async_update_entry(shanghai.entry, options={})
    await shanghai.restart()
    assert f"{DOMAIN}.{shanghai.entry.entry_id}.sign_in" not in hass_storage
    shanghai.freezer.move_to(at(23, 0, 10))
    shanghai.hass.config_entries.async_update_entry(shanghai.entry, options=DAILY)

    await shanghai.restart()

    assert outcome(shanghai)[ATTR_EVENT_TYPE] == "signed_in"
    assert next_attempt(shanghai) == at(23, 9)


async def test_no_request_without_need(shanghai: World) -> None:
    """Tests that there is no automatic request after a sign-in elsewhere."""
    await shanghai.set_up(**DAILY)
    shanghai.service.account.signdate = int(at(20, 0, 40).timestamp())
    await live_until(shanghai, at(20, 20))
    assert not sign_in_requests(shanghai)
    assert next_attempt(shanghai) == at(21, 9)

    await shanghai.act("button", "press", "account:account", "sign_in")

    assert len(sign_in_requests(shanghai)) == 1
    assert outcome(shanghai)[ATTR_EVENT_TYPE] == "already_signed_in"
    assert next_attempt(shanghai) == at(21, 9)


async def test_manual_and_automatic_in_parallel(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.freezer.move_to(at(20, 9))
    async_fire_time_changed(shanghai.hass)

    await shanghai.act("button", "press", "account:account", "sign_in")

    assert shanghai.service.account.totalsign == 1
    assert outcome(shanghai)[ATTR_EVENT_TYPE] in ("signed_in", "already_signed_in")
    assert next_attempt(shanghai) == at(21, 9)


async def test_removal_deletes_the_stored_data(
    shanghai: World, hass_storage: dict[str, Any]
) -> None:
    await shanghai.set_up(**DAILY)
    key = f"{DOMAIN}.{shanghai.entry.entry_id}.sign_in"
    assert hass_storage[key]["data"]["settled"] == "2026-10-19"

    await shanghai.hass.config_entries.async_remove(shanghai.entry.entry_id)
    await shanghai.settle()

    assert key not in hass_storage


async def test_a_message_of_any_length(shanghai: World) -> None:
    """Tests that long messages are truncated."""
    await shanghai.set_up()
    words = "签" * 5000
    for status in (500, 200):
        shanghai.service.fault(
            "/user", "body", match={"type": "sign"}, body={"status": status, "message": words}
        )
        with suppress(HomeAssistantError):
            await shanghai.act("button", "press", "account:account", "sign_in")
        assert outcome(shanghai)[ATTR_EVENT_TYPE] == ("signed_in" if status == 200 else "failed")
        assert 200 < len(outcome(shanghai)["message"]) <= 1000
