"""Tests random days of a home against a model of clocks.

For each minute, the model records whether Home Assistant and the service were running, and local
time. From that it computes on which of the service's days there must be a sign-in.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
import logging
from math import ceil
import random
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from hypothesis import Phase, given, settings, strategies as st
import pytest

from custom_components.tunnel_hub import coordinator, daily_schedule, sign_in
from simulator.hayfrp import HayFrpService

from ..clocks import Clocks
from ..common import DAY, HOUR, MINUTE, World, account_entry
from .common import next_attempt
from .test_schedule import CHANGES, ZONES, all_hours

pytestmark = pytest.mark.platforms("button", "event")

QUICK = 8
EXTENDED = 400
DAYS = 4
LONGEST_STEP = 6 * HOUR

_MINUTES_BEFORE_CLOSING = 14
"""Minutes at the end of the time window that are enough for a sign-in if the service is running.

They include the time until Home Assistant notices the service.
"""
_MINUTES_BEFORE_MIDNIGHT = 10
"""Minutes at the end of the service's day that are enough for a sign-in."""


class Disturbance(NamedTuple):
    """An event at a home. start, length: in minutes, the start since the beginning."""

    kind: Literal["off", "outage", "sleep", "ahead", "behind", "restart", "zone", "hours"]
    start: int
    length: int
    zone: str
    hours: daily_schedule.Hours


disturbances = st.lists(
    st.builds(
        Disturbance,
        st.sampled_from(
            ("off", "outage", "outage", "sleep", "ahead", "behind", "restart", "zone", "hours")
        ),
        st.integers(0, DAYS * 24 * 60),
        st.sampled_from((1, 20, 90, 500, 1500)),
        st.sampled_from(ZONES),
        all_hours,
    ),
    max_size=5,
)


class Minute(NamedTuple):
    """A minute of the service's time. at: minutes since 1970. open: within the time window."""

    at: int
    up: bool
    open: bool

    @property
    def day(self) -> int:
        """The service's day, as days since 1970."""
        return _day_of(self.at * 60)


def _day_of(seconds: float) -> int:
    """Returns the service's day for seconds since 1970, as days since 1970."""
    return int(seconds + 8 * 3600) // 86400


