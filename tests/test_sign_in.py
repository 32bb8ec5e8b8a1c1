"""The daily sign-in by appointment; the button is in test_button.py."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.tunnel_hub import sign_in

from .common import DAY, HOUR, World

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAILY = {"sign_in_daily": True}

type Draw = Callable[[float], None]


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Return what decides the lot from now on: 0 is the beginning of a window, 1 its end."""

    def _draw(share: float) -> None:
        monkeypatch.setattr(sign_in, "random", SimpleNamespace(random=lambda: share))

    _draw(0.5)
    return _draw


@pytest.fixture
async def shanghai(world: World, draw: Draw) -> World:
    """A home in Shanghai, at half past midnight."""
    await world.hass.config.async_set_time_zone("Asia/Shanghai")
    world.freezer.move_to(datetime(2026, 10, 20, 0, 30, tzinfo=SHANGHAI))
    return world


def signings(world: World) -> list[datetime]:
    """Return when the service was asked to sign in."""
    return [
        datetime.fromtimestamp(call.at, SHANGHAI)
        for call in world.service.calls_to("/user", type="sign")
    ]


def at(day: int, hour: int, minute: int) -> datetime:
    """Return a moment of this October in Shanghai."""
    return datetime(2026, 10, day, hour, minute, tzinfo=SHANGHAI)


async def leap(world: World, moment: datetime) -> None:
    """Let time pass until a moment, with a poll some minutes before it."""
    for stop in (moment - timedelta(minutes=10), moment + timedelta(seconds=1)):
        if stop > datetime.now(SHANGHAI):
            world.freezer.move_to(stop)
            async_fire_time_changed(world.hass)
            await world.settle()


async def keep(world: World) -> datetime:
    """Let time pass until the next appointment has been kept; when that was."""
    moment: datetime = world.entry.runtime_data.sign_in.next
    await leap(world, moment)
    return moment


def failing(world: World) -> ir.IssueEntry | None:
    """Return the repair for failing sign-ins."""
    issues = ir.async_get(world.hass).issues.values()
    return next((issue for issue in issues if issue.translation_key == "sign_in_failing"), None)


async def test_off_by_default(shanghai: World) -> None:
    await shanghai.set_up()

    await shanghai.live(DAY, HOUR)

    assert not signings(shanghai)
    assert shanghai.entry.runtime_data.sign_in.next is None


@pytest.mark.parametrize("share, hour, minute", [(0.0, 8, 0), (0.25, 8, 30), (1.0, 10, 0)])
async def test_at_a_random_minute_of_the_window(
    shanghai: World, draw: Draw, share: float, hour: int, minute: int
) -> None:
    draw(share)
    await shanghai.set_up(**DAILY)
    moment = at(20, hour, minute)

    await leap(shanghai, moment - timedelta(minutes=1))
    assert not signings(shanghai)
    await leap(shanghai, moment)

    assert len(signings(shanghai)) == 1
    assert shanghai.value("binary_sensor", "account:account", "signed_in_today") == "on"
    event = shanghai.state("event", "account:account", "sign_in")
    assert event.attributes["event_type"] == "signed_in"


async def test_once_on_every_day(shanghai: World, draw: Draw) -> None:
    await shanghai.set_up(**DAILY, sign_in_from="06:00:00", sign_in_until="07:00:00")
    assert await keep(shanghai) == at(20, 6, 30)
    draw(0.9)
    assert await keep(shanghai) == at(21, 6, 30)
    assert await keep(shanghai) == at(22, 6, 54)

    assert len(signings(shanghai)) == 3
    assert shanghai.service.account.totalsign == 3


@pytest.mark.parametrize("share, hour, minute", [(0.1, 23, 12), (0.9, 0, 48)])
async def test_a_window_over_midnight(
    shanghai: World, draw: Draw, share: float, hour: int, minute: int
) -> None:
    """Every day has its sign-in, on whichever side of midnight."""
    draw(share)
    shanghai.freezer.move_to(at(20, 1, 30))
    await shanghai.set_up(**DAILY, sign_in_from="23:00:00", sign_in_until="01:00:00")
    first = 20 if hour == 23 else 21

    for day in range(3):
        assert await keep(shanghai) == at(first + day, hour, minute)

    assert shanghai.service.account.totalsign == 3


