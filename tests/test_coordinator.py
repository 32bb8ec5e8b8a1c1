"""Tests polling: requests, updates of entities, and failures of a service."""

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
    """Return a service whose values do not change."""
    for tunnel in world.service.state.tunnels.values():
        tunnel.rate = 0
    for node in world.service.state.nodes.values():
        node.rate_in = node.rate_out = 0


def watch_writes(world: World) -> list[str]:
    """Return a list of the entities whose state or attributes change."""
    written: list[str] = []

    @callback
    def _note(event: Event[EventStateChangedData]) -> None:
        written.append(event.data["entity_id"])

    world.hass.bus.async_listen(EVENT_STATE_CHANGED, _note)
    return written


# Which entities are notified


@pytest.mark.usefixtures("still")
async def test_a_poll_without_changes_updates_nothing(world: World) -> None:
    await world.set_up()
    written = watch_writes(world)
    calls = len(world.service.calls)

    await world.live(10 * MINUTE)

    assert len(world.service.calls) > calls + 50
    # The time of a check is shown while a browser is connected.
    assert {entity_id.rpartition("_last_")[2] for entity_id in written} == {"reachability_check"}


@pytest.mark.usefixtures("still")
async def test_only_changed_entities_are_updated(world: World) -> None:
    await world.set_up()
    written = watch_writes(world)

    world.service.state.tunnels["1"].local_port = 8124
    await world.elapse(MINUTE)

    assert written == [world.entity_id("sensor", "tunnel:1", "local_address")]


@pytest.mark.usefixtures("still")
async def test_number_of_calls_for_a_changed_field(world: World) -> None:
    """Count the calls for a changed sensor, apart from Home Assistant's own code."""
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
    # Some rows call additional functions.
    assert median(after - before for before, after in pairwise(begins)) <= 6


@pytest.mark.usefixtures("still")
async def test_unchanged_resources_notify_no_subscriber(world: World) -> None:
    await world.set_up()
    nodes = world.entry.runtime_data.coordinators["nodes"]
    updates: list[str] = []
    removers = [
        nodes.async_add_listener(
            lambda number=number: updates.append(number), Subscription(number, "x")
        )
        for number in "12"
    ]

    world.service.state.nodes["1"].connections += 1
    await world.live(5 * MINUTE)
    assert updates == ["1"]

    world.service.state.nodes["2"].connections += 1
    for remove in removers:
        remove()
    await world.live(5 * MINUTE)
    assert updates == ["1"], "an unsubscribed listener is not called"


@SMALL
async def test_a_feed_is_polled_while_it_has_subscribers(world: World) -> None:
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
async def test_an_outage_is_notified_once(world: World) -> None:
    await world.set_up()
    nodes = world.entry.runtime_data.coordinators["nodes"]
    updates: list[str] = []
    for number in "12":
        nodes.async_add_listener(
            lambda number=number: updates.append(number), Subscription(number, "x")
        )

    world.service.fault("/nodes", "html", times=None)
    await world.live(HOUR, 5 * MINUTE)
    assert sorted(updates) == ["1", "2"]
    world.service.clear_faults()
    while not nodes.available:
        await world.elapse(MINUTE)
    assert sorted(updates) == ["1", "1", "2", "2"]

    updates.clear()
    nodes.async_publish(replace(nodes.data["1"], name="renamed"))
    await world.settle()
    assert updates == ["1"]


@pytest.mark.usefixtures("still")
# Failures


