"""Polling: what it costs, which entities it notifies, and what it does when a service fails."""

import asyncio
from dataclasses import replace
from itertools import pairwise
import logging
from statistics import median
import sys
from types import FrameType

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.entity_component import async_update_entity
from homeassistant.util import dt as dt_util
import pytest

from custom_components.tunnel_hub import per_resource_reads
from custom_components.tunnel_hub.api.models.tunnels import Tunnel
from custom_components.tunnel_hub.api.provider import PATIENCE
from custom_components.tunnel_hub.api.rate_limiter import RateLimiter
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.subscriptions import Subscription
from simulator.service import Call

from .common import HOUR, MINUTE, SMALL, World, on

MANY = pytest.mark.parametrize("simulator", [{"tunnels": 12, "nodes": 1}], indirect=True)


@pytest.fixture
def still(world: World) -> None:
    """Make a service whose values do not change."""
    for tunnel in world.service.state.tunnels.values():
        tunnel.rate = 0
    for node in world.service.state.nodes.values():
        node.rate_in = node.rate_out = 0


def watch_writes(world: World) -> list[str]:
    """Return a list that every entity adds itself to when its state or an attribute changes."""
    written: list[str] = []

    @callback
    def _note(event: Event[EventStateChangedData]) -> None:
        written.append(event.data["entity_id"])

    world.hass.bus.async_listen(EVENT_STATE_CHANGED, _note)
    return written


# Which entities are notified


@pytest.mark.usefixtures("still")
async def test_a_poll_without_changes_writes_nothing(world: World) -> None:
    await world.set_up()
    written = watch_writes(world)
    calls = len(world.service.calls)

    await world.live(10 * MINUTE)

    assert len(world.service.calls) > calls + 50
    # The time of a check is written while a browser is connected.
    assert {entity_id.rpartition("_last_")[2] for entity_id in written} == {"reachability_check"}


@pytest.mark.usefixtures("still")
async def test_only_what_changed_is_written(world: World) -> None:
    await world.set_up()
    written = watch_writes(world)

    world.service.state.tunnels["1"].local_port = 8124
    await world.elapse(MINUTE)

    assert written == [world.entity_id("sensor", "tunnel:1", "local_address")]


@pytest.mark.usefixtures("still")
async def test_few_calls_lead_from_a_field_to_its_state(world: World) -> None:
    """What is called for a changed sensor, apart from Home Assistant's own code."""
    await world.set_up()
    coordinator = world.entry.runtime_data.coordinators["tunnels"]
    calls: list[str] = []

    def _note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and DOMAIN in frame.f_code.co_filename:
            calls.append(frame.f_code.co_name)

    sys.setprofile(_note)
    try:
        coordinator.async_notify("1")
    finally:
        sys.setprofile(None)
    begins = [n for n, name in enumerate(calls) if name == "_handle_coordinator_update"]
    assert len(begins) > 5
    # Some rows call functions of their own in addition.
    assert median(after - before for before, after in pairwise(begins)) <= 6


@pytest.mark.usefixtures("still")
async def test_other_resources_are_not_even_asked(world: World) -> None:
    await world.set_up()
    nodes = world.entry.runtime_data.coordinators["nodes"]
    told: list[str] = []
    removers = [
        nodes.async_add_listener(
            lambda number=number: told.append(number), Subscription(number, "x")
        )
        for number in "12"
    ]

    world.service.state.nodes["1"].connections += 1
    await world.live(5 * MINUTE)
    assert told == ["1"]

    world.service.state.nodes["2"].connections += 1
    for remove in removers:
        remove()
    await world.live(5 * MINUTE)
    assert told == ["1"], "who left hears nothing"


@SMALL
async def test_a_feed_is_polled_for_as_long_as_somebody_is_interested(world: World) -> None:
    await world.set_up()
    of_service = [e.entity_id for e in world.registered("service:") if e.disabled_by is None]
    last = of_service.pop()

    for removed, polled in ((of_service, True), ([last], False)):
        for entity_id in removed:
            er.async_get(world.hass).async_remove(entity_id)
        await world.settle()
        world.service.calls.clear()

        await world.live(HOUR, 5 * MINUTE)

        assert bool(world.service.calls_to("/info")) is polled


