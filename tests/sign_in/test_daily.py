"""Tests the automatic daily sign-in; test_button.py tests the button."""

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
from .common import (
    DAILY,
    Draw,
    advance_to,
    at,
    failing_issue,
    run_next_attempt,
    sign_in_requests,
    signed_on,
)

pytestmark = pytest.mark.platforms("button", "event")


async def test_off_by_default(shanghai: World) -> None:
    await shanghai.set_up()

    await shanghai.live(DAY, HOUR)

    assert not sign_in_requests(shanghai)
    assert shanghai.entry.runtime_data.sign_in.next is None


@pytest.mark.parametrize("share, hour, minute", [(0.0, 8, 0), (0.25, 8, 30), (1.0, 10, 0)])
async def test_at_a_random_minute_of_the_window(
    shanghai: World, draw: Draw, share: float, hour: int, minute: int
) -> None:
    draw(share)
    await shanghai.set_up(**DAILY)
    moment = at(20, hour, minute)

    await advance_to(shanghai, moment - timedelta(minutes=1))
    assert not sign_in_requests(shanghai)
    await advance_to(shanghai, moment)

    assert len(sign_in_requests(shanghai)) == 1
    event = shanghai.state("event", "account:account", "sign_in")
    assert event.attributes["event_type"] == "signed_in"


async def test_once_on_every_day(shanghai: World, draw: Draw) -> None:
    await shanghai.set_up(**DAILY, sign_in_from="06:00:00", sign_in_until="07:00:00")
    assert await run_next_attempt(shanghai) == at(20, 6, 30)
    draw(0.9)
    assert await run_next_attempt(shanghai) == at(21, 6, 30)
    assert await run_next_attempt(shanghai) == at(22, 6, 54)

    assert len(sign_in_requests(shanghai)) == 3
    assert shanghai.service.account.totalsign == 3


async def test_window_over_midnight(shanghai: World) -> None:
    """Tests a time window over the service's midnight, which belongs to two of its days."""
    shanghai.freezer.move_to(at(20, 1, 30))
    await shanghai.set_up(**DAILY, sign_in_from="23:00:00", sign_in_until="01:00:00")

    assert await run_next_attempt(shanghai) == at(20, 23, 25), "too close to the service's midnight"
    for day in (21, 22, 23):
        assert await run_next_attempt(shanghai) == at(day, 0, 31), (
            "too close to the service's midnight"
        )

    assert len(sign_in_requests(shanghai)) == shanghai.service.account.totalsign == 4


async def test_a_missed_window_is_caught_up(shanghai: World) -> None:
    shanghai.freezer.move_to(at(20, 15, 0))
    await shanghai.set_up(**DAILY)

    assert await run_next_attempt(shanghai) == at(20, 15, 15)
    assert len(sign_in_requests(shanghai)) == 1
    assert await run_next_attempt(shanghai) == at(21, 9, 0)


async def test_a_start_inside_the_window(shanghai: World) -> None:
    shanghai.freezer.move_to(at(20, 9, 0))
    await shanghai.set_up(**DAILY)

    assert await run_next_attempt(shanghai) == at(20, 9, 30)
    assert len(sign_in_requests(shanghai)) == 1


async def test_already_signed_in_at_start(shanghai: World) -> None:
    shanghai.freezer.move_to(at(20, 15, 0))
    shanghai.service.account.signdate = int(at(20, 14, 0).timestamp())
    await shanghai.set_up(**DAILY)

    assert await run_next_attempt(shanghai) == at(21, 9, 0)
    assert len(sign_in_requests(shanghai)) == 1


async def test_signed_in_elsewhere(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.account.signdate = int(at(20, 0, 40).timestamp())

    assert await run_next_attempt(shanghai) == at(20, 9, 0)
    assert shanghai.service.account.totalsign is None, "signed in twice"
    assert not failing_issue(shanghai)

    assert await run_next_attempt(shanghai) == at(21, 9, 0)
    assert shanghai.service.account.totalsign == 1


async def test_yesterdays_data_do_not_count(shanghai: World) -> None:
    """Tests a sign-in before midnight, after which polls failed."""
    shanghai.freezer.move_to(at(20, 12, 0))
    shanghai.service.account.signdate = int(at(20, 11, 0).timestamp())
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "html", match={"type": "info"}, times=None)

    assert await run_next_attempt(shanghai) == at(21, 9, 0)

    assert shanghai.service.account.totalsign == 1


async def test_retries(shanghai: World) -> None:
    """Tests that pauses double, with another attempt within the time window and then after it."""
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "error", match={"type": "sign"}, times=6)
    changes = async_capture_events(shanghai.hass, "state_changed")

    moments = [await run_next_attempt(shanghai) for _ in range(7)]

    assert moments[:6] == [
        at(20, 9, 0),
        at(20, 9, 15),
        at(20, 9, 37, 30),
        at(20, 9, 48, 45),
        at(20, 9, 54, 22).replace(microsecond=500_000),
        at(20, 10, 24, 22).replace(microsecond=500_000),
    ]
    assert moments[6] < at(21, 0)
    assert (await run_next_attempt(shanghai)) == at(21, 9, 0)
    event = shanghai.entity_id("event", "account:account", "sign_in")
    outcomes = [
        change.data["new_state"].attributes[ATTR_EVENT_TYPE]
        for change in changes
        if change.data["entity_id"] == event
    ]
    assert outcomes == ["failed", "signed_in", "signed_in"], "more than one failure event a day"


