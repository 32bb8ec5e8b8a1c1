"""What the tests of the daily sign-in share."""

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
    """Return a moment of October 2026 in Shanghai."""
    return datetime(2026, 10, day, hour, minute, second, tzinfo=SHANGHAI)


def signings(world: World) -> list[datetime]:
    """Return when the service was asked to sign in, by its own clock."""
    return [
        datetime.fromtimestamp(call.at, SHANGHAI)
        for call in world.service.calls_to("/user", type="sign")
    ]


def signed_on(world: World) -> date | None:
    """Return the service's day of the last sign-in."""
    seconds = world.service.account.signdate
    return None if seconds is None else datetime.fromtimestamp(seconds, SHANGHAI).date()


def next_try(world: World) -> datetime:
    """Return when it will be tried next, as diagnostics show it."""
    moment: datetime = world.entry.runtime_data.sign_in.next
    return moment


async def leap(world: World, moment: datetime) -> None:
    """Let time pass until a moment, with a poll some minutes before it."""
    for stop in (moment - timedelta(minutes=10), moment):
        if stop > datetime.now(SHANGHAI):
            world.freezer.move_to(stop)
            fire_timers(world.hass)
            await world.settle()


async def keep(world: World) -> datetime:
    """Let time pass until the next try; when that was."""
    moment = next_try(world)
    await leap(world, moment)
    return moment


async def live_until(world: World, moment: datetime) -> list[date]:
    """Let time pass in hours and from try to try; the service's days that were signed in."""
    days = []
    while (now := datetime.now(SHANGHAI)) < moment:
        before, soon = signed_on(world), next_try(world)
        stop = min(now + timedelta(hours=6), moment)
        if now < soon < stop:
            stop = soon
        await world.elapse((stop - now).total_seconds())
        if (day := signed_on(world)) is not None and day != before:
            days.append(day)
    return days


def failing(world: World) -> ir.IssueEntry | None:
    """Return the repair for failing sign-ins."""
    issues = ir.async_get(world.hass).issues.values()
    return next((issue for issue in issues if issue.translation_key == "sign_in_failing"), None)
