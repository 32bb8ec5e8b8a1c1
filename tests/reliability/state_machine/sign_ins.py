"""Checks that the daily sign-in runs once on each of the service's days."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from simulator.shanghai import local

from .model import Options, ServiceModel, SignInModel

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_SHORTEST_WINDOW = timedelta(minutes=1)
"""A shorter time window may stay unused."""


class Part(NamedTuple):
    """The part of a time window within one of the service's days."""

    day: date
    start: datetime
    end: datetime


def service_day(moment: datetime) -> date:
    return local(moment.timestamp()).date()


def _next_day(moment: datetime) -> datetime:
    """Returns the start of the service's next day."""
    begins = local(moment.timestamp()).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
    return begins.astimezone(UTC)


def parts(options: Mapping[str, Any], zone: ZoneInfo, around: datetime) -> Iterator[Part]:
    """Returns the time windows of some days, split at the service's midnight."""
    first = time.fromisoformat(options.get("sign_in_from", "08:00:00"))
    last = time.fromisoformat(options.get("sign_in_until", "10:00:00"))
    today = around.astimezone(zone).date()
    for day in (today + n * _DAY for n in (-2, -1, 0, 1, 2)):
        start = datetime.combine(day, first, zone).astimezone(UTC)
        until = day if last > first else day + _DAY
        end = datetime.combine(until, last, zone).astimezone(UTC)
        while start < end:
            stop = min(end, _next_day(start))
            yield Part(service_day(start), start, stop)
            start = stop


class SignIns:
    """Checks the sign-ins of one account. options: the entry's."""

    def __init__(self, model: ServiceModel, zone: ZoneInfo) -> None:
        self.options: Options = {}
        self._model, self._zone = model, zone
        self._since: datetime | None = None
        self._last: datetime | None = None
        self._due: set[date] = set()
        self._signed: set[date] = set()
        self._times: Counter[date] = Counter()
        self._answered = 0

    @property
    def _wanted(self) -> bool:
        return isinstance(self._model, SignInModel) and bool(self.options.get("sign_in_daily"))

    def stops(self, start: datetime, end: datetime) -> list[datetime]:
        """Returns the moments up to the end at which to check.

        In one step over the end of a window or day, due sign-ins would run too late.
        """
        found = {end}
        if self._wanted:
            for days in range((end - start).days + 1):
                for part in parts(self.options, self._zone, start + days * _DAY):
                    found |= {part.start, part.end - _SECOND, part.end}
        return sorted(stop for stop in found if start < stop <= end)

    def disturb(self) -> None:
        """Clears what was due, after a fault or a change of options."""
        self._since = None

    def reset(self) -> None:
        """Clears all counts, after a wrong clock."""
        self.disturb()
        self._last = None
        self._due.clear()
        self._times.clear()
        if isinstance(self._model, SignInModel):
            self._answered = self._model.sign_ins_answered()

    def advance_to(self, now: datetime, *, well: bool, by_hand: int) -> None:
        """Checks the sign-ins up to a moment.

        well: whether nothing prevents a sign-in. by_hand: number of the user's sign-ins since the
        last check.
        """
        if not isinstance(self._model, SignInModel):
            return
        last, self._last = self._last, now
        if (signed := self._model.last_sign_in()) is not None:
            self._signed.add(service_day(signed))
        answered = self._model.sign_ins_answered()
        if well:
            automatic = max(answered - self._answered - by_hand, 0)
            self._times[service_day(now)] += automatic
            if automatic and self._since is not None and last is not None:
                around = list(parts(self.options, self._zone, now))
                open_ = any(part.start <= now and last <= part.end for part in around)
                # A missed sign-in may run after the last window of a day.
                left = any(part.day == service_day(now) and part.end > last for part in around)
                assert open_ or not left, f"outside of the time window, between {last} and {now}"
        self._answered = answered
        if self._since is not None and last is not None and self._wanted:
            self._due |= {
                part.day
                for part in parts(self.options, self._zone, last)
                if last < part.end <= now
                and max(part.start, self._since) + _SHORTEST_WINDOW <= part.end
            }
        self._since = (self._since or now) if well else None
        over = {day for day in self._due if day < service_day(now)}
        self._due -= over
        assert over <= self._signed, f"no sign-in on {sorted(over - self._signed)}"
        many = {day for day, times in self._times.items() if times > 1}
        assert not many, f"several sign-ins on {sorted(many)}"