async def test_retries_until_the_day_ends(shanghai: World) -> None:
    shanghai.service.fault("/user", "error", match={"type": "sign"}, times=None)
    await shanghai.set_up(**DAILY)

    moments = [await run_next_attempt(shanghai) for _ in range(30)]

    today = [moment for moment in moments if moment < at(21, 0)]
    assert at(20, 23, 55) < today[-1] < at(20, 23, 59)
    pauses = [later - earlier for earlier, later in pairwise(today)]
    assert min(pauses) >= timedelta(minutes=1)
    assert len(today) < 20, "too many attempts"
    assert len(today) == sum(moment < at(21, 0) for moment in sign_in_requests(shanghai))
    assert at(21, 9, 0) in moments


async def test_retry_after(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.fault(
        "/user", "status", match={"type": "sign"}, status=429, headers={"Retry-After": "3000"}
    )

    assert await run_next_attempt(shanghai) == at(20, 9, 0)
    assert await run_next_attempt(shanghai) == at(20, 9, 50)
    assert len(sign_in_requests(shanghai)) == 2


async def test_issue_after_two_failed_days(shanghai: World) -> None:
    """Tests two of the service's days with two failures each; a restart keeps the count."""
    await shanghai.set_up(**DAILY)
    shanghai.service.fault(
        "/user", "body", match={"type": "sign"}, times=None, body={"status": 500, "message": "不行"}
    )
    while await run_next_attempt(shanghai) < at(21, 9):
        assert not failing_issue(shanghai)
    await shanghai.restart()
    assert not failing_issue(shanghai)

    assert await run_next_attempt(shanghai) == at(21, 9, 15)

    issue = failing_issue(shanghai)
    assert issue
    assert issue.translation_placeholders == {
        "account": "HayFrp demo",
        "message": "The service rejected the request: “不行”.",
    }

    shanghai.service.clear_faults()
    await run_next_attempt(shanghai)
    assert signed_on(shanghai) == at(21, 0).date()
    assert not failing_issue(shanghai)


async def test_the_issue_contains_no_secret(shanghai: World) -> None:
    """Tests that the issue contains neither password, session nor links."""
    await shanghai.set_up(**DAILY)
    account = shanghai.service.account
    secrets = [secret for secret in (account.password, account.csrf) if secret]
    shanghai.service.fault("/user", "error", match={"type": "sign"}, times=None)
    while not failing_issue(shanghai):
        await run_next_attempt(shanghai)
    for encode in ENCODINGS.values():
        repeated = [encode(secret) for secret in secrets]
        words = f"[不行](https://evil.example) <b>{' '.join(repeated)}</b>"
        shanghai.service.clear_faults()
        body = {"status": 500, "message": words}
        shanghai.service.fault("/user", "body", match={"type": "sign"}, times=None, body=body)

        while "不行" not in issue_message(shanghai):
            await run_next_attempt(shanghai)

        message = issue_message(shanghai)
        assert not [secret for secret in repeated if secret in message]
        assert not set("<>[]") & set(message)
        shanghai.service.clear_faults()
        shanghai.service.fault("/user", "error", match={"type": "sign"}, times=None)
        while "不行" in issue_message(shanghai):
            await run_next_attempt(shanghai)


def issue_message(world: World) -> str:
    """Returns the service's message in the issue."""
    issue = failing_issue(world)
    assert issue
    assert issue.translation_placeholders
    return issue.translation_placeholders["message"]


async def test_the_button_solves_the_issue(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "error", match={"type": "sign"}, times=None)
    while not failing_issue(shanghai):
        await run_next_attempt(shanghai)
    shanghai.service.clear_faults()

    await shanghai.act("button", "press", "account:account", "sign_in")

    assert not failing_issue(shanghai)


async def test_refused_login_starts_reauthentication(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    shanghai.service.account.password = "changed"
    refusal = {"status": 404, "message": "CSRF临时授权无效或已过期."}
    shanghai.service.fault("/user", "body", match={"type": "sign"}, body=refusal)

    await run_next_attempt(shanghai)

    (flow,) = shanghai.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_unload_cancels_the_next_attempt(shanghai: World) -> None:
    """Tests unloading while the sign-in request waits for its answer."""
    await shanghai.set_up(**DAILY)
    shanghai.service.fault("/user", "hang", match={"type": "sign"})
    shanghai.freezer.move_to(at(20, 9, 1))
    async_fire_time_changed(shanghai.hass)
    await shanghai.until(lambda: bool(sign_in_requests(shanghai)))

    assert await shanghai.hass.config_entries.async_unload(shanghai.entry.entry_id)
    await shanghai.live(3 * DAY, 12 * HOUR)

    assert len(sign_in_requests(shanghai)) == 1


async def test_turning_it_off(shanghai: World) -> None:
    await shanghai.set_up(**DAILY)
    assert shanghai.entry.runtime_data.sign_in.next == at(20, 9, 0)

    shanghai.hass.config_entries.async_update_entry(shanghai.entry, options={})
    await shanghai.restart()
    await shanghai.live(DAY, 12 * HOUR)

    assert not sign_in_requests(shanghai)
