"""Shared helpers for tests of the daily sign-in."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from homeassistant.helpers import issue_registry as ir

from ..clocks import fire_timers
from ..common import World

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAILY = {"sign_in_daily": True}

type Draw = Callable[[float], None]


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Returns a time in October 2026 in Shanghai."""
    return datetime(2026, 10, day, hour, minute, second, tzinfo=SHANGHAI)


def sign_in_requests(world: World) -> list[datetime]:
    """Returns the times of sign-in requests, by the service's clock."""
    return [
        datetime.fromtimestamp(call.at, SHANGHAI)
        for call in world.service.calls_to("/user", type="sign")
    ]


def signed_on(world: World) -> date | None:
    """Returns the service's day of the last sign-in."""
    seconds = world.service.account.signdate
    return None if seconds is None else datetime.fromtimestamp(seconds, SHANGHAI).date()


def next_attempt(world: World) -> datetime:
    """Returns the time of the next automatic attempt, as in diagnostics."""
    moment: datetime = world.entry.runtime_data.sign_in.next
    return moment


async def advance_to(world: World, moment: datetime) -> None:
    """Moves time to a moment, with a poll ten minutes before it."""
    for stop in (moment - timedelta(minutes=10), moment):
        if stop > datetime.now(SHANGHAI):
            world.freezer.move_to(stop)
            fire_timers(world.hass)
            await world.settle()


async def run_next_attempt(world: World) -> datetime:
    """Moves time to the next attempt; returns its time."""
    moment = next_attempt(world)
    await advance_to(world, moment)
    return moment


async def live_until(world: World, moment: datetime) -> list[date]:
    """Moves time from attempt to attempt; returns the service's days with a sign-in."""
    days = []
    while (now := datetime.now(SHANGHAI)) < moment:
        before, soon = signed_on(world), next_attempt(world)
        stop = min(now + timedelta(hours=6), moment)
        if now < soon < stop:
            stop = soon
        await world.elapse((stop - now).total_seconds())
        if (day := signed_on(world)) is not None and day != before:
            days.append(day)
    return days


def failing_issue(world: World) -> ir.IssueEntry | None:
    """Returns the issue for failing sign-ins."""
    issues = ir.async_get(world.hass).issues.values()
    return next((issue for issue in issues if issue.translation_key == "sign_in_failing"), None)
