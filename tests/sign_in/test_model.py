"""Days in the life of a home, drawn at random, against a model that only knows clocks.

The model sees minute by minute whether Home Assistant and the service were there, and what the
clock on the wall said. From that it tells on which days of the service there must be a sign-in.
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
from .common import next_try
from .test_schedule import CHANGES, ZONES, all_hours

pytestmark = pytest.mark.platforms("button", "event")

QUICK = 8
EXTENDED = 400
DAYS = 4
LONGEST_STEP = 6 * HOUR

_ENOUGH = 14
"""Minutes at the end of the hours for which the service must be there for a sign-in.

Some of them until Home Assistant has noticed that it is.
"""
_LAST = 10
"""Minutes at the end of the service's day that are enough, too."""


class Trouble(NamedTuple):
    """What happens to a home. start, length: in minutes, the start since the beginning."""

    kind: Literal["off", "outage", "sleep", "ahead", "behind", "restart", "zone", "hours"]
    start: int
    length: int
    zone: str
    hours: daily_schedule.Hours


troubles = st.lists(
    st.builds(
        Trouble,
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
    """What was at a minute of the service's time. at: minutes since 1970."""

    at: int
    up: bool
    open: bool

    @property
    def day(self) -> int:
        """The service's day, as days since 1970."""
        return _day_of(self.at * 60)


def _day_of(seconds: float) -> int:
    """Return the service's day of some seconds since 1970, as days since 1970."""
    return int(seconds + 8 * 3600) // 86400


@cache
def _ahead_of_utc(zone: ZoneInfo, quarter_hour: int) -> int:
    """Return by how many seconds a zone's clocks are ahead, a number of quarters since 1970."""
    offset = datetime.fromtimestamp(quarter_hour * 900, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@dataclass
class Life:
    """One home, and what the model saw of it."""

    world: World
    clocks: Clocks
    zone: ZoneInfo
    hours: daily_schedule.Hours
    minutes: list[Minute] = field(default_factory=list)
    signed: list[int] = field(default_factory=list)
    """When, in seconds since 1970."""
    in_hours: set[int] = field(default_factory=set)
    """Which of these were within the hours that the user wanted then."""
    disturbed: set[int] = field(default_factory=set)
    """Days on which something was changed."""
    outage: bool = False
    ahead: float = 0.0

    @property
    def now(self) -> int:
        """The service's time, which is the true one: seconds since 1970."""
        return int(self.world.service.now())

    @property
    def is_up(self) -> bool:
        """Whether Home Assistant and the service are there."""
        return self.world.entry.state is ConfigEntryState.LOADED and not self.outage

    def note(self, until: int, *, up: bool) -> None:
        """Note what is, for each minute since the last one."""
        begin = self.minutes[-1].at + 1 if self.minutes else self.now // 60 + 1
        for at in range(begin, until // 60):
            self.minutes.append(Minute(at, up, self.is_open(at * 60)))

    def note_sign_in(self) -> None:
        """Note a new sign-in, and whether the hours and the clocks of now allow it."""
        account = self.world.service.account
        if (account.totalsign or 0) != len(self.signed):
            self.signed.append(at := account.signdate or 0)
            if self.is_open(at):
                self.in_hours.add(at)

    def is_open(self, seconds: int) -> bool:
        """Return whether a clock on the wall shows one of the user's hours."""
        seconds += int(self.ahead)
        wall = (seconds + _ahead_of_utc(self.zone, seconds // 900)) % 86400
        first, last = (
            at.hour * 3600 + at.minute * 60 + at.second
            for at in (self.hours.first, self.hours.last)
        )
        return first <= wall < last if first < last else not last <= wall < first or first == last

    def disturb(self) -> None:
        """Note that little can be said of this day and those beside it."""
        today = _day_of(self.now)
        self.disturbed |= {today - 1, today, today + 1}

    async def live_until(self, moment: int) -> None:
        """Let time pass, from try to try and in steps."""
        while (now := self.now) < moment:
            step = min(moment - now, LONGEST_STEP)
            if self.world.entry.state is ConfigEntryState.LOADED:
                soon = ceil(next_try(self.world).timestamp() - self.ahead) - now
                # A moment that is over, as after sleep, is noticed within a minute.
                step = min(step, soon if soon > 0 else MINUTE)
            elif self.world.entry.state is ConfigEntryState.SETUP_RETRY and not self.outage:
                step = min(step, MINUTE)
            self.note(now + step, up=self.is_up)
            await self.world.elapse(step)
            self.note_sign_in()

    async def suffer(self, trouble: Trouble) -> None:
        """Let something happen, and pass."""
        length = trouble.length * MINUTE
        match trouble.kind:
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
                seconds = length * (1 if trouble.kind == "ahead" else -1)
                self.disturb()
                await self.set_clock(seconds)
                await self.live_until(self.now + 3 * HOUR)
                await self.set_clock(-seconds)
                self.disturb()
            case "zone":
                self.disturb()
                self.zone = ZoneInfo(trouble.zone)
                await self.world.hass.config.async_set_time_zone(trouble.zone)
            case "hours":
                self.disturb()
                self.hours = trouble.hours
                await self.turn_off()
                await self.turn_on()

    async def set_clock(self, seconds: float) -> None:
        """Set our clock wrong, or right again."""
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

    # What must be

    def check(self, missed: int) -> None:
        """Compare what was done, and how many days were told as missed, with what clocks say."""
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
            if all(minute.up for minute in minutes[-_LAST:]):
                assert day in signed, "the service was there at the end of the day"
            for end in closings(minutes):
                if all(minute.up for minute in minutes[max(0, end - _ENOUGH) : end]):
                    closed = minutes[end - 1].at * 60 + 60
                    assert any(_day_of(at) == day and at < closed for at in self.signed), (
                        "the service was there at the end of the hours"
                    )
            if all(minute.up for minute in minutes):
                assert len(calls) == 1, "no need to ask more than once"
                if any(minute.open for minute in minutes):
                    assert int(calls[0]) in self.in_hours
        if not self.disturbed:
            assert missed == sum(day not in signed for day in over)

    def calls_on(self, day: int) -> list[float]:
        """Return when the service was asked on one of its days, in seconds since 1970."""
        calls = self.world.service.calls_to("/user", type="sign")
        return [call.at for call in calls if _day_of(call.at) == day]


def closings(minutes: list[Minute]) -> list[int]:
    """Return the indexes of minutes at which hours have just ended that were long enough."""
    found: list[int] = []
    length = 0
    for index, minute in enumerate([*minutes, None]):
        if minute is not None and minute.open:
            length += 1
        else:
            if length >= _ENOUGH:
                found.append(index)
            length = 0
    return found


@dataclass(slots=True)
class Homes:
    """Makes one home after the other."""

    hass: HomeAssistant
    service: HayFrpService
    clocks: Clocks
    monkeypatch: pytest.MonkeyPatch
    caplog: pytest.LogCaptureFixture
    made: int = 0

    def missed(self) -> int:
        """Return how many days were told as missed."""
        told = [record for record in self.caplog.records if record.name == sign_in.__name__]
        return sum(int(str(record.args[-1])) for record in told if isinstance(record.args, tuple))

    @asynccontextmanager
    async def home(self, plan: Plan) -> AsyncIterator[Life]:
        """Make a home, and take it away again."""
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
        life = Life(world, self.clocks, ZoneInfo(plan.zone), plan.hours)
        try:
            yield life
        finally:
            self.service.clear_faults()
            await life.set_clock(-life.ahead)
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
    """A home, and what happens to it."""

    start: datetime
    zone: str
    hours: daily_schedule.Hours
    troubles: list[Trouble]
    seed: int


plans = st.builds(
    Plan,
    st.sampled_from(CHANGES).map(lambda change: change - timedelta(days=1)),
    st.sampled_from(ZONES),
    all_hours,
    troubles,
    st.integers(0, 1000),
)


async def live(homes: Homes, plan: Plan) -> None:
    """Live some days, and look whether all went well."""
    async with homes.home(plan) as life:
        begin = life.now
        await life.turn_on()
        for trouble in sorted(plan.troubles, key=lambda trouble: trouble.start):
            await life.live_until(begin + trouble.start * MINUTE)
            await life.suffer(trouble)
        end = max(begin + DAYS * DAY, life.now)
        await life.live_until((_day_of(end) + 1) * DAY - 8 * HOUR + 5 * MINUTE)
        life.check(homes.missed())


def test_lives(homes: Homes, pytestconfig: pytest.Config) -> None:
    extended = pytestconfig.getoption("extended")

    # To make a failing example small takes as long as hundreds of others.
    @settings(max_examples=EXTENDED if extended else QUICK, phases=[Phase.generate])
    @given(plan=plans)
    def one(plan: Plan) -> None:
        homes.hass.loop.run_until_complete(live(homes, plan))

    one()