@SMALL
@pytest.mark.usefixtures("still")
async def test_everybody_is_told_of_an_outage_and_then_nobody_in_vain(world: World) -> None:
    await world.set_up()
    nodes = world.entry.runtime_data.coordinators["nodes"]
    told: list[str] = []
    for number in "12":
        nodes.async_add_listener(
            lambda number=number: told.append(number), Subscription(number, "x")
        )

    world.service.fault("/nodes", "html", times=None)
    await world.live(HOUR, 5 * MINUTE)
    assert sorted(told) == ["1", "2"]
    world.service.clear_faults()
    while not nodes.available:
        await world.elapse(MINUTE)
    assert sorted(told) == ["1", "1", "2", "2"]

    told.clear()
    nodes.async_publish(replace(nodes.data["1"], name="renamed"))
    await world.settle()
    assert told == ["1"]


@pytest.mark.usefixtures("still")
# Bad days


async def test_values_outlast_a_few_failures(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Then entities are unavailable until the next answer; the log says each once."""
    await world.set_up()
    world.service.fault("/proxy", "html", match={"type": "list"}, times=None)

    for _ in range(PATIENCE - 1):
        await world.elapse(MINUTE)
        assert world.value("switch", "tunnel:1", "enabled") == "on"
    await world.elapse(MINUTE)
    assert world.value("switch", "tunnel:1", "enabled") == "unavailable"
    assert world.value("sensor", "account:account", "tunnels_used") == "5", "another feed"

    await world.elapse(MINUTE)
    world.service.clear_faults()
    await world.elapse(MINUTE)
    assert world.value("switch", "tunnel:1", "enabled") == "on"

    ours = [r.getMessage() for r in caplog.records if r.name.startswith("custom_components")]
    assert sum("Error fetching HayFrp tunnels" in message for message in ours) == 1
    assert sum("Fetching HayFrp tunnels data recovered" in message for message in ours) == 1


async def test_single_failures_add_up_to_nothing(world: World) -> None:
    await world.set_up()
    for _ in range(PATIENCE):
        world.service.fault("/proxy", "html", match={"type": "list"}, times=2)
        await world.elapse(MINUTE)
        await world.elapse(MINUTE)
        assert world.value("switch", "tunnel:1", "enabled") == "on"


async def test_an_outage(world: World) -> None:
    await world.set_up()
    await world.service.stop()
    await world.live(PATIENCE * MINUTE)
    assert world.value("sensor", "account:account", "tunnels_used") == "unavailable"

    await world.service.start()
    await world.elapse(MINUTE)

    assert world.value("sensor", "account:account", "tunnels_used") == "5"
    assert world.value("switch", "tunnel:1", "enabled") == "on"


@SMALL
@pytest.mark.parametrize("fault", ["empty", "wrong_type", "reset", "redirect", "status", "cut"])
async def test_no_answer_is_an_unhandled_exception(
    world: World, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    await world.set_up()
    world.service.fault("*", fault, times=None)

    await world.live(HOUR, 5 * MINUTE)
    assert world.value("switch", "tunnel:1", "enabled") == "unavailable"
    assert "Unexpected error" not in caplog.text
    assert not [r for r in caplog.records if r.exc_info and r.levelno > logging.DEBUG]

    world.service.clear_faults()
    await world.live(10 * MINUTE)
    assert world.value("switch", "tunnel:1", "enabled") == "on"


async def test_a_refused_session_token_asks_the_user(world: World) -> None:
    """There is no password to sign in again with; old values do not count any more."""
    world.service.account.csrf, world.service.account.csrf_since = "pasted", world.service.now()
    world.hass.config_entries.async_update_entry(
        world.entry,
        data={"provider": "hayfrp", "base_url": world.service.url, "token": "pasted"},
    )
    await world.set_up()

    world.service.account.csrf = "ended"
    await world.elapse(MINUTE)

    assert world.value("switch", "tunnel:1", "enabled") == "unavailable"
    assert world.value("sensor", "account:account", "tunnels_used") == "unavailable"
    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    assert not world.service.calls_to("/user", type="login")


async def test_a_probe_that_is_refused_asks_the_user(world: World) -> None:
    await world.set_up()
    world.freezer.tick(HOUR)
    world.service.account.password = "changed"
    refusal = {"status": 403, "message": "登录无效或已过期."}
    world.service.fault("/proxy", "body", match={"type": "check"}, body=refusal)

    await world.elapse(MINUTE)

    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_retry_after_is_honoured(world: World) -> None:
    """Nothing at all is asked before, and values stay."""
    await world.set_up()
    world.service.fault(
        "/proxy", "status", match={"type": "list"}, status=429, headers={"Retry-After": "600"}
    )
    await world.elapse(MINUTE)
    calls = len(world.service.calls)

    await world.live(9 * MINUTE)
    assert len(world.service.calls) == calls
    assert world.value("switch", "tunnel:1", "enabled") == "on"

    await world.live(3 * MINUTE)
    assert len(world.service.calls) > calls
    assert world.service.calls_to("/proxy", type="list")[-1].status == 200


# One session for all


async def test_a_session_ended_elsewhere_is_renewed_once(world: World) -> None:
    """However many requests it refuses, there is one login, and no entity changes."""
    await world.set_up()
    await world.live(15 * MINUTE)
    written = watch_writes(world)

    world.service.account.csrf = "of-the-browser"
    await world.elapse(MINUTE)

    assert len(world.service.calls_to("/user", type="login")) == 2
    assert world.entry.data["token"] == world.service.account.csrf
    assert world.entity_id("switch", "tunnel:1", "enabled") not in written
    assert not ir.async_get(world.hass).issues


async def test_a_contested_session(world: World) -> None:
    """The account is left to the other program for a while, and the user is told why."""
    await world.set_up()
    world.service.account.csrf = "of-another-program"
    await world.elapse(MINUTE)
    assert world.service.account.csrf == world.entry.data["token"], "once may be an accident"
    world.service.account.csrf = "of-another-program"
    await world.elapse(MINUTE)
    (issue,) = ir.async_get(world.hass).issues.values()
    assert issue.translation_key == "session_contested"
    assert issue.translation_placeholders == {"account": "HayFrp demo"}
    assert issue.severity is ir.IssueSeverity.WARNING

    logins = len(world.service.calls_to("/user", type="login"))
    await world.live(13 * MINUTE)
    assert len(world.service.calls_to("/user", type="login")) == logins
    assert world.service.account.csrf == "of-another-program"
    assert not world.hass.config_entries.flow.async_progress(), "the password is right"

    await world.live(3 * MINUTE)
    assert len(world.service.calls_to("/user", type="login")) == logins + 1
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    assert ir.async_get(world.hass).issues, "it is unknown whether it lasts"

    await world.live(11 * MINUTE)
    assert not ir.async_get(world.hass).issues


# Online states, one request each


def checks(world: World) -> list[str]:
    """Return the tunnels that the service was asked for, one by one."""
    return [call.get("id") for call in world.service.calls_to("/proxy", type="check")]


async def test_only_enabled_tunnels_are_checked(world: World) -> None:
    await world.set_up()
    assert sorted(checks(world)) == ["1", "2", "3", "4"]

    await world.elapse(MINUTE)
    assert sorted(checks(world)) == sorted(2 * ["1", "2", "3", "4"])


async def test_only_tunnels_somebody_looks_at_are_checked(world: World) -> None:
    await world.set_up()
    for platform, key in (("binary_sensor", "online"), ("sensor", "state")):
        er.async_get(world.hass).async_update_entity(
            world.entity_id(platform, "tunnel:1", key),
            disabled_by=er.RegistryEntryDisabler.USER,
        )
    world.service.calls.clear()

    await world.restart()
    await world.elapse(MINUTE)

    assert set(checks(world)) == {"2", "3", "4"}


async def test_a_tunnel_is_checked_for_as_long_as_somebody_looks_at_it(world: World) -> None:
    await world.set_up()
    for platform, key, checked in (("binary_sensor", "online", 1), ("sensor", "state", 0)):
        er.async_get(world.hass).async_remove(world.entity_id(platform, "tunnel:1", key))
        await world.settle()
        world.service.calls.clear()

        await world.elapse(MINUTE)

        assert checks(world).count("1") == checked


async def test_after_a_command_only_its_tunnel_is_checked_again(world: World) -> None:
    await world.set_up()
    world.service.calls.clear()

    await on(world, "tunnel:2", "force_offline")

    assert checks(world) == ["2"]


async def test_an_entity_is_read_again_as_somebody_wishes(world: World) -> None:
    """In the same moment as another that a command was about, too."""
    await world.set_up()
    await on(world, "tunnel:1", "force_offline")
    await on(world, "tunnel:1", "force_offline")
    world.service.state.tunnels["2"].client_running = False
    world.service.calls.clear()

    await async_update_entity(world.hass, world.entity_id("binary_sensor", "tunnel:2", "online"))
    await world.elapse(1)

    assert sorted(checks(world)) == ["1", "2"]
    assert world.value("binary_sensor", "tunnel:2", "online") == "off"


def answered(world: World) -> list[Call]:
    """Return the checks that have been answered."""
    return [c for c in world.service.calls_to("/proxy", type="check") if c.status is not None]


async def begin(world: World) -> None:
    """Set up without waiting for what goes on in the background."""
    await world.hass.config_entries.async_setup(world.entry.entry_id)
    await world.hass.async_block_till_done()


async def turn() -> None:
    """Let the loop turn, in no time, until all that could begin has begun."""
    for _ in range(1000):
        await asyncio.sleep(0)


@MANY
async def test_a_few_checks_at_once(world: World) -> None:
    for tunnel in world.service.state.tunnels.values():
        tunnel.enabled = True
    world.service.fault("/proxy", "hang", match={"type": "check"}, times=None)
    await begin(world)
    await world.until(lambda: len(checks(world)) >= 3)

    await turn()
    at_once = len(checks(world))
    await world.entry.runtime_data.coordinators["tunnels"].async_refresh()
    await turn()
    after_a_poll = len(checks(world))
    await world.give_up()

    assert at_once == after_a_poll == 3
    assert len(set(checks(world))) == 12


@MANY
async def test_many_checks_are_spread(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few immediately, the others at a limited rate; each result contains its time."""
    monkeypatch.setattr(per_resource_reads, "AT_ONCE", 4)
    delays: list[float] = []

    def _delay(rate: RateLimiter) -> float:
        """Book as ever, but do not wait."""
        delays.append(delay(rate))
        return 0

    delay = RateLimiter.delay
    monkeypatch.setattr(RateLimiter, "delay", _delay)
    for tunnel in world.service.state.tunnels.values():
        tunnel.enabled = True
    await world.set_up(checks="off")

    assert delays == [0, 0, 0, 0, *(0.25 * number for number in range(1, 9))]
    assert sorted(checks(world), key=int) == [str(number) for number in range(1, 13)]
    tunnels = world.entry.runtime_data.coordinators["tunnels"].data.values()
    assert all(isinstance(t, Tunnel) and t.checked_at == dt_util.utcnow() for t in tunnels)


async def test_one_slow_check_holds_up_no_other(world: World) -> None:
    world.service.fault("/proxy", "hang", match={"type": "check", "id": "1"}, times=None)
    await begin(world)

    await world.until(
        lambda: (
            [world.value("binary_sensor", f"tunnel:{number}", "online") for number in "1234"]
            == ["unknown", "on", "on", "off"]
        )
    )

    await world.give_up()
    assert world.value("binary_sensor", "tunnel:1", "online") == "on"


async def test_a_check_under_way_is_not_asked_again(world: World) -> None:
    world.service.fault("/proxy", "hang", match={"type": "check", "id": "1"})
    await begin(world)
    await world.until(lambda: [call.status for call in answered(world)] == 3 * [200])

    await world.entry.runtime_data.coordinators["tunnels"].async_refresh()
    await world.until(lambda: len(answered(world)) >= 6)
    asked = sorted(checks(world))
    await world.give_up()

    assert asked == ["1", "2", "2", "3", "3", "4", "4"]


async def test_a_failing_check_keeps_the_last_reading_for_a_while(world: World) -> None:
    await world.set_up()
    world.service.fault("/proxy", "html", match={"type": "check", "id": "1"}, times=None)

    await world.live(4 * MINUTE)
    assert world.value("binary_sensor", "tunnel:1", "online") == "on"

    await world.live(2 * MINUTE)
    assert world.value("binary_sensor", "tunnel:1", "online") == "unknown"
    assert world.value("binary_sensor", "tunnel:2", "online") == "on"
