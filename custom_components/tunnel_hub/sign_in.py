"""Signs in to an account: on request and, if the user wants it, once on each day of the service."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
import logging
from typing import TYPE_CHECKING, TypedDict

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .api import days
from .api.capabilities.account import CanSignIn
from .api.errors import TunnelHubError, UnavailableError
from .api.models.account import Account, SignInResult
from .api.provider import Issue
from .clock import WallClockTimer
from .const import CONF_SIGN_IN_DAILY, CONF_SIGN_IN_FROM, CONF_SIGN_IN_UNTIL, DOMAIN
from .coordinator import FeedCoordinator
from .daily_schedule import DailySchedule, Hours
from .exceptions import reauth_errors, text_of
from .issues import EntryIssues
from .storage import EntryStore, File

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

SIGNED_IN = "signed_in"
ALREADY_SIGNED_IN = "already_signed_in"
FAILED = "failed"
MISSED = "missed"
OUTCOMES = [ALREADY_SIGNED_IN, FAILED, MISSED, SIGNED_IN]

DEFAULT_FROM = "08:00:00"
DEFAULT_UNTIL = "10:00:00"

_DAY = timedelta(days=1)
_TRIES_OF_A_FAILED_DAY = 2
_FAILED_DAYS_WORTH_A_REPAIR = 2

type Listener = Callable[[str, Mapping[str, str | int | None]], None]


class _Stored(TypedDict):
    """State that is kept across restarts, with dates and times in ISO 8601.

    settled: the last day of the service whose result was reported.
    signed: the last day on which the integration signed in, if any.
    next: the time of the next try. tries: the failed tries on that day.
    failed_days: the number of failed days in a row, without days that had no try.
    """

    settled: str
    signed: str | None
    next: str
    tries: int
    failed_days: int


class SignIn:
    """Signs in to one account, reports the results, and does so every day.

    next: the time of the next scheduled try, in UTC.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        provider: CanSignIn,
        account: FeedCoordinator,
        issues: EntryIssues,
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._provider = provider
        self._account = account
        self._issues = issues
        self._listeners: list[Listener] = []
        self._signing_in = asyncio.Lock()
        self._daily = bool(entry.options.get(CONF_SIGN_IN_DAILY))
        self._timer = WallClockTimer(hass, self._run_if_due)
        self._store = EntryStore[_Stored](hass, entry.entry_id, File.SIGN_IN)
        self._stored: _Stored | None = None
        self._zone = account.provider.time_zone or UTC
        self._hours = Hours(
            time.fromisoformat(entry.options.get(CONF_SIGN_IN_FROM, DEFAULT_FROM)),
            time.fromisoformat(entry.options.get(CONF_SIGN_IN_UNTIL, DEFAULT_UNTIL)),
        )
        self._settled = date.min
        self._signed: date | None = None
        self._failed_days = 0
        self._chosen: tuple[date, DailySchedule] | None = None
        """The day that `next` was chosen for, and how."""
        self._tries = 0
        """On that day, without success."""
        self.next: datetime | None = None

    @callback
    def async_listen(self, listener: Listener) -> CALLBACK_TYPE:
        """Call a listener for every result: one of OUTCOMES, and details."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def async_sign_in(self) -> SignInResult:
        """Sign in now; raises the errors of api/."""
        async with self._signing_in:
            result = await self._sign_in(tell_failure=True)
        if self._daily:
            self._timer.async_call()
        return result

    async def _sign_in(self, *, tell_failure: bool) -> SignInResult:
        await self._report_before_signing_in()
        try:
            result = await self._provider.sign_in()
        except TunnelHubError as err:
            if tell_failure:
                self._report(FAILED, {"message": str(err)})
            raise
        outcome = ALREADY_SIGNED_IN if result.already else SIGNED_IN
        self._report(
            outcome,
            {
                "message": result.message,
                "traffic": result.traffic,
                "traffic_left": result.traffic_left,
            },
        )
        self._failed_days = 0
        self._issues.clear("sign_in_failing")
        self._signed = days.today(self._zone)
        await self._account.async_request_refresh()
        return result

    @callback
    def _report(self, outcome: str, details: Mapping[str, str | int | None]) -> None:
        known = {name: value for name, value in details.items() if value not in (None, "")}
        for listener in list(self._listeners):
            listener(outcome, known)

    # Schedule

    async def async_start(self) -> None:
        """Start the daily sign-in if it is enabled."""
        if not self._daily:
            self._issues.clear("sign_in_failing")
            await self._store.async_remove()
            return
        yesterday = days.today(self._zone) - _DAY
        self._stored = await self._store.async_load()
        if self._stored is None:
            self._settled = yesterday
        else:
            self._settled = date.fromisoformat(self._stored["settled"])
            if (signed := self._stored["signed"]) is not None:
                self._signed = date.fromisoformat(signed)
            self._failed_days = self._stored["failed_days"]
            self._choose_as_before(self._stored)
        self._entry.async_on_unload(self._timer.async_stop)
        self._timer.async_call()

    def _schedule(self) -> DailySchedule:
        return DailySchedule(self._hours, self._zone, dt_util.get_default_time_zone())

    @callback
    def _choose_as_before(self, stored: _Stored) -> None:
        """Restore the time that was chosen before a restart, if it is still valid."""
        schedule, now = self._schedule(), dt_util.utcnow()
        day = self._next_day(schedule.day_of(now))
        moment = datetime.fromisoformat(stored["next"])
        if schedule.is_still_valid(moment, day, now):
            self._chosen, self.next, self._tries = (day, schedule), moment, stored["tries"]

    def _last_day(self) -> date | None:
        """Return the service's day of the last sign-in that the service reports."""
        account = self._account.data.get("account")
        last = account.last_sign_in if isinstance(account, Account) else None
        return None if last is None else days.day_of(last, self._zone)

    def _next_day(self, today: date) -> date:
        """Return the service's day of the next sign-in: today or tomorrow."""
        last = self._last_day()
        # The service's date takes precedence over the stored one, unless a clock is wrong.
        done = self._signed if last is None or last > today + _DAY else last
        return today + _DAY if done in (today, today + _DAY) else today

    def _is_next(self, day: date) -> bool:
        return self._next_day(days.today(self._zone)) == day

    @callback
    def _run_if_due(self, now: datetime) -> datetime:
        """Sign in if it is due; return when to check next."""
        schedule = self._schedule()
        today = schedule.day_of(now)
        self._report_ended_days(today, read=self._account.read_on == today)
        chosen = self._next_day(today), schedule
        if self.next is None or chosen != self._chosen:
            self._tries = 0
            self._chosen, self.next = chosen, schedule.first_try(chosen[0], now)
        self._save(self.next)
        if self.next > now:
            return self.next
        if not self._signing_in.locked():
            self._entry.async_create_background_task(
                self._hass, self._try(*chosen), f"{DOMAIN} daily sign-in"
            )
        return now + _DAY

    @callback
    def _report_ended_days(self, today: date, *, read: bool) -> None:
        """Report days that ended without a sign-in.

        read: whether the service's date of the last sign-in was just read.
        """
        yesterday = today - _DAY
        if self._next_day(today) > today:
            self._settled = today
        elif self._settled > today:
            self._settled = yesterday  # The clock was set back.
        elif self._settled < yesterday and read:
            # Days before the last sign-in may also have had one.
            missed = (yesterday - max(self._settled, self._last_day() or date.min)).days
            self._settled = yesterday
            if missed > 0:
                self._report_missed(yesterday, missed)

    async def _report_before_signing_in(self) -> None:
        """Report earlier days now, because a sign-in replaces the service's last date."""
        today = days.today(self._zone)
        if self._daily and self._settled < today - _DAY:
            await self._account.async_refresh()
            self._report_ended_days(today, read=True)

    @callback
    def _report_missed(self, last: date, number: int) -> None:
        """Report a number of days without a sign-in, ending with this day."""
        _LOGGER.warning(
            "%s: no daily sign-in on %s (missed in a row: %s)", self._account.name, last, number
        )
        self._report(MISSED, {"day": last.isoformat(), "days": number})

    async def _try(self, day: date, schedule: DailySchedule) -> None:
        """Sign in by schedule, and schedule the next try if that failed."""
        at_least = timedelta()
        async with self._signing_in:
            try:
                if self._is_next(day):
                    with reauth_errors(self._hass, self._entry):
                        await self._sign_in(tell_failure=not self._tries)
                    if self._is_next(day):
                        # The requested refresh may not have run yet, or too early.
                        await self._account.async_refresh()
            except TunnelHubError as err:
                at_least = await self._failed(err)
            finally:
                self._tries += 1
                self.next = schedule.next_try(day, dt_util.utcnow(), self._tries, at_least)
        self._timer.async_call()

    async def _failed(self, err: TunnelHubError) -> timedelta:
        """Store a failure; return the delay that the service requests."""
        _LOGGER.debug("Daily sign-in failed: %s", err)
        self._failed_days += self._tries + 1 == _TRIES_OF_A_FAILED_DAY
        if self._failed_days >= _FAILED_DAYS_WORTH_A_REPAIR:
            words = await text_of(self._hass, err)
            self._issues.show(Issue(key="sign_in_failing", placeholders={"message": words}))
        pause = err.retry_after if isinstance(err, UnavailableError) else None
        return timedelta(seconds=pause or 0)

    @callback
    def _save(self, moment: datetime) -> None:
        """Store changes.

        moment: of the next try.
        """
        stored = _Stored(
            settled=self._settled.isoformat(),
            signed=None if self._signed is None else self._signed.isoformat(),
            next=moment.isoformat(),
            tries=self._tries,
            failed_days=self._failed_days,
        )
        if stored != self._stored:
            self._stored = stored
            self._entry.async_create_task(self._hass, self._store.async_save(stored))
