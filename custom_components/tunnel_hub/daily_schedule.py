"""Schedules an action once per day of a service, between two times of day that the user chose.

Days begin at the service's midnight, but the times are in Home Assistant's time zone. If the
service's midnight is between the two times, a day of the service contains two parts of them: for
example the end of one morning, and the beginning of the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
import random
from typing import NamedTuple

from .api import days

_DAY = timedelta(days=1)
_QUARTER_HOUR = timedelta(minutes=15)

_CATCH_UP = timedelta(minutes=30)
"""The action runs within this time if none of the hours are left in a day."""
_AFTER_MIDNIGHT = timedelta(minutes=2)
"""A service whose clock is behind would still count the action for the previous day."""
_BEFORE_MIDNIGHT = timedelta(minutes=10)
"""Time for retries, and for a service whose clock is ahead."""

_FIRST_PAUSE = timedelta(minutes=15)
_LONGEST_PAUSE = timedelta(hours=2)
"""Delays between failures double from the first to the longest."""
_JITTER = (0.75, 1.25)
_SHORTEST_PAUSE = timedelta(minutes=5)
_LAST_PAUSE = timedelta(minutes=1)
"""The shortest delay at the end of a day."""


class Span(NamedTuple):
    """A half-open time span in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Hours:
    """The time of day from `first` until `last`, which can be after midnight.

    If both are equal, the whole day.
    """

    first: time
    last: time

    def include(self, moment: datetime, home: tzinfo) -> bool:
        """Return whether a time is within the hours.

        home: the user's time zone.
        """
        at = moment.astimezone(home).time()
        if self.first < self.last:
            return self.first <= at < self.last
        return at >= self.first or at < self.last

    def parts(self, span: Span, home: tzinfo) -> list[Span]:
        """Return the parts of a time span that are within the hours, in order.

        Hours that a clock change skips are in no part, and repeated hours may be in two.
        """
        parts: list[Span] = []
        for piece in _quarter_hours(span):
            for part in self._parts_of(piece, home):
                if parts and parts[-1].end == part.start:
                    parts[-1] = Span(parts[-1].start, part.end)
                else:
                    parts.append(part)
        return parts

    def _parts_of(self, piece: Span, home: tzinfo) -> Iterator[Span]:
        """Yield the parts of a piece in which the UTC offset does not change."""
        local = piece.start.astimezone(home).replace(tzinfo=None)
        length = piece.end - piece.start
        # The hours of the previous day can end after midnight.
        for day in (local.date() - _DAY, local.date()):
            first = datetime.combine(day, self.first)
            last = datetime.combine(day, self.last) + (
                _DAY if self.last <= self.first else timedelta()
            )
            start, end = max(first - local, timedelta()), min(last - local, length)
            if start < end:
                yield Span(piece.start + start, piece.start + end)


def _quarter_hours(span: Span) -> Iterator[Span]:
    """Split a time span at each quarter of an hour in UTC: clocks only change there."""
    start, end = span
    while start < end:
        into = timedelta(
            minutes=start.minute % 15, seconds=start.second, microseconds=start.microsecond
        )
        stop = min(start - into + _QUARTER_HOUR, end)
        yield Span(start, stop)
        start = stop


@dataclass(frozen=True, slots=True)
class DailySchedule:
    """Chooses times at random, so that installations do not send their requests at the same time.

    service: the time zone whose midnight begins a day of the service.
    home: the user's time zone.
    """

    hours: Hours
    service: tzinfo
    home: tzinfo

    def day_of(self, moment: datetime) -> date:
        """Return the day of the service for a time."""
        return days.day_of(moment, self.service)

    def first_try(self, day: date, now: datetime) -> datetime:
        """Return the time of the first try on a day that has not ended."""
        whole = self._whole(day)
        left = Span(max(now, whole.start), whole.end)
        parts = self.hours.parts(left, self.home)
        return _within(parts[0] if parts else Span(left.start, left.start + _CATCH_UP), whole)

    def next_try(
        self, day: date, now: datetime, tries: int, at_least: timedelta = timedelta()
    ) -> datetime:
        """Return the time of the next try on a day, or the end of the day if no time is left.

        There is at least one more try within the hours, then soon after them and until the day
        ends.

        tries: the number of failed tries.
        at_least: the delay that the service requested.
        """
        end = self._whole(day).end
        pause = min(_FIRST_PAUSE * (1 << min(tries - 1, 8)), _LONGEST_PAUSE)
        pause *= random.uniform(*_JITTER)
        if self.hours.include(now, self.home):
            left = self.hours.parts(Span(now, end), self.home)[0].end - now
            wait = max(min(pause, left / 2), at_least)
            if _SHORTEST_PAUSE <= wait < left:
                return now + wait
            pause = min(pause, _CATCH_UP)
        wait = max(min(pause, (end - now) / 2), at_least)
        return min(now + wait, end) if wait >= _LAST_PAUSE else end

    def is_still_valid(self, moment: datetime, day: date, now: datetime) -> bool:
        """Return whether a time that was chosen earlier is still valid for a day."""
        if self.day_of(moment) != day:
            return False
        if self.hours.include(moment, self.home):
            return True
        whole = self._whole(day)
        return not self.hours.parts(Span(max(now, whole.start), whole.end), self.home)

    def _whole(self, day: date) -> Span:
        return Span(days.start_of(day, self.service), days.start_of(day + _DAY, self.service))


def _within(part: Span, whole: Span) -> datetime:
    """Return a random time in a part of a day, but not close to the beginning or end of the day."""
    end = min(part.end, whole.end)
    quarter = (end - part.start) / 4
    first = max(part.start, min(whole.start + _AFTER_MIDNIGHT, part.start + quarter))
    last = min(end, max(whole.end - _BEFORE_MIDNIGHT, end - quarter))
    return first + (last - first) * random.uniform(0, 1)
