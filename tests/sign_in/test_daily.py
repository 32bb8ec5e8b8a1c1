"""The automatic daily sign-in; the button is in test_button.py."""

from datetime import timedelta
from itertools import pairwise

from homeassistant.components.event import ATTR_EVENT_TYPE
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)

from ..api.test_redaction import ENCODINGS
from ..common import DAY, HOUR, World
from .common import DAILY, Draw, at, failing, keep, leap, signed_on, signings

pytestmark = pytest.mark.platforms("button", "event")


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


async def test_hours_over_midnight(shanghai: World) -> None:
    """The evening's hours belong to one day of the service, those of the night to the next."""
    shanghai.freezer.move_to(at(20, 1, 30))
    await shanghai.set_up(**DAILY, sign_in_from="23:00:00", sign_in_until="01:00:00")

    assert await keep(shanghai) == at(20, 23, 25), "not in the last minutes of the service's day"
    for day in (21, 22, 23):
        assert await keep(shanghai) == at(day, 0, 31), "nor in its first two minutes"

    assert len(signings(shanghai)) == shanghai.service.account.totalsign == 4


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


async def test_failures_are_tried_again(shanghai: World) -> None:
    """Twice as late each time, but at least once more within the hours, and then after them."""
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "error", match={"type": "sign"}, times=6)
    told = async_capture_events(shanghai.hass, "state_changed")

    moments = [await keep(shanghai) for _ in range(7)]

    assert moments[:6] == [
        at(20, 9, 0),
        at(20, 9, 15),
        at(20, 9, 37, 30),
        at(20, 9, 48, 45),
        at(20, 9, 54, 22).replace(microsecond=500_000),
        at(20, 10, 24, 22).replace(microsecond=500_000),
    ]
    assert moments[6] < at(21, 0)
    assert (await keep(shanghai)) == at(21, 9, 0)
    event = shanghai.entity_id("event", "account:account", "sign_in")
    outcomes = [
        change.data["new_state"].attributes[ATTR_EVENT_TYPE]
        for change in told
        if change.data["entity_id"] == event
    ]
    assert outcomes == ["failed", "signed_in", "signed_in"], "one failure a day is told"


async def test_it_is_tried_until_the_day_ends(shanghai: World) -> None:
    shanghai.service.fault("/user", "error", match={"type": "sign"}, times=None)
    await shanghai.set_up(**DAILY)

    moments = [await keep(shanghai) for _ in range(30)]

    today = [moment for moment in moments if moment < at(21, 0)]
    assert at(20, 23, 55) < today[-1] < at(20, 23, 59)
    pauses = [later - earlier for earlier, later in pairwise(today)]
    assert min(pauses) >= timedelta(minutes=1)
    assert len(today) < 20, "the service is spared"
    assert len(today) == sum(moment < at(21, 0) for moment in signings(shanghai))
    assert at(21, 9, 0) in moments


async def test_the_service_asks_for_a_pause(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.fault(
        "/user", "status", match={"type": "sign"}, status=429, headers={"Retry-After": "3000"}
    )

    assert await keep(shanghai) == at(20, 9, 0)
    assert await keep(shanghai) == at(20, 9, 50)
    assert len(signings(shanghai)) == 2


async def test_two_bad_days_are_worth_a_repair(shanghai: World) -> None:
    """Days of the service with two failures each; a restart forgets none."""
    await shanghai.set_up(**DAILY)
    shanghai.service.fault(
        "/user", "body", match={"type": "sign"}, times=None, body={"status": 500, "message": "不行"}
    )
    while await keep(shanghai) < at(21, 9):
        assert not failing(shanghai)
    await shanghai.restart()
    assert not failing(shanghai)

    assert await keep(shanghai) == at(21, 9, 15)

    issue = failing(shanghai)
    assert issue
    assert issue.translation_placeholders == {
        "account": "HayFrp demo",
        "message": "The service rejected the request: “不行”.",
    }

    shanghai.service.clear_faults()
    await keep(shanghai)
    assert signed_on(shanghai) == at(21, 0).date()
    assert not failing(shanghai)


async def test_the_repair_repeats_no_secret(shanghai: World) -> None:
    """Neither the password nor the session; and nothing in it is a link."""
    await shanghai.set_up(**DAILY)
    account = shanghai.service.account
    secrets = [secret for secret in (account.password, account.csrf) if secret]
    shanghai.service.fault("/user", "error", match={"type": "sign"}, times=None)
    while not failing(shanghai):
        await keep(shanghai)
    for encode in ENCODINGS.values():
        repeated = [encode(secret) for secret in secrets]
        words = f"[不行](https://evil.example) <b>{' '.join(repeated)}</b>"
        shanghai.service.clear_faults()
        body = {"status": 500, "message": words}
        shanghai.service.fault("/user", "body", match={"type": "sign"}, times=None, body=body)

        while "不行" not in words_of(shanghai):
            await keep(shanghai)

        message = words_of(shanghai)
        assert not [secret for secret in repeated if secret in message]
        assert not set("<>[]") & set(message)
        shanghai.service.clear_faults()
        shanghai.service.fault("/user", "error", match={"type": "sign"}, times=None)
        while "不行" in words_of(shanghai):
            await keep(shanghai)


def words_of(world: World) -> str:
    """Return what the repair quotes."""
    issue = failing(world)
    assert issue
    assert issue.translation_placeholders
    return issue.translation_placeholders["message"]


async def test_the_button_ends_the_repair(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "error", match={"type": "sign"}, times=None)
    while not failing(shanghai):
        await keep(shanghai)
    shanghai.service.clear_faults()

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
