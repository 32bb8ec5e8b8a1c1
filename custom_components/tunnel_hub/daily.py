"""When to do what a service wants once on each of its days, at a time of day that the user chose.

The day is the service's, the time of day is the user's. Where the service's midnight lies within
the user's hours, a day of the service has two parts in which it may be done: the end of one
morning's hours, for example, and the beginning of the next morning's.
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
"""Where no time of the user's is left in a day, it is done within this time."""
_AFTER_MIDNIGHT = timedelta(minutes=2)
"""The service's clock may be behind ours: it would still count the day before."""
_BEFORE_MIDNIGHT = timedelta(minutes=10)
"""Left for retries, and for a service whose clock is ahead of ours."""

_FIRST_PAUSE = timedelta(minutes=15)
_LONGEST_PAUSE = timedelta(hours=2)
"""Pauses between failures double from the first to the longest."""
_JITTER = (0.75, 1.25)
_SHORTEST_PAUSE = timedelta(minutes=5)
_LAST_PAUSE = timedelta(minutes=1)
"""The shortest one at the end of a service's day, when it is now or never."""


class Span(NamedTuple):
    """A half-open time span in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Hours:
    """The user's hours: from one time of day until another, perhaps after midnight.

    The whole day if both are the same.
    """

    first: time
    last: time

    def include(self, moment: datetime, home: tzinfo) -> bool:
        """Tell whether a moment lies within the hours. home: the user's time zone."""
        at = moment.astimezone(home).time()
        if self.first < self.last:
            return self.first <= at < self.last
        return at >= self.first or at < self.last

    def parts(self, span: Span, home: tzinfo) -> list[Span]:
        """Return the parts of some time that lie within the hours, in order.

        An hour that the clocks skip is in none of them, one that they repeat may be there twice.
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
        """Return the parts of a piece during which the clocks are not changed."""
        local = piece.start.astimezone(home).replace(tzinfo=None)
        length = piece.end - piece.start
        # The hours that began the day before may go on after midnight.
        for day in (local.date() - _DAY, local.date()):
            first = datetime.combine(day, self.first)
            last = datetime.combine(day, self.last) + (
                _DAY if self.last <= self.first else timedelta()
            )
            start, end = max(first - local, timedelta()), min(last - local, length)
            if start < end:
                yield Span(piece.start + start, piece.start + end)


def _quarter_hours(span: Span) -> Iterator[Span]:
    """Cut some time at each quarter of an hour of UTC: nowhere are clocks changed in between."""
    start, end = span
    while start < end:
        into = timedelta(
            minutes=start.minute % 15, seconds=start.second, microseconds=start.microsecond
        )
        stop = min(start - into + _QUARTER_HOUR, end)
        yield Span(start, stop)
        start = stop


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to try, at random, so that not all homes come at once.

    service: the time zone whose midnight begins a day of the service. home: the user's time zone.
    """

    hours: Hours
    service: tzinfo
    home: tzinfo

    def day_of(self, moment: datetime) -> date:
        """Return the service's day in which a moment lies."""
        return days.day_of(moment, self.service)

    def first_try(self, day: date, now: datetime) -> datetime:
        """Return when to try first on a day of the service that is not over."""
        whole = self._whole(day)
        left = Span(max(now, whole.start), whole.end)
        parts = self.hours.parts(left, self.home)
        return _within(parts[0] if parts else Span(left.start, left.start + _CATCH_UP), whole)

    def next_try(
        self, day: date, now: datetime, tries: int, at_least: timedelta = timedelta()
    ) -> datetime:
        """Return when to try again on a day; the day's end if there is no time left.

        At least once more within the hours, then soon after them, and until the day ends.
        tries: how many have failed. at_least: the pause that the service asked for.
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

    def suits(self, moment: datetime, day: date, now: datetime) -> bool:
        """Tell whether a moment that was chosen earlier still is one for a day."""
        if self.day_of(moment) != day:
            return False
        if self.hours.include(moment, self.home):
            return True
        whole = self._whole(day)
        return not self.hours.parts(Span(max(now, whole.start), whole.end), self.home)

    def _whole(self, day: date) -> Span:
        return Span(days.start_of(day, self.service), days.start_of(day + _DAY, self.service))


def _within(part: Span, whole: Span) -> datetime:
    """Return a random moment of a part of a day, not too near to the day's ends."""
    end = min(part.end, whole.end)
    quarter = (end - part.start) / 4
    first = max(part.start, min(whole.start + _AFTER_MIDNIGHT, part.start + quarter))
    last = min(end, max(whole.end - _BEFORE_MIDNIGHT, end - quarter))
    return first + (last - first) * random.uniform(0, 1)