async def test_a_missed_window_is_made_up_for(shanghai: World) -> None:
    shanghai.freezer.move_to(at(20, 15, 0))
    await shanghai.set_up(**DAILY)

    assert await keep(shanghai) == at(20, 15, 15)
    assert len(signings(shanghai)) == 1
    assert await keep(shanghai) == at(21, 9, 0)


async def test_a_start_inside_the_window(shanghai: World) -> None:
    shanghai.freezer.move_to(at(20, 9, 0))
    await shanghai.set_up(**DAILY)

    assert await keep(shanghai) == at(20, 9, 30)
    assert len(signings(shanghai)) == 1


async def test_signed_in_already_is_for_tomorrow(shanghai: World) -> None:
    shanghai.freezer.move_to(at(20, 15, 0))
    shanghai.service.account.signdate = int(at(20, 14, 0).timestamp())
    await shanghai.set_up(**DAILY)

    assert await keep(shanghai) == at(21, 9, 0)
    assert len(signings(shanghai)) == 1


async def test_signed_in_elsewhere_before_the_appointment(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.account.signdate = int(at(20, 0, 40).timestamp())

    assert await keep(shanghai) == at(20, 9, 0)
    assert shanghai.service.account.totalsign is None, "nothing was gained twice"
    assert not failing(shanghai)

    assert await keep(shanghai) == at(21, 9, 0)
    assert shanghai.service.account.totalsign == 1


async def test_yesterdays_data_do_not_count(shanghai: World) -> None:
    """The account could not be read since before midnight, when it had been signed in."""
    shanghai.freezer.move_to(at(20, 12, 0))
    shanghai.service.account.signdate = int(at(20, 11, 0).timestamp())
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "html", match={"type": "info"}, times=None)

    assert await keep(shanghai) == at(21, 9, 0)

    assert shanghai.service.account.totalsign == 1


async def test_a_failure_is_tried_once_more(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    told = async_capture_events(shanghai.hass, "state_changed")
    shanghai.service.fault("/user", "error", match={"type": "sign"})

    assert await keep(shanghai) == at(20, 9, 0)
    assert await keep(shanghai) == at(20, 9, 40).replace(second=1), "20 to 60 minutes later"
    assert await keep(shanghai) == at(21, 9, 0)

    event = shanghai.entity_id("event", "account:account", "sign_in")
    assert [
        change.data["new_state"].attributes["event_type"]
        for change in told
        if change.data["entity_id"] == event
    ] == ["failed", "signed_in", "signed_in"]
    assert not failing(shanghai)


async def test_two_bad_days_are_worth_a_repair(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.fault(
        "/user", "body", match={"type": "sign"}, times=None, body={"status": 500, "message": "不行"}
    )
    days = []
    for _ in range(3):
        days.append((await keep(shanghai)).day)
        assert not failing(shanghai)

    days.append((await keep(shanghai)).day)
    assert days == [20, 20, 21, 21]
    issue = failing(shanghai)
    assert issue
    assert issue.translation_placeholders == {"account": "HayFrp demo", "message": "不行"}

    shanghai.service.clear_faults()
    assert (await keep(shanghai)).day == 22
    assert not failing(shanghai)


async def test_the_button_ends_the_repair(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "error", match={"type": "sign"}, times=4)
    for _ in range(4):
        await keep(shanghai)
    assert failing(shanghai)

    await shanghai.act("button", "press", "account:account", "sign_in")

    assert not failing(shanghai)


async def test_a_refused_login_asks_the_user(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.account.password = "changed"
    refusal = {"status": 404, "message": "CSRF临时授权无效或已过期."}
    shanghai.service.fault("/user", "body", match={"type": "sign"}, body=refusal)

    await keep(shanghai)

    (flow,) = shanghai.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_no_appointment_outlives_the_entry(shanghai: World) -> None:
    """Not even when it is being kept at that moment."""
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "hang", match={"type": "sign"})
    shanghai.freezer.move_to(at(20, 9, 1))
    async_fire_time_changed(shanghai.hass)
    await shanghai.until(lambda: bool(signings(shanghai)))

    assert await shanghai.hass.config_entries.async_unload(shanghai.entry.entry_id)
    await shanghai.live(3 * DAY, 12 * HOUR)

    assert len(signings(shanghai)) == 1


async def test_turning_it_off_ends_it(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    assert shanghai.entry.runtime_data.sign_in.next == at(20, 9, 0)

    shanghai.hass.config_entries.async_update_entry(shanghai.entry, options={})
    await shanghai.restart()
    await shanghai.live(DAY, 12 * HOUR)

    assert not signings(shanghai)