async def test_values_are_kept_for_a_few_failures(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Entities become unavailable after the last one. The log contains each failure once."""
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


async def test_single_failures_do_not_add_up(world: World) -> None:
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
async def test_no_answer_causes_an_unhandled_exception(
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


async def test_a_refused_session_token_starts_reauthentication(world: World) -> None:
    """There is no password to sign in with, and old values are not shown."""
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


async def test_a_refused_probe_starts_reauthentication(world: World) -> None:
    await world.set_up()
    world.freezer.tick(HOUR)
    world.service.account.password = "changed"
    refusal = {"status": 403, "message": "登录无效或已过期."}
    world.service.fault("/proxy", "body", match={"type": "check"}, body=refusal)

    await world.elapse(MINUTE)

    (flow,) = world.hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_retry_after_is_respected(world: World) -> None:
    """Nothing is requested before, and values are kept."""
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


# Shared sessions


async def test_a_session_ended_elsewhere_is_renewed_once(world: World) -> None:
    """There is one login, however many requests were refused, and no entity changes."""
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
    """Requests pause, so that the other program can use the account. A repair issue explains it."""
    await world.set_up()
    world.service.account.csrf = "of-another-program"
    await world.elapse(MINUTE)
    assert world.service.account.csrf == world.entry.data["token"], "one refusal causes no issue"
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
    assert not world.hass.config_entries.flow.async_progress(), "the password is valid"

    await world.live(3 * MINUTE)
    assert len(world.service.calls_to("/user", type="login")) == logins + 1
    assert world.value("switch", "tunnel:1", "enabled") == "on"
    assert ir.async_get(world.hass).issues, "the session may end again"

    await world.live(11 * MINUTE)
    assert not ir.async_get(world.hass).issues


# Probes: one request for each tunnel


def checks(world: World) -> list[str]:
    """Return the tunnels whose probes were requested."""
    return [call.get("id") for call in world.service.calls_to("/proxy", type="check")]


async def test_only_enabled_tunnels_are_probed(world: World) -> None:
    await world.set_up()
    assert sorted(checks(world)) == ["1", "2", "3", "4"]

    await world.elapse(MINUTE)
    assert sorted(checks(world)) == sorted(2 * ["1", "2", "3", "4"])


async def test_only_tunnels_with_subscribers_are_probed(world: World) -> None:
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


async def test_a_tunnel_is_probed_while_it_has_subscribers(world: World) -> None:
    await world.set_up()
    for platform, key, checked in (("binary_sensor", "online", 1), ("sensor", "state", 0)):
        er.async_get(world.hass).async_remove(world.entity_id(platform, "tunnel:1", key))
        await world.settle()
        world.service.calls.clear()

        await world.elapse(MINUTE)

        assert checks(world).count("1") == checked


async def test_a_command_probes_only_its_tunnel(world: World) -> None:
    await world.set_up()
    world.service.calls.clear()

    await on(world, "tunnel:2", "force_offline")

    assert checks(world) == ["2"]


async def test_an_update_that_is_requested_is_read(world: World) -> None:
    """It can be combined with the probe after a command."""
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
    """Return the probes that have been answered."""
    return [c for c in world.service.calls_to("/proxy", type="check") if c.status is not None]


async def begin(world: World) -> None:
    """Set up without waiting for background tasks."""
    await world.hass.config_entries.async_setup(world.entry.entry_id)
    await world.hass.async_block_till_done()


async def turn() -> None:
    """Run the event loop, without elapsed time, until no task can continue."""
    for _ in range(1000):
        await asyncio.sleep(0)


@MANY
async def test_concurrent_probes(world: World) -> None:
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
async def test_many_probes_are_spread(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few are sent immediately, the others at a limited rate. Each result contains its time."""
    monkeypatch.setattr(per_resource_reads, "AT_ONCE", 4)
    delays: list[float] = []

    def _delay(rate: RateLimiter) -> float:
        """Reserve a slot without waiting for it."""
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


async def test_a_slow_probe_does_not_delay_others(world: World) -> None:
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


async def test_a_running_probe_is_not_repeated(world: World) -> None:
    world.service.fault("/proxy", "hang", match={"type": "check", "id": "1"})
    await begin(world)
    await world.until(lambda: [call.status for call in answered(world)] == 3 * [200])

    await world.entry.runtime_data.coordinators["tunnels"].async_refresh()
    await world.until(lambda: len(answered(world)) >= 6)
    asked = sorted(checks(world))
    await world.give_up()

    assert asked == ["1", "2", "2", "3", "3", "4", "4"]


async def test_a_failed_probe_keeps_the_last_result_for_a_while(world: World) -> None:
    await world.set_up()
    world.service.fault("/proxy", "html", match={"type": "check", "id": "1"}, times=None)

    await world.live(4 * MINUTE)
    assert world.value("binary_sensor", "tunnel:1", "online") == "on"

    await world.live(2 * MINUTE)
    assert world.value("binary_sensor", "tunnel:1", "online") == "unknown"
    assert world.value("binary_sensor", "tunnel:2", "online") == "on"
