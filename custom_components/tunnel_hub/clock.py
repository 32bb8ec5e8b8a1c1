"""A timer that follows the wall clock."""

from collections.abc import Callable
from datetime import datetime, timedelta

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

_LONGEST_WAIT = timedelta(minutes=1)


class WallClockTimer:
    """Calls an action at the times that the action returns.

    A plain timer only counts the time while the machine runs: it is late after sleep or if the
    clock is set forward. Therefore the action is also called every minute, and compares the clock
    itself.
    """

    def __init__(self, hass: HomeAssistant, action: Callable[[datetime], datetime | None]) -> None:
        """Set up; the action gets the time in UTC and returns the next time, if any."""
        self._hass = hass
        self._action = action
        self._job = HassJob(self._call, cancel_on_shutdown=True)
        self._cancel: CALLBACK_TYPE | None = None
        self._stopped = False

    @callback
    def async_call(self) -> None:
        """Call the action now and schedule the next call, unless the timer was stopped."""
        self._disarm()
        if self._stopped:
            return
        now = dt_util.utcnow()
        moment = self._action(now)
        # The action may have started another call, which scheduled the next one, or stopped the
        # timer.
        if moment is not None and self._cancel is None and not self._stopped:
            wait = min(max(moment - now, timedelta()), _LONGEST_WAIT)
            self._cancel = async_call_later(self._hass, wait, self._job)

    @callback
    def async_stop(self) -> None:
        """Stop the timer."""
        self._stopped = True
        self._disarm()

    @callback
    def _disarm(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    @callback
    def _call(self, _: datetime) -> None:
        self.async_call()
