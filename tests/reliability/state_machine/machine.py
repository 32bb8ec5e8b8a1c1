"""The rules of the state machine: events at the service, the user's actions, time and races."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, ClassVar, NamedTuple, override
from zoneinfo import ZoneInfo

from homeassistant.components.image import DOMAIN as IMAGE
from homeassistant.components.switch import DOMAIN as SWITCH
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    ATTR_ENTITY_ID,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.entity_component import async_update_entity
from homeassistant.helpers.entity_registry import RegistryEntryDisabler
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
import pytest

from custom_components.tunnel_hub import async_migrate_entry, async_remove_config_entry_device
from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.diagnostics import (
    async_get_config_entry_diagnostics,
    async_get_device_diagnostics,
)
from custom_components.tunnel_hub.forecast import SUBJECTS
from custom_components.tunnel_hub.ids import stored_prefix
from custom_components.tunnel_hub.reachability import CHECKS, CHECKS_OFF
from simulator.gates import Moment

from ...clocks import Clocks
from ...common import DAY, HOUR, MINUTE, connect_browsers
from ..provider_modules import PROVIDER_DATA
from ..providers import Outcome, Trouble, UserAction
from .checks import check_expected, entities_of, ids_of, state_of, things_of
from .expected import ANYTHING, Expected, nth
from .hass_instance import HassInstance
from .model import STARTS, Options, Request, ServiceModel, TunnelModel
from .sign_ins import SignIns
from .user_choices import Choices, Holds, key_of, rename, rename_device

_ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "UTC")
_FAULTS = ("html", "error", "empty", "cut", "reset", "lost", "wrong_type")
_PICK = st.integers(0, 63)
"""Selects one of several items, whose number is known only when the rule runs."""
PAIR = " / "
"""Separates the activity that is held from the one that runs meanwhile."""
_MOMENTS: tuple[Moment, ...] = ("before", "after")
_CALLS = st.sampled_from((1, 1, 1, 2, 2, 3, 4, 6))
"""Which of several calls is held."""
_RULE_WEIGHTS = {
    "race": 5,
    "interleave": 3,
    "lose_sessions": 2,
    "ignore_repairs": 2,
    "revert_trouble": 2,
    "set_up": 2,
    "hold": 1,
    "start_with_faults": 1,
    "trouble_account": 2,
    "unload": 2,
}
"""Rules that are drawn more often than others, and how many times more often."""
_FORECASTS = {subject.of.kind: subject.forecast.kind for subject in SUBJECTS}
_ANY: Request = ("*", {})


class Stop(NamedTuple):
    """Where an activity is held: at which of several calls, and before or after it is handled."""

    request: Request
    calls: int
    moment: Moment


type Work = Coroutine[Any, Any, object]
type Step = Callable[..., Work]
type Activity = Callable[[int], Work]


def step(**drawn: Any) -> Callable[[Step], Callable[..., None]]:
    """Makes a coroutine method a rule. The method returns False if it did nothing.

    drawn: strategies for its arguments.
    """
    make_rule: Any = rule(**drawn)

    def make(method: Step) -> Callable[..., None]:
        @wraps(method)
        def run(self: Machine, **values: Any) -> None:
            self.take(method.__name__, method(self, **values))

        made: Callable[..., None] = make_rule(run)
        return made

    return make


class Machine(RuleBasedStateMachine):
    """The rules for one kind of entry; `machine_for` adds the service's changes.

    kind: the service's model. clocks, log: the test's. taken: number of runs of each step.
    trouble: the account's fault, until it is reverted.
    focus: the tunnel of a race.
    """

    kind: ClassVar[type[ServiceModel]]
    clocks: ClassVar[Clocks]
    log: ClassVar[pytest.LogCaptureFixture]
    taken: ClassVar[Counter[str]]

    def __init__(self) -> None:
        """Prepares; the first step starts Home Assistant."""
        super().__init__()
        self.hass_instance = HassInstance(self.kind, self.clocks, self.log)
        self.broken = False
        self.down = False
        self.concurrent = False
        self.trouble: Trouble | None = None
        self.things_before: set[str] = set()
        self.holds = Holds()
        self.choices = Choices()
        self.focus: str | None = None
        self.number = 0
        self.browsers = 0
        self.by_hand = 0

    # Running

    def take(self, name: str, work: Work) -> None:
        """Runs and counts one step."""
        try:
            if self.hass_instance.run(work) is not False:
                self.taken[name] += 1
            if self.trouble:
                # Devices that no longer exist or are unwanted may be removed.
                self.things_before &= self._expected().devices.keys()
        except BaseException:
            self.broken = True
            raise

    @initialize(start=st.sampled_from(STARTS), zone=st.sampled_from(_ZONES), options=_PICK)
    def begin(self, start: datetime, zone: str, options: int) -> None:
        """Sets the entry up."""
        self.take("begin", self._begin(start, zone, nth(self.kind.options, options)))

    async def _begin(self, start: datetime, zone: str, options: Options) -> None:
        await self.hass_instance.open(start, zone)
        self.world, self.model = self.hass_instance.world, self.hass_instance.model
        self.hass, self.entry, self.service = (
            self.world.hass,
            self.world.entry,
            self.world.service,
        )
        self.sign_ins = SignIns(self.model, ZoneInfo(zone))
        self.idle_leftovers = self.hass_instance.leftovers()
        self._choose(options)
        await self._set_up()
        assert self.loaded

    @override
    def teardown(self) -> None:
        """Checks a last time and stops."""
        try:
            if not self.broken and hasattr(self, "sign_ins"):
                self.take("look", self._look())
                self.take("end", self._end())
        finally:
            self.hass_instance.close()

    async def _end(self) -> None:
        if self.state is not ConfigEntryState.NOT_LOADED:
            await self._unload()
        await self._look()

    @property
    def state(self) -> ConfigEntryState:
        """The entry's state."""
        return self.world.entry_state()

    @property
    def loaded(self) -> bool:
        """Whether the entry is loaded."""
        return self.state is ConfigEntryState.LOADED

    @property
    def fine(self) -> bool:
        """Whether the entry is loaded and nothing is faulty."""
        return self.loaded and not self.down and self.trouble is None

    # Checks

    @step()
    async def look(self) -> None:
        """Waits for polls and compares everything with the expected states."""
        await self._look()

    async def _look(self) -> None:
        self.service.clear_faults()
        if self.down:
            await self._come_up()
        await self.world.settle()
        connect_browsers(self.hass)
        calls = len(self.service.calls)
        polls = 0
        while polls < 3:
            polls = polls + 1 if await self._advance(self.kind.slowest + 1) == 1 else 0
        assert not self.hass_instance.errors, self.hass_instance.errors
        self.hass_instance.output_check.check()
        if self.state is ConfigEntryState.NOT_LOADED:
            assert len(self.service.calls) == calls, "requests while unloaded"
            left = self.hass_instance.leftovers() - self.idle_leftovers
            assert not left, f"not released: {left}"
        elif self.trouble and self.trouble.outcome is Outcome.REFUSED:
            assert self.world.reauthentications() == 1
            gone = self.things_before - things_of(self.world).keys()
            assert not gone, f"removed while unavailable: {gone}"
        else:
            assert self.loaded, self.state
            assert not self.world.reauthentications()
            expected = self._expected()
            check_expected(self.world, expected, self.kind.off)
            if isinstance(self.model, TunnelModel):
                self.holds.check(self.world, self.model, self._thing)
            self.choices.check(self.world, expected)
            self.choices.check_repairs(self.world)
            await self._check_nodes(expected)
            await self._check_rewrites()
        connect_browsers(self.hass, browsers=self.browsers)

    async def _check_nodes(self, expected: Expected) -> None:
        """Actions return a node's state even if its entities are disabled."""
        for thing, device in things_of(self.world).items():
            wanted = expected.entities.get(thing, {}).get("binary_sensor.online", ANYTHING)
            if "node" in thing.partition(":")[0] and isinstance(wanted, bool):
                node = await self.world.call("get_node", device_id=device.id)
                assert node.get("online") is wanted, f"{thing}: {node}"

    async def _check_rewrites(self) -> None:
        """While only counters and measurements change, no attribute does."""
        self.hass_instance.rewrites.clear()
        for _ in range(3):
            PROVIDER_DATA[self.kind.case.key].measure(self.service)
            await self._advance(self.world.case.interval)
        rewritten = {id_ for id_ in self.hass_instance.rewrites if not id_.startswith(f"{IMAGE}.")}
        assert not rewritten, f"attributes of {rewritten}"

    def _expected(self) -> Expected:
        expected = self.model.expected(self.entry.options)
        self._add_forecasts(expected)
        expected.resolve(ids_of(self.world, self.kind.named))
        # Resources of a lasting kind may stay after they disappear from the service.
        there = things_of(self.world).keys() - expected.devices.keys()
        expected.optional |= {t for t in there if t.partition(":")[0] in self.kind.lasting}
        return expected

    def _add_forecasts(self, expected: Expected) -> None:
        """Adds optional forecasts, which depend on limits and statistics."""
        for thing in list(expected.devices):
            kind, _, id_ = thing.partition(":")
            if kind in _FORECASTS:
                expected.add(f"{_FORECASTS[kind]}:{id_}", {"sensor.traffic_lasts_until": ANYTHING})
                expected.optional.add(f"{_FORECASTS[kind]}:{id_}")

    def _thing(self, tunnel_id: str) -> str:
        thing = self.model.thing(tunnel_id)
        return ids_of(self.world, self.kind.named).get(thing, thing)

    # Time

    async def _advance(self, seconds: float) -> int:
        """Lets time pass in one step, with stops at moments relevant to the daily sign-in.

        Returns the number of steps.
        """
        now = self.hass_instance.now()
        stops = self.sign_ins.stops(now, now + timedelta(seconds=seconds))
        for moment in stops:
            await self.hass_instance.advance_to(moment)
            self._watch_sign_ins()
        return len(stops)

    def _watch_sign_ins(self) -> None:
        in_the_way = self.service.faults or self.service.gates or ir.async_get(self.hass).issues
        account = state_of(self.world, "sensor", "account:account", "tunnels_used")
        self.sign_ins.advance_to(
            self.hass_instance.now(),
            well=self.fine and not in_the_way and account not in (None, STATE_UNAVAILABLE),
            by_hand=self.by_hand,
        )
        self.by_hand = 0

    @step(minutes=st.sampled_from((1, 5, 30, 60, 6 * 60)))
    async def wait(self, minutes: int) -> None:
        """Lets time pass."""
        await self._advance(minutes * MINUTE)

    @step()
    async def pass_day(self) -> None:
        """Lets a day pass, with a poll every eight hours."""
        for _ in range(3):
            await self._advance(8 * HOUR)

    @step(around=st.sampled_from((1, 30, 300)), at_home=st.booleans(), down=st.booleans())
    async def pass_midnight(self, *, around: int, at_home: bool, down: bool) -> None:
        """Passes midnight of the service or of Home Assistant, possibly during an outage."""
        zone = ZoneInfo(self.hass.config.time_zone if at_home else "Asia/Shanghai")
        tomorrow = self.hass_instance.now().astimezone(zone).date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, datetime.min.time(), zone).astimezone(UTC)
        left = (midnight - self.hass_instance.now()).total_seconds()
        if left > around:
            await self._advance(left - around)
        if down and not self.down:
            await self._go_down()
        await self._advance(2 * around)
        if self.down and not at_home and self.kind.tells_midnight:
            todays = {
                entity.entity_id: state.state
                for entity in self.world.registered()
                if entity.unique_id.endswith("_today")
                and (state := self.hass.states.get(entity.entity_id))
                and state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
            }
            assert not todays, f"shown as today's: {todays}"

    @step(browsers=st.integers(0, 1))
    async def open_or_close_app(self, browsers: int) -> None:
        """The user opens or closes Home Assistant in a browser."""
        self.browsers = browsers
        connect_browsers(self.hass, browsers=browsers)
        await self.world.settle()

    @step(hours=st.sampled_from((1, 8, 30)))
    async def suspend(self, hours: int) -> None:
        """Suspends the machine, and with it all timers."""
        self.sign_ins.disturb()
        calls = len(self.service.calls)
        self.clocks.sleep(hours * HOUR)
        await self._advance(2 * MINUTE)
        if self.fine and self.quiet:
            assert len(self.service.calls) > calls, "nothing was read after sleep"

    @step(seconds=st.sampled_from((-DAY, -HOUR, HOUR, DAY)), down=st.booleans())
    async def set_clock(self, *, seconds: float, down: bool) -> None:
        """The system clock is wrong for a while, possibly during an outage."""
        was_fine = self.fine
        if down and not self.down:
            await self._go_down()
        self.clocks.set(seconds, self.service)
        await self._live(4 * self.kind.slowest if self.down else 10 * MINUTE)
        if self.down and was_fine:
            shown = [state for state in self._shown_steadily() if state != STATE_UNAVAILABLE]
            assert not shown, f"still available: {shown}"
        self.clocks.set(-seconds, self.service)
        await self.hass_instance.advance_to(self.hass_instance.now())
        self.sign_ins.reset()

    async def _live(self, seconds: float) -> None:
        """Lets time pass in steps, independent of the system clock."""
        for _ in range(8):
            await self.hass_instance.advance_to(
                self.hass_instance.now() + timedelta(seconds=seconds / 8)
            )

    def _shown_steadily(self) -> list[str]:
        """Returns the states of the enabled steady entities."""
        shown = (state_of(self.world, *value) for value in self.world.case.steady)
        return [state for state in shown if state is not None]

    # The service and the account

    @precondition(lambda self: not self.down)
    @step()
    async def go_down(self) -> None:
        """The service stops."""
        await self._go_down()

    async def _go_down(self) -> None:
        # Requests in progress cannot time out in frozen time.
        await self.world.settle()
        self.down = True
        await self.service.stop()

    @precondition(lambda self: self.down)
    @step()
    async def come_up(self) -> None:
        """The service starts again."""
        await self._come_up()

    async def _come_up(self) -> None:
        await self.service.start()
        self.down = False

    @step(fault=st.sampled_from(_FAULTS), times=st.integers(1, 3), after=st.integers(0, 12))
    async def corrupt_answers(self, fault: str, times: int, after: int) -> None:
        """A few answers are faulty."""
        self.service.fault("*", fault, times=times, after=after)

    @precondition(lambda self: self.fine and not self.service.faults)
    @step()
    async def lose_sessions(self) -> None:
        """Another program ends our sessions repeatedly."""
        connect_browsers(self.hass)
        for _ in range(3):
            self.model.end_session(0)
            await self._advance(self.world.case.interval)
        connect_browsers(self.hass, browsers=self.browsers)

    @precondition(lambda self: self.fine and self.kind.troubles())
    @step(pick=_PICK)
    async def trouble_account(self, pick: int) -> None:
        """The account has a fault: of its password, token or permissions."""
        trouble = nth(self.kind.troubles().values(), pick)
        self.service.clear_faults()
        self.things_before = set(things_of(self.world))
        trouble.begin(self.service)
        if trouble.outcome is not Outcome.HEALED:
            self.trouble = trouble
        # It is noticed within an hour, even while no browser is connected.
        await self._advance(HOUR)

    @precondition(lambda self: self.trouble is not None)
    @step()
    async def revert_trouble(self) -> None:
        """Reverts the account's fault; the user signs in again if necessary."""
        assert self.trouble
        self.service.clear_faults()
        self.trouble.end(self.service)
        if self.trouble.outcome is Outcome.REFUSED:
            case = self.world.case
            data = {"provider": case.service, **case.credentials(self.service)}
            self.hass.config_entries.async_update_entry(
                self.entry, data=data | stored_prefix(self.entry)
            )
            self.world.abort_flows()
            await self._reload_if_loaded()
        self.trouble = None

    # The entry

    async def _set_up(self) -> None:
        self.model.on_set_up(self.entry.options)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.world.settle()

    async def _unload(self) -> None:
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.world.settle()

    async def _reload(self) -> None:
        self.model.on_set_up(self.entry.options)
        await self.hass.config_entries.async_reload(self.entry.entry_id)
        await self.world.settle()

    async def _reload_if_loaded(self) -> bool:
        if self.state is ConfigEntryState.NOT_LOADED:
            return False
        await self._reload()
        return True

    def _choose(self, options: Options) -> None:
        self.sign_ins.disturb()
        self.sign_ins.options = options
        # The model does not cover checks of public addresses.
        options = {**options, CHECKS: CHECKS_OFF}
        self.hass.config_entries.async_update_entry(self.entry, options=options)

    @precondition(lambda self: self.state is not ConfigEntryState.NOT_LOADED)
    @step()
    async def unload(self) -> None:
        """Home Assistant stops."""
        await self._unload()

    @precondition(lambda self: self.state is ConfigEntryState.NOT_LOADED)
    @step()
    async def set_up(self) -> None:
        """Home Assistant starts again."""
        await self._set_up()

    @precondition(lambda self: not self.down and self.trouble is None and self.kind.requests)
    @step(pick=_PICK, fault=st.sampled_from(_FAULTS), times=st.integers(1, 3))
    async def start_with_faults(self, *, pick: int, fault: str, times: int) -> None:
        """Home Assistant starts while some answers of one kind are faulty."""
        if self.state is not ConfigEntryState.NOT_LOADED:
            await self._unload()
        route, match = nth(self.kind.requests, pick)
        self.service.fault(route, fault, match=match, times=times)
        await self._set_up()

    @precondition(lambda self: self.state is not ConfigEntryState.NOT_LOADED)
    @step()
    async def reload(self) -> None:
        """The user reloads the entry."""
        await self._reload()

    @step(pick=_PICK)
    async def change_options(self, pick: int) -> None:
        """The user changes the options."""
        self._choose(nth(self.kind.options, pick))
        await self._reload_if_loaded()

    # Hypothesis's first example only runs the first rule without arguments, by name.
    @step()
    async def downgrade(self) -> None:
        """The entry's data are of a later major version."""
        update, version = self.hass.config_entries.async_update_entry, self.entry.version
        update(self.entry, version=version + 1)
        assert not await async_migrate_entry(self.hass, self.entry)
        update(self.entry, version=version)

    @step()
    async def download_diagnostics(self) -> None:
        """The user downloads diagnostics, whether the entry is loaded or not."""
        await async_get_config_entry_diagnostics(self.hass, self.entry)
        for device in things_of(self.world).values():
            await async_get_device_diagnostics(self.hass, self.entry, device)

    # The user's changes of entities and devices

    @step(pick=_PICK)
    async def disable_entity(self, pick: int) -> bool:
        """The user disables an entity."""
        enabled = [entity for entity in self.world.registered() if entity.disabled_by is None]
        if not enabled:
            return False
        entity = nth(enabled, pick)
        self.choices.enabled.discard(key_of(entity))
        self.choices.disabled.add(key_of(entity))
        er.async_get(self.hass).async_update_entity(
            entity.entity_id, disabled_by=RegistryEntryDisabler.USER
        )
        await self.world.settle()
        return True

    @step(pick=_PICK)
    async def enable_entity(self, pick: int) -> bool:
        """The user enables an entity; Home Assistant then reloads the entry."""
        disabled = [entity for entity in self.world.registered() if entity.disabled_by is not None]
        if not disabled:
            return False
        entity = nth(disabled, pick)
        self.choices.disabled.discard(key_of(entity))
        self.choices.enabled.add(key_of(entity))
        er.async_get(self.hass).async_update_entity(entity.entity_id, disabled_by=None)
        await self._reload_if_loaded()
        return True

    @step(pick=_PICK)
    async def rename_entity(self, pick: int) -> bool:
        """The user renames an entity."""
        if not (entities := self.world.registered()):
            return False
        self.number += 1
        rename(self.world, self.choices, nth(entities, pick), self.number)
        return True

    @step(pick=_PICK)
    async def rename_device(self, pick: int) -> None:
        """The user renames a device."""
        self.number += 1
        thing = nth(sorted(things_of(self.world)), pick)
        rename_device(self.world, self.choices, thing, self.number)

    @step(pick=_PICK)
    async def remove_device(self, pick: int) -> None:
        """The user removes a device, which is refused for resources that exist."""
        thing, device = nth(sorted(things_of(self.world).items()), pick)
        expected = self._expected() if self.fine else Expected()
        # Devices that stay without being listed can be removed until the next poll.
        lasting = expected.optional | {
            t for t in expected.devices if t.partition(":")[0] in self.kind.lasting
        }
        settled = thing in expected.devices and thing not in lasting
        try:
            may = await async_remove_config_entry_device(self.hass, self.entry, device)
        except HomeAssistantError:
            return
        assert not (may and settled and self.quiet), f"{thing} exists and can be removed"
        if may:
            # As Home Assistant does; the integration may already have removed it.
            if (registry := dr.async_get(self.hass)).async_get(device.id):
                registry.async_remove_device(device.id)
            self.choices.device_names.pop(thing, None)
            self.things_before.discard(thing)

    @step()
    async def ignore_repairs(self) -> bool:
        """The user ignores the issues."""
        shown = [
            issue.issue_id
            for issue in list(ir.async_get(self.hass).issues.values())
            if issue.domain == DOMAIN and issue.active
        ]
        for issue_id in shown:
            ir.async_ignore_issue(self.hass, DOMAIN, issue_id, True)
        self.choices.ignored |= set(shown)
        return bool(shown)

    # Activities: alone, in parallel, or while another one is held

    async def _turn(self, entity_id: str, *, on: bool) -> bool:
        """Turns a switch on or off and returns whether it succeeded."""
        action = "turn_on" if on else "turn_off"
        try:
            await self.hass.services.async_call(
                SWITCH, action, {ATTR_ENTITY_ID: entity_id}, blocking=True
            )
        except HomeAssistantError:
            return False
        return True

    def _tunnel(self, pick: int) -> str | None:
        """Returns one of the tunnels that can be forced down now."""
        there = [
            id_
            for id_ in sorted(self.model.tunnels())
            if state_of(self.world, SWITCH, self._thing(id_), "force_down") in (STATE_ON, STATE_OFF)
            and self.focus in (None, id_)
        ]
        return nth(there, pick) if there else None

    async def _hold(self, pick: int) -> bool:
        if (id_ := self._tunnel(pick)) is None:
            return False
        thing = self._thing(id_)
        before = {self._tunnels_enabled()[id_]}
        if (shown := state_of(self.world, SWITCH, thing, "enabled")) is not None:
            before.add(shown == STATE_ON)
        self.holds.released.pop(id_, None)
        if await self._turn(self.world.entity_id(SWITCH, thing, "force_down"), on=True):
            self.holds.hold(id_, before)
        elif self.concurrent:
            self.holds.unsure.add(id_)
        return True

    async def _release(self, pick: int) -> bool:
        if (id_ := self._tunnel(pick)) is None:
            return False
        entity_id = self.world.entity_id(SWITCH, self._thing(id_), "force_down")
        if await self._turn(entity_id, on=False):
            self.holds.release(id_)
        elif self.concurrent:
            # A release that unloading interrupts is continued later.
            self.holds.unsure.add(id_)
        return True

    async def _return_client(self, pick: int) -> bool:
        """The client of a forced-down tunnel reconnects, followed by a poll."""
        model, held = self.model, sorted(self.holds.held.keys() & self.model.tunnels().keys())
        held = [id_ for id_ in held if self.focus in (None, id_)]
        if not held or not isinstance(model, TunnelModel):
            return False
        model.return_client(nth(held, pick))
        await self._poll(pick)
        return True

    async def _poll(self, _: int) -> bool:
        await self._advance(self.world.case.interval)
        return True

    async def _refresh(self, pick: int) -> bool:
        """The user updates an entity; no time passes."""
        enabled = [entity for entity in self.world.registered() if entity.disabled_by is None]
        if not self.loaded or not enabled:
            return False
        await async_update_entity(self.hass, nth(enabled, pick).entity_id)
        return True

    async def _switch(self, pick: int, *, on: bool) -> bool:
        """Turns any other switch on or off and checks the service's state."""
        there = [
            (thing, key, entity.entity_id)
            for thing, entities in sorted(entities_of(self.world).items())
            for key, entity in sorted(entities.items())
            if entity.domain == SWITCH
            and key != "switch.force_down"
            and (state := self.hass.states.get(entity.entity_id))
            and state.state in (STATE_ON, STATE_OFF)
        ]
        if not there:
            return False
        thing, key, entity_id = nth(there, pick)
        before = self._tunnels_enabled()
        if await self._turn(entity_id, on=on) and not (self.concurrent or self.service.faults):
            wanted = self._expected().entities.get(thing, {})
            assert wanted.get(key, on) == on, f"{thing} {key} did not change"
        self.holds.compare(before, self._tunnels_enabled())
        return True

    async def _switch_on(self, pick: int) -> bool:
        return await self._switch(pick, on=True)

    async def _switch_off(self, pick: int) -> bool:
        return await self._switch(pick, on=False)

    async def _act(self, pick: int) -> bool:
        """Runs an action or presses a button."""
        return await self._perform(nth(self.model.user_actions, pick))

    async def _own_act(self, name: str) -> bool:
        if not (self.fine and self.quiet):
            return False
        return await self._perform(self.model.own_actions()[name])

    async def _perform(self, act: UserAction) -> bool:
        if act.key:
            assert act.thing
            if state_of(self.world, act.domain, act.thing, act.key) in (None, STATE_UNAVAILABLE):
                return False
        elif act.thing is not None and act.thing not in things_of(self.world):
            return False
        self.by_hand += "sign_in" in (act.action, act.key)
        before = self._tunnels_enabled()
        await self.world.run_action(act)
        self.holds.compare(before, self._tunnels_enabled())
        return True

    async def _reload_entry(self, _: int) -> bool:
        return await self._reload_if_loaded()

    def _tunnels_enabled(self) -> dict[str, bool | None]:
        model = self.model
        if not isinstance(model, TunnelModel):
            return {}
        return {id_: model.enabled(id_) for id_ in model.tunnels()}

    async def _change(self, name: str, pick: int) -> None:
        before = self._tunnels_enabled()
        self.kind.changes()[name](self.model, pick)
        self.holds.compare(before, self._tunnels_enabled())

    def _activities(self) -> dict[str, Activity]:
        """Returns the activities that can run in parallel with another one, by name."""

        def change(name: str) -> Activity:
            return lambda pick: self._change(name, pick)

        def own_act(name: str) -> Activity:
            return lambda _: self._own_act(name)

        return {
            "act": self._act,
            "hold": self._hold,
            "poll": self._poll,
            "refresh": self._refresh,
            "release": self._release,
            "reload": self._reload_entry,
            "return client": self._return_client,
            "switch off": self._switch_off,
            "switch on": self._switch_on,
            **{name: own_act(name) for name in self.model.own_actions()},
            **{name: change(name) for name in self.kind.changes()},
        }

    @step()
    async def poll(self) -> None:
        """Polls the steady entities."""
        await self._poll(0)

    @step(pick=_PICK)
    async def refresh(self, pick: int) -> bool:
        """The user updates an entity."""
        return await self._refresh(pick)

    @step(pick=_PICK)
    async def hold(self, pick: int) -> bool:
        """The user forces a tunnel down."""
        return await self._hold(pick)

    @step(pick=_PICK)
    async def release(self, pick: int) -> bool:
        """The user turns force down off."""
        return await self._release(pick)

    @step(pick=_PICK)
    async def return_client(self, pick: int) -> bool:
        """The client of a forced-down tunnel reconnects."""
        return await self._return_client(pick)

    @step(pick=_PICK, on=st.booleans())
    async def switch(self, pick: int, on: bool) -> bool:
        """The user turns another switch on or off."""
        return await self._switch(pick, on=on)

    @step(pick=_PICK)
    async def act(self, pick: int) -> bool:
        """The user runs an action."""
        return await self._act(pick)

    @precondition(lambda self: not self.down)
    @step(
        first=_PICK,
        second=_PICK,
        picks=st.tuples(_PICK, _PICK),
        request=_PICK,
        calls=_CALLS,
        moment=st.sampled_from(_MOMENTS),
    )
    async def interleave(
        self,
        *,
        first: int,
        second: int,
        picks: tuple[int, int],
        request: int,
        calls: int,
        moment: Moment,
    ) -> None:
        """Runs one activity while another one waits for an answer."""
        activities = self._activities()
        begun = nth(sorted(activities.keys() - self.kind.changes().keys()), first)
        requests = (*[_ANY] * len(self.kind.requests), *self.kind.requests)
        meanwhile = nth(sorted(activities), second)
        stop = Stop(nth(requests, request), calls, moment)
        await self._interleave(begun, meanwhile, picks, stop)

    @precondition(lambda self: self.fine and self.kind.races)
    @step(
        pick=_PICK,
        first=_PICK,
        second=_PICK,
        tunnel=_PICK,
        request=_PICK,
        calls=_CALLS,
        moment=st.sampled_from(_MOMENTS),
    )
    async def race(
        self,
        *,
        pick: int,
        first: int,
        second: int,
        tunnel: int,
        request: int,
        calls: int,
        moment: Moment,
    ) -> None:
        """Runs two activities in parallel that affect the same resource."""
        race = nth(self.kind.races, pick)
        begun, meanwhile = nth(race.first, first), nth(race.second, second)
        self.focus = self._tunnel(tunnel)
        if begun in ("release", "return client") and self.focus not in self.holds.held:
            await self._hold(0)
        stop = Stop(nth(race.requests, request), calls, moment)
        await self._interleave(begun, meanwhile, (tunnel, tunnel), stop)
        self.focus = None

    def meanwhile(
        self, begun: str, other: str, request: Request, moment: Moment = "after", pick: int = 0
    ) -> None:
        """Runs one activity while another one is held at a request, for known sequences."""
        stop = Stop(request, 1, moment)
        self.take("interleave", self._interleave(begun, other, (pick, pick), stop))
        assert self.taken[f"{begun}{PAIR}{other}"], f"{begun} did not wait at {request}"

    async def _interleave(
        self,
        begun: str,
        meanwhile: str,
        picks: tuple[int, int],
        stop: Stop,
    ) -> None:
        activities = self._activities()
        self.concurrent = True
        (route, match), calls, moment = stop
        gate = self.service.gate(route, moment, match=match, times=calls)
        one = asyncio.create_task(activities[begun](picks[0]))
        await self.hass_instance.run_until_idle()
        while gate.waiting and calls > 1:
            gate.let_through()
            calls -= 1
            await self.hass_instance.run_until_idle()
        if one.done() and not gate.waiting:
            # It sent fewer requests; a poll with a connected browser requests everything.
            begun, gate.route, gate.match, gate.times = "poll", "*", {}, 1
            connect_browsers(self.hass)
            one = asyncio.create_task(self._poll(0))
            await self.hass_instance.run_until_idle()
        stopped, gate.times = gate.waiting, 0
        other = asyncio.create_task(activities[meanwhile](picks[1]))
        await self.hass_instance.run_until_idle()
        gate.open()
        await asyncio.gather(one, other)
        self.service.gates.remove(gate)
        await self.world.settle()
        connect_browsers(self.hass, browsers=self.browsers)
        self.concurrent = False
        if meanwhile not in ("poll", "refresh", "hold", "release", "reload"):
            self.holds.released.clear()
        if stopped:
            self.taken[f"{begun}{PAIR}{meanwhile}"] += 1

    @property
    def quiet(self) -> bool:
        """Whether no fault is pending."""
        return not self.service.faults


def machine_for(
    model: type[ServiceModel],
    clocks: Clocks,
    log: pytest.LogCaptureFixture,
    taken: Counter[str],
) -> type[Machine]:
    """Returns the state machine of a service, with a rule for each of its changes."""

    def rule_for(name: str) -> Callable[..., None]:
        async def change(self: Machine, pick: int) -> None:
            await self._change(name, pick)

        change.__name__ = name
        return step(pick=_PICK)(change)

    rules = {name: rule_for(name) for name in model.changes()}
    context = {"kind": model, "clocks": clocks, "log": log, "taken": taken}
    often = {
        f"{name} {n}": getattr(Machine, name)
        for name, times in _RULE_WEIGHTS.items()
        for n in range(times)
        if name not in model.idle
    }
    idle = dict.fromkeys(model.idle)
    return type(f"{model.__name__}Machine", (Machine,), context | rules | often | idle)
