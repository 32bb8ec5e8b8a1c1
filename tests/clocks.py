"""The wall clock and the monotonic clock of a machine, which tests change separately."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import event
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest

from custom_components.tunnel_hub.api import http
from simulator.service import Service


def retry_immediately(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the random delay before a read is retried."""
    monkeypatch.setattr(http, "random", SimpleNamespace(uniform=lambda low, high: 0.0))


def fire_timers(hass: HomeAssistant) -> None:
    """Run the timers that are due within half a second, in frozen time.

    It replaces async_fire_time_changed, which creates two mocks for each timer and is slower
    than most of the actions.
    """
    ahead = timedelta(microseconds=event.RANDOM_MICROSECOND_MAX)
    moment, due = datetime.now(UTC) + ahead, hass.loop.time() + ahead.total_seconds()
    with (
        patch.object(event, "time_tracker_utcnow", lambda: moment),
        patch.object(event, "time_tracker_timestamp", moment.timestamp),
    ):
        for timer in list(get_scheduled_timer_handles(hass.loop)):
            if not timer.cancelled() and timer.when() <= due:
                timer._run()  # noqa: SLF001  # The event loop itself would run it half a second later.
                timer.cancel()


@dataclass(slots=True)
class Clocks:
    """Moves only the wall clock.

    The monotonic clock, which timers use, is not affected.
    """

    freezer: FrozenDateTimeFactory
    _behind: float = field(default=0.0, init=False)
    """Seconds by which the monotonic clock has moved less than the wall clock."""

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace the clocks of Python and of the transport."""
        frozen = time.monotonic

        def monotonic() -> float:
            return frozen() - self._behind

        monkeypatch.setattr(time, "monotonic", monotonic)
        defaults = http.Transport.__init__.__kwdefaults__
        assert defaults
        monkeypatch.setitem(defaults, "clock", monotonic)

    def move_to(self, moment: datetime) -> None:
        """Restart at another time, without elapsed time."""
        before = time.time()
        self.freezer.move_to(moment)
        self._behind += time.time() - before

    def sleep(self, seconds: float) -> None:
        """Let the machine sleep: only the monotonic clock stops."""
        self.freezer.tick(seconds)
        self._behind += seconds

    def set(self, seconds: float, *services: Service[Any]) -> None:
        """Set the wall clock forward, or back if negative. services: whose clocks are not set."""
        self.sleep(seconds)
        for service in services:
            service.advance(-seconds)
