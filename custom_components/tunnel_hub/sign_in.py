"""The daily sign-in: by hand and, if the user wants it, every day by itself."""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
import logging
import random

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_time
from homeassistant.util import dt as dt_util

from .api.errors import AuthenticationError, TunnelHubError
from .api.provider import CanSignIn, Problem, SignInResult
from .api.resource import Account
from .const import CONF_SIGN_IN_DAILY, CONF_SIGN_IN_FROM, CONF_SIGN_IN_UNTIL, DOMAIN
from .coordinator import FeedCoordinator, TunnelHubConfigEntry
from .problems import Problems

_LOGGER = logging.getLogger(__name__)

SIGNED_IN = "signed_in"
ALREADY_SIGNED_IN = "already_signed_in"
FAILED = "failed"
OUTCOMES = [ALREADY_SIGNED_IN, FAILED, SIGNED_IN]

DEFAULT_FROM = "08:00:00"
DEFAULT_UNTIL = "10:00:00"

_CATCH_UP = timedelta(minutes=30)
"""When the window was missed, sign in within this time from now."""
_RETRY = (timedelta(minutes=20), timedelta(minutes=60))
_FAILED_DAYS_WORTH_A_REPAIR = 2

type Listener = Callable[[str, Mapping[str, str | int | None]], None]


class SignIn:
    """Signs one account in, tells the outcome, and keeps the daily appointment."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        provider: CanSignIn,
        account: FeedCoordinator,
        problems: Problems,
    ) -> None:
        """Do nothing by itself yet."""
        self._hass = hass
        self._entry = entry
        self._provider = provider
        self._account = account
        self._problems = problems
        self._listeners: list[Listener] = []
        self._cancel: CALLBACK_TYPE | None = None
        self._failed_days = 0
        self.next: datetime | None = None

    @callback
    def async_listen(self, listener: Listener) -> CALLBACK_TYPE:
        """Hear of every outcome: one of OUTCOMES, and what there is to tell of it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def async_sign_in(self) -> SignInResult:
        """Sign in now; raises the api's errors."""
        try:
            result = await self._provider.sign_in()
        except TunnelHubError as err:
            self._tell(FAILED, {"message": str(err)})
            raise
        outcome = ALREADY_SIGNED_IN if result.already else SIGNED_IN
        self._tell(
            outcome,
            {
                "message": result.message,
                "traffic": result.traffic,
                "traffic_left": result.traffic_left,
            },
        )
        self._failed_days = 0
        self._problems.clear("sign_in_failing")
        await self._account.async_request_refresh()
        return result

    @callback
    def _tell(self, outcome: str, details: Mapping[str, str | int | None]) -> None:
        known = {name: value for name, value in details.items() if value not in (None, "")}
        for listener in list(self._listeners):
            listener(outcome, known)

    # The daily appointment

    @callback
    def async_start(self) -> None:
        """Make the first appointment, if the user wants any."""
        if self._entry.options.get(CONF_SIGN_IN_DAILY):
            self._appoint(self._next_moment(dt_util.now()), retry=True)
            self._entry.async_on_unload(self._stop)

    @callback
    def _stop(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _signed_in_today(self) -> bool:
        account = self._account.data.get("account")
        return isinstance(account, Account) and bool(account.signed_in_today)

    def _next_moment(self, now: datetime) -> datetime:
        """Pick a random moment: in today's window, soon if it was missed, else tomorrow."""
        start, end = self._window(now)
        if not self._signed_in_today():
            if now < end:
                return _between(max(now, start), end)
            return _between(now, now + _CATCH_UP)
        return _between(*self._window(now + timedelta(days=1)))

    def _window(self, day: datetime) -> tuple[datetime, datetime]:
        """Return the window that begins on a day; it may end after midnight."""
        options = self._entry.options
        first = time.fromisoformat(options.get(CONF_SIGN_IN_FROM, DEFAULT_FROM))
        last = time.fromisoformat(options.get(CONF_SIGN_IN_UNTIL, DEFAULT_UNTIL))
        start = datetime.combine(day.date(), first, day.tzinfo)
        end = datetime.combine(day.date(), last, day.tzinfo)
        return start, end if end > start else end + timedelta(days=1)

    def _next_window(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the next window that has not begun yet."""
        start, end = self._window(now)
        return (start, end) if start > now else self._window(now + timedelta(days=1))

    @callback
    def _appoint(self, moment: datetime, *, retry: bool) -> None:
        """Sign in at a moment. retry: whether a failure may be tried once more that day."""

        @callback
        def _begin(_: datetime) -> None:
            self._cancel = None
            self._entry.async_create_background_task(
                self._hass, self._keep(retry=retry), f"{DOMAIN} daily sign-in"
            )

        self.next = moment
        self._cancel = async_track_point_in_time(self._hass, _begin, moment)

    async def _keep(self, *, retry: bool) -> None:
        """Keep an appointment and make the next one, unless the account is unloaded meanwhile.

        The service is asked even if today's sign-in seems done: what we know may be old.
        """
        now = dt_util.now()
        if await self._try(last=not retry) or not retry:
            self._appoint(_between(*self._next_window(now)), retry=True)
        else:
            self._appoint(_between(now + _RETRY[0], now + _RETRY[1]), retry=False)

    async def _try(self, *, last: bool) -> bool:
        """Sign in by appointment; whether that went well."""
        try:
            await self.async_sign_in()
        except TunnelHubError as err:
            _LOGGER.debug("Daily sign-in failed: %s", err)
            if isinstance(err, AuthenticationError):
                self._entry.async_start_reauth_if_available(self._hass)
            self._failed_days += last
            if self._failed_days >= _FAILED_DAYS_WORTH_A_REPAIR:
                self._problems.show(
                    Problem(key="sign_in_failing", placeholders={"message": str(err)})
                )
            return False
        return True


def _between(first: datetime, last: datetime) -> datetime:
    """Return a random moment, so that many homes do not come at once."""
    return first + (last - first) * random.random()
