"""Tests the schedule of daily attempts against brute force."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st

from custom_components.tunnel_hub.daily_schedule import DailySchedule, Hours, Span

settings.register_profile("tunnel_hub", derandomize=True, database=None, deadline=None)
settings.load_profile("tunnel_hub")

SHANGHAI = timezone(timedelta(hours=8))
ZONES = (
    "America/Los_Angeles",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "UTC",
)
CHANGES = (
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 4, 4, tzinfo=UTC),
    datetime(2026, 9, 26, tzinfo=UTC),
    datetime(2026, 10, 3, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
)
"""Dates on which daylight saving time starts or ends somewhere."""

zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.builds(
    lambda day, seconds: day + timedelta(seconds=seconds),
    st.sampled_from(CHANGES),
    st.integers(-86400, 2 * 86400),
)
times = st.times().map(lambda at: at.replace(microsecond=0))
round_times = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
all_hours = st.builds(Hours, times | round_times, times | round_times)
schedules = st.builds(DailySchedule, all_hours, st.sampled_from((SHANGHAI, UTC)), zones)


def is_open(hours: Hours, moment: datetime, home: tzinfo) -> bool:
    """Returns whether local time is within the window."""
    at = moment.astimezone(home).time()
    if hours.first == hours.last:
        return True
    if hours.first < hours.last:
        return hours.first <= at < hours.last
    return not hours.last <= at < hours.first


@given(hours=all_hours, start=moments, length=st.integers(0, 30 * 3600), home=zones)
def test_parts(hours: Hours, start: datetime, length: int, home: ZoneInfo) -> None:
    """Tests that exactly the moments within the window are in a part, and that parts are sorted."""
    end = start + timedelta(seconds=length)
    parts = hours.parts(Span(start, end), home)

    edges = [edge for part in parts for edge in part]
    assert edges == sorted(set(edges))
    assert all(start <= edge <= end for edge in edges)
    for seconds in {*range(0, length, 431), *(int((e - start).total_seconds()) for e in edges)}:
        moment = start + timedelta(seconds=seconds)
        if moment < end:
            inside = any(part.start <= moment < part.end for part in parts)
            assert inside == is_open(hours, moment, home) == hours.include(moment, home)


@given(schedule=schedules, now=moments, ahead=st.integers(0, 1))
def test_first_try(schedule: DailySchedule, now: datetime, ahead: int) -> None:
    """Tests that it is on that day, not before now, and within the window if any of it is left."""
    day = schedule.day_of(now) + timedelta(days=ahead)

    moment = schedule.first_try(day, now)

    assert moment >= now
    assert schedule.day_of(moment) == day
    begin = datetime.combine(day, time(), schedule.service).astimezone(UTC)
    left = [
        begin + timedelta(minutes=minute)
        for minute in range(24 * 60)
        if begin + timedelta(minutes=minute) >= now
    ]
    if any(is_open(schedule.hours, minute, schedule.home) for minute in left):
        assert is_open(schedule.hours, moment, schedule.home)
    assert schedule.is_still_valid(moment, day, now)


@given(
    schedule=schedules,
    now=moments,
    at_least=st.sampled_from((0, 0, 0, 30, 3000)),
)
def test_next_tries(schedule: DailySchedule, now: datetime, at_least: int) -> None:
    """Tests pauses between a minute and two and a half hours, until the last minutes of the day."""
    day = schedule.day_of(now)
    end = datetime.combine(day + timedelta(days=1), time(), schedule.service)
    pause, tries = timedelta(seconds=at_least), 1
    while (later := schedule.next_try(day, now, tries, pause)) < end:
        assert timedelta(minutes=1) <= later - now <= timedelta(hours=2.5)
        assert later - now >= pause
        now, tries = later, tries + 1

    assert later == end
    assert tries <= 26
    assert end - now <= max(timedelta(minutes=2.5), pause * 2)


def test_is_still_valid() -> None:
    """Tests that a time that was selected for one day is invalid for another."""
    schedule = DailySchedule(Hours(time(8), time(10)), SHANGHAI, ZoneInfo("Asia/Shanghai"))
    noon = datetime(2026, 10, 20, 12, tzinfo=SHANGHAI)

    assert schedule.is_still_valid(noon, date(2026, 10, 20), noon), "the window is over"
    assert not schedule.is_still_valid(noon, date(2026, 10, 20), noon - timedelta(hours=5))
    assert not schedule.is_still_valid(noon, date(2026, 10, 21), noon)