@cache
def _ahead_of_utc(zone: ZoneInfo, quarter_hour: int) -> int:
    """Returns a time zone's offset in seconds, for quarter hours since 1970."""
    offset = datetime.fromtimestamp(quarter_hour * 900, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@dataclass
class HomeModel:
    """A home, and the model's records of it."""

    world: World
    clocks: Clocks
    zone: ZoneInfo
    hours: daily_schedule.Hours
    minutes: list[Minute] = field(default_factory=list)
    signed: list[int] = field(default_factory=list)
    """Times of sign-ins in seconds since 1970."""
    in_hours: set[int] = field(default_factory=set)
    """The sign-ins within the time window of that time."""
    disturbed: set[int] = field(default_factory=set)
    """Days with changes, which are not checked strictly."""
    outage: bool = False
    ahead: float = 0.0

    @property
    def now(self) -> int:
        """The service's time, which is correct, in seconds since 1970."""
        return int(self.world.service.now())

    @property
    def is_up(self) -> bool:
        """Whether Home Assistant and the service are running."""
        return self.world.entry.state is ConfigEntryState.LOADED and not self.outage

    def note(self, until: int, *, up: bool) -> None:
        """Records each minute since the last one."""
        begin = self.minutes[-1].at + 1 if self.minutes else self.now // 60 + 1
        for at in range(begin, until // 60):
            self.minutes.append(Minute(at, up, self.is_open(at * 60)))

    def note_sign_in(self) -> None:
        """Records a new sign-in, and whether it is within the time window."""
        account = self.world.service.account
        if (account.totalsign or 0) != len(self.signed):
            self.signed.append(at := account.signdate or 0)
            if self.is_open(at):
                self.in_hours.add(at)

    def is_open(self, seconds: int) -> bool:
        """Returns whether local time is within the window."""
        seconds += int(self.ahead)
        wall = (seconds + _ahead_of_utc(self.zone, seconds // 900)) % 86400
        first, last = (
            at.hour * 3600 + at.minute * 60 + at.second
            for at in (self.hours.first, self.hours.last)
        )
        return first <= wall < last if first < last else not last <= wall < first or first == last

    def disturb(self) -> None:
        """Excludes this day and both adjacent ones from strict checks."""
        today = _day_of(self.now)
        self.disturbed |= {today - 1, today, today + 1}

    async def live_until(self, moment: int) -> None:
        """Moves time in steps and from attempt to attempt."""
        while (now := self.now) < moment:
            step = min(moment - now, LONGEST_STEP)
            if self.world.entry.state is ConfigEntryState.LOADED:
                soon = ceil(next_attempt(self.world).timestamp() - self.ahead) - now
                # A missed time, for example after sleep, is noticed within a minute.
                step = min(step, soon if soon > 0 else MINUTE)
            elif self.world.entry.state is ConfigEntryState.SETUP_RETRY and not self.outage:
                step = min(step, MINUTE)
            self.note(now + step, up=self.is_up)
            await self.world.elapse(step)
            self.note_sign_in()

    async def run(self, disturbance: Disturbance) -> None:
        """Runs an event from start to end."""
        length = disturbance.length * MINUTE
        match disturbance.kind:
            case "off":
                await self.turn_off()
                await self.live_until(self.now + length)
                await self.turn_on()
            case "restart":
                await self.turn_off()
                await self.turn_on()
            case "outage":
                self.world.service.fault("*", "status", status=503, times=None)
                self.outage = True
                await self.live_until(self.now + length)
                self.world.service.clear_faults()
                self.outage = False
            case "sleep":
                self.note(self.now + length, up=False)
                self.clocks.sleep(length)
            case "ahead" | "behind":
                seconds = length * (1 if disturbance.kind == "ahead" else -1)
                self.disturb()
                await self.set_clock(seconds)
                await self.live_until(self.now + 3 * HOUR)
                await self.set_clock(-seconds)
                self.disturb()
            case "zone":
                self.disturb()
                self.zone = ZoneInfo(disturbance.zone)
                await self.world.hass.config.async_set_time_zone(disturbance.zone)
            case "hours":
                self.disturb()
                self.hours = disturbance.hours
                await self.turn_off()
                await self.turn_on()

    async def set_clock(self, seconds: float) -> None:
        """Changes the system clock."""
        self.clocks.set(seconds, self.world.service)
        self.ahead += seconds

    async def turn_off(self) -> None:
        """Stop Home Assistant."""
        assert await self.world.hass.config_entries.async_unload(self.world.entry.entry_id)

    async def turn_on(self) -> None:
        """Start Home Assistant."""
        await self.world.set_up(
            sign_in_daily=True,
            sign_in_from=self.hours.first.isoformat(),
            sign_in_until=self.hours.last.isoformat(),
        )
        self.note_sign_in()

    # Checks

    def check(self, missed: int) -> None:
        """Compares sign-ins and reported missed days with the model."""
        days: dict[int, list[Minute]] = {}
        for minute in self.minutes:
            days.setdefault(minute.day, []).append(minute)
        over = list(days)[:-1]
        signed = list(map(_day_of, self.signed))
        assert len(signed) == len(set(signed))
        for day in over:
            minutes, calls = days[day], self.calls_on(day)
            assert len(calls) < 30
            if day in self.disturbed:
                continue
            if all(minute.up for minute in minutes[-_MINUTES_BEFORE_MIDNIGHT:]):
                assert day in signed, (
                    "no sign-in although the service was running at the end of the day"
                )
            for end in closings(minutes):
                if all(
                    minute.up for minute in minutes[max(0, end - _MINUTES_BEFORE_CLOSING) : end]
                ):
                    closed = minutes[end - 1].at * 60 + 60
                    assert any(_day_of(at) == day and at < closed for at in self.signed), (
                        "no sign-in although the service was running at the end of the window"
                    )
            if all(minute.up for minute in minutes):
                assert len(calls) == 1, "more than one request"
                if any(minute.open for minute in minutes):
                    assert int(calls[0]) in self.in_hours
        if not self.disturbed:
            assert missed == sum(day not in signed for day in over)

    def calls_on(self, day: int) -> list[float]:
        """Returns the times of requests on one of the service's days, in seconds since 1970."""
        calls = self.world.service.calls_to("/user", type="sign")
        return [call.at for call in calls if _day_of(call.at) == day]


def closings(minutes: list[Minute]) -> list[int]:
    """Returns the indexes of minutes after the end of time windows that were long enough."""
    found: list[int] = []
    length = 0
    for index, minute in enumerate([*minutes, None]):
        if minute is not None and minute.open:
            length += 1
        else:
            if length >= _MINUTES_BEFORE_CLOSING:
                found.append(index)
            length = 0
    return found


@dataclass(slots=True)
class Homes:
    """Creates one home after the other."""

    hass: HomeAssistant
    service: HayFrpService
    clocks: Clocks
    monkeypatch: pytest.MonkeyPatch
    caplog: pytest.LogCaptureFixture
    made: int = 0

    def missed(self) -> int:
        """Returns the number of days that were reported as missed."""
        logged = [record for record in self.caplog.records if record.name == sign_in.__name__]
        return sum(int(str(record.args[-1])) for record in logged if isinstance(record.args, tuple))

    @asynccontextmanager
    async def home(self, plan: Plan) -> AsyncIterator[HomeModel]:
        """Creates a home within the context."""
        self.made += 1
        self.caplog.clear()
        self.clocks.move_to(plan.start)
        self.monkeypatch.setattr(daily_schedule, "random", random.Random(plan.seed))
        self.service.state = self.service.new_state()
        self.service.calls.clear()
        await self.hass.config.async_set_time_zone(plan.zone)
        entry = account_entry(self.service, self.service.account, f"home-{self.made}")
        entry.add_to_hass(self.hass)
        world = World(self.hass, self.clocks.freezer, self.service, entry)
        home_model = HomeModel(world, self.clocks, ZoneInfo(plan.zone), plan.hours)
        try:
            yield home_model
        finally:
            self.service.clear_faults()
            await home_model.set_clock(-home_model.ahead)
            await self.hass.config_entries.async_remove(entry.entry_id)
            await world.settle()


@pytest.fixture
def homes(
    hass: HomeAssistant,
    hayfrp: HayFrpService,
    clocks: Clocks,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Homes:
    caplog.set_level(logging.CRITICAL, coordinator.__name__)
    caplog.set_level(logging.WARNING, sign_in.__name__)
    return Homes(hass, hayfrp, clocks, monkeypatch, caplog)


class Plan(NamedTuple):
    """A home and its events."""

    start: datetime
    zone: str
    hours: daily_schedule.Hours
    disturbances: list[Disturbance]
    seed: int


plans = st.builds(
    Plan,
    st.sampled_from(CHANGES).map(lambda change: change - timedelta(days=1)),
    st.sampled_from(ZONES),
    all_hours,
    disturbances,
    st.integers(0, 1000),
)


async def live(homes: Homes, plan: Plan) -> None:
    """Runs a plan and checks the result."""
    async with homes.home(plan) as home_model:
        begin = home_model.now
        await home_model.turn_on()
        for disturbance in sorted(plan.disturbances, key=lambda disturbance: disturbance.start):
            await home_model.live_until(begin + disturbance.start * MINUTE)
            await home_model.run(disturbance)
        end = max(begin + DAYS * DAY, home_model.now)
        await home_model.live_until((_day_of(end) + 1) * DAY - 8 * HOUR + 5 * MINUTE)
        home_model.check(homes.missed())


def test_random_days(homes: Homes, pytestconfig: pytest.Config) -> None:
    extended = pytestconfig.getoption("extended")

    # Shrinking a failing example takes as long as hundreds of others.
    @settings(max_examples=EXTENDED if extended else QUICK, phases=[Phase.generate])
    @given(plan=plans)
    def one(plan: Plan) -> None:
        homes.hass.loop.run_until_complete(live(homes, plan))

    one()
