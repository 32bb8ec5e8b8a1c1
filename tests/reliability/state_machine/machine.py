"""The rules: what may happen at the service, at home, in time, and between sending and answer."""

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
from ...common import DAY, HOUR, MINUTE, look_at
from ..provider_modules import FOUND
from ..providers import Act, Outcome, Trouble
from .checks import check_picture, entities_of, ids_of, shown_by, things_of
from .home import Home
from .model import STARTS, Options, Request, ServiceModel, TunnelModel
from .picture import ANYTHING, Picture, nth
from .promises import Choices, Holds, key_of, rename, rename_device
from .sign_ins import SignIns

_ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "UTC")
_FAULTS = ("html", "error", "empty", "cut", "reset", "lost", "wrong_type")
_PICK = st.integers(0, 63)
"""Which of several: how many there are shows only when the rule runs."""
PAIR = " / "
"""Stands between what is stopped and what happens meanwhile."""
_MOMENTS: tuple[Moment, ...] = ("before", "after")
_CALLS = st.sampled_from((1, 1, 1, 2, 2, 3, 4, 6))
"""Which of several calls is stopped."""
_OFTEN = {
    "race": 5,
    "interleave": 3,
    "lose_sessions": 2,
    "ignore_repairs": 2,
    "make_good": 2,
    "set_up": 2,
    "hold": 1,
    "start_badly": 1,
    "trouble_account": 2,
    "unload": 2,
}
"""Rules that are drawn more often than others, and by how many times: so much depends on them."""
_FORECASTS = {subject.of.kind: subject.forecast.kind for subject in SUBJECTS}
_ANY: Request = ("*", {})


class Stop(NamedTuple):
    """Where something waits: at which of several calls, and at which moment of it."""

    request: Request
    calls: int
    moment: Moment


type Work = Coroutine[Any, Any, object]
type Step = Callable[..., Work]
type Activity = Callable[[int], Work]


def step(**drawn: Any) -> Callable[[Step], Callable[..., None]]:
    """Make a coroutine method a rule. It returns False where there was nothing to do.

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
    """Everything that may happen to one kind of entry; `machine_for` adds the service's own rules.

    kind: of the service. clocks, log: the test's. taken: how often each step was taken.
    trouble: what has happened to the account, until it is made good again.
    focus: the tunnel that all is about while two things race for it.
    """

    kind: ClassVar[type[ServiceModel]]
    clocks: ClassVar[Clocks]
    log: ClassVar[pytest.LogCaptureFixture]
    taken: ClassVar[Counter[str]]

    def __init__(self) -> None:
        """Prepare; the first step opens the home."""
        super().__init__()
        self.home = Home(self.kind, self.clocks, self.log)
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
        """Run one step to its end, and count it."""
        try:
            if self.home.run(work) is not False:
                self.taken[name] += 1
            if self.trouble:
                # What is not there any more, or not wanted, may go.
                self.things_before &= self._picture().devices.keys()
        except BaseException:
            self.broken = True
            raise

    @initialize(start=st.sampled_from(STARTS), zone=st.sampled_from(_ZONES), options=_PICK)
    def begin(self, start: datetime, zone: str, options: int) -> None:
        """Set the entry up."""
        self.take("begin", self._begin(start, zone, nth(self.kind.options, options)))

    async def _begin(self, start: datetime, zone: str, options: Options) -> None:
        await self.home.open(start, zone)
        self.world, self.model = self.home.world, self.home.model
        self.hass, self.entry, self.service = (
            self.world.hass,
            self.world.entry,
            self.world.service,
        )
        self.sign_ins = SignIns(self.model, ZoneInfo(zone))
        self.at_rest = self.home.held()
        self._choose(options)
        await self._set_up()
        assert self.loaded

    @override
    def teardown(self) -> None:
        """Let everything settle a last time, and end."""
        try:
            if not self.broken and hasattr(self, "sign_ins"):
                self.take("look", self._look())
                self.take("end", self._end())
        finally:
            self.home.close()

    async def _end(self) -> None:
        if self.state is not ConfigEntryState.NOT_LOADED:
            await self._unload()
        await self._look()

    @property
    def state(self) -> ConfigEntryState:
        """The state of the entry."""
        return self.world.entry_state()

    @property
    def loaded(self) -> bool:
        """Whether the entry is loaded."""
        return self.state is ConfigEntryState.LOADED

    @property
    def fine(self) -> bool:
        """Whether nothing is in the way."""
        return self.loaded and not self.down and self.trouble is None

    # Looking

    @step()
    async def look(self) -> None:
        """Let everything settle, and compare it with what should be."""
        await self._look()

    async def _look(self) -> None:
        self.service.clear_faults()
        if self.down:
            await self._come_up()
        await self.world.settle()
        look_at(self.hass)
        calls = len(self.service.calls)
        polls = 0
        while polls < 3:
            polls = polls + 1 if await self._leap(self.kind.slowest + 1) == 1 else 0
        assert not self.home.errors, self.home.errors
        self.home.watch.check()
        if self.state is ConfigEntryState.NOT_LOADED:
            assert len(self.service.calls) == calls, "asked although it is unloaded"
            left = self.home.held() - self.at_rest
            assert not left, f"something is left: {left}"
        elif self.trouble and self.trouble.outcome is Outcome.REFUSED:
            assert self.world.reauthentications() == 1
            gone = self.things_before - things_of(self.world).keys()
            assert not gone, f"removed although nothing can be read: {gone}"
        else:
            assert self.loaded, self.state
            assert not self.world.reauthentications()
            picture = self._picture()
            check_picture(self.world, picture, self.kind.off)
            if isinstance(self.model, TunnelModel):
                self.holds.check(self.world, self.model, self._thing)
            self.choices.check(self.world, picture)
            self.choices.check_repairs(self.world)
            await self._check_nodes(picture)
            await self._check_rewrites()
        look_at(self.hass, browsers=self.browsers)

    async def _check_nodes(self, picture: Picture) -> None:
        """An automation learns a node's state, whatever is enabled."""
        for thing, device in things_of(self.world).items():
            wanted = picture.entities.get(thing, {}).get("binary_sensor.online", ANYTHING)
            if "node" in thing.partition(":")[0] and isinstance(wanted, bool):
                node = await self.world.call("get_node", device_id=device.id)
                assert node.get("online") is wanted, f"{thing}: {node}"

    async def _check_rewrites(self) -> None:
        """While only counters and measurements move, no attribute does."""
        self.home.rewrites.clear()
        for _ in range(3):
            FOUND[self.kind.case.of].measure(self.service)
            await self._leap(self.world.case.interval)
        rewritten = {id_ for id_ in self.home.rewrites if not id_.startswith(f"{IMAGE}.")}
        assert not rewritten, f"attributes of {rewritten}"

    def _picture(self) -> Picture:
        picture = self.model.picture(self.entry.options)
        self._add_forecasts(picture)
        picture.resolve(ids_of(self.world, self.kind.named))
        # What is no longer shown may stay.
        there = things_of(self.world).keys() - picture.devices.keys()
        picture.perhaps |= {t for t in there if t.partition(":")[0] in self.kind.lasting}
        return picture

    def _add_forecasts(self, picture: Picture) -> None:
        """Add what is foreseen of things, if they have a limit, from statistics of days."""
        for thing in list(picture.devices):
            kind, _, id_ = thing.partition(":")
            if kind in _FORECASTS:
                picture.add(f"{_FORECASTS[kind]}:{id_}", {"sensor.traffic_lasts_until": ANYTHING})
                picture.perhaps.add(f"{_FORECASTS[kind]}:{id_}")

    def _thing(self, tunnel_id: str) -> str:
        thing = self.model.thing(tunnel_id)
        return ids_of(self.world, self.kind.named).get(thing, thing)

    # Time

    async def _leap(self, seconds: float) -> int:
        """Let time pass in one step, apart from the moments on which the daily sign-in depends.

        Returns in how many leaps.
        """
        now = self.home.now()
        stops = self.sign_ins.stops(now, now + timedelta(seconds=seconds))
        for moment in stops:
            await self.home.land(moment)
            self._watch_sign_ins()
        return len(stops)

    def _watch_sign_ins(self) -> None:
        in_the_way = self.service.faults or self.service.gates or ir.async_get(self.hass).issues
        account = shown_by(self.world, "sensor", "account:account", "tunnels_used")
        self.sign_ins.land(
            self.home.now(),
            well=self.fine and not in_the_way and account not in (None, STATE_UNAVAILABLE),
            by_hand=self.by_hand,
        )
        self.by_hand = 0

    @step(minutes=st.sampled_from((1, 5, 30, 60, 6 * 60)))
    async def wait(self, minutes: int) -> None:
        """Time passes."""
        await self._leap(minutes * MINUTE)

    @step()
    async def pass_day(self) -> None:
        """A day passes, with a poll every eight hours."""
        for _ in range(3):
            await self._leap(8 * HOUR)

    @step(around=st.sampled_from((1, 30, 300)), at_home=st.booleans(), down=st.booleans())
    async def see_midnight(self, *, around: int, at_home: bool, down: bool) -> None:
        """A day begins, at the service or here, between two polls, or while nothing answers."""
        zone = ZoneInfo(self.hass.config.time_zone if at_home else "Asia/Shanghai")
        tomorrow = self.home.now().astimezone(zone).date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, datetime.min.time(), zone).astimezone(UTC)
        left = (midnight - self.home.now()).total_seconds()
        if left > around:
            await self._leap(left - around)
        if down and not self.down:
            await self._go_down()
        await self._leap(2 * around)
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
        """The user begins to look at Home Assistant, or ceases to."""
        self.browsers = browsers
        look_at(self.hass, browsers=browsers)
        await self.world.settle()

    @step(hours=st.sampled_from((1, 8, 30)))
    async def suspend(self, hours: int) -> None:
        """The machine sleeps, and with it all timers."""
        self.sign_ins.disturb()
        calls = len(self.service.calls)
        self.clocks.sleep(hours * HOUR)
        await self._leap(2 * MINUTE)
        if self.fine and self.quiet:
            assert len(self.service.calls) > calls, "nothing was read after sleep"

    @step(seconds=st.sampled_from((-DAY, -HOUR, HOUR, DAY)), down=st.booleans())
    async def set_clock(self, *, seconds: float, down: bool) -> None:
        """The clock is wrong for a while; perhaps nothing answers then."""
        was_fine = self.fine
        if down and not self.down:
            await self._go_down()
        self.clocks.set(seconds, self.service)
        await self._live(4 * self.kind.slowest if self.down else 10 * MINUTE)
        if self.down and was_fine:
            shown = [state for state in self._shown_steadily() if state != STATE_UNAVAILABLE]
            assert not shown, f"still shown: {shown}"
        self.clocks.set(-seconds, self.service)
        await self.home.land(self.home.now())
        self.sign_ins.begin_anew()

    async def _live(self, seconds: float) -> None:
        """Let time pass in steps, whatever the clock on the wall says."""
        for _ in range(8):
            await self.home.land(self.home.now() + timedelta(seconds=seconds / 8))

    def _shown_steadily(self) -> list[str]:
        """Return what the account's steady entities show, of those that are enabled."""
        shown = (shown_by(self.world, *value) for value in self.world.case.steady)
        return [state for state in shown if state is not None]

    # The service, and the account there

    @precondition(lambda self: not self.down)
    @step()
    async def go_down(self) -> None:
        """The service does not answer any more."""
        await self._go_down()

    async def _go_down(self) -> None:
        # What the service is at cannot run out of time, which stands still.
        await self.world.settle()
        self.down = True
        await self.service.stop()

    @precondition(lambda self: self.down)
    @step()
    async def come_up(self) -> None:
        """The service answers again."""
        await self._come_up()

    async def _come_up(self) -> None:
        await self.service.start()
        self.down = False

    @step(fault=st.sampled_from(_FAULTS), times=st.integers(1, 3), after=st.integers(0, 12))
    async def spoil(self, fault: str, times: int, after: int) -> None:
        """A few answers are no good."""
        self.service.fault("*", fault, times=times, after=after)

    @precondition(lambda self: self.fine and not self.service.faults)
    @step()
    async def lose_sessions(self) -> None:
        """Another program ends our sessions again and again."""
        look_at(self.hass)
        for _ in range(3):
            self.model.end_session(0)
            await self._leap(self.world.case.interval)
        look_at(self.hass, browsers=self.browsers)

    @precondition(lambda self: self.fine and self.kind.troubles())
    @step(pick=_PICK)
    async def trouble_account(self, pick: int) -> None:
        """Something happens to the account: to its password, its token, its rights."""
        trouble = nth(self.kind.troubles().values(), pick)
        self.service.clear_faults()
        self.things_before = set(things_of(self.world))
        trouble.begin(self.service)
        if trouble.outcome is not Outcome.HEALED:
            self.trouble = trouble
        # It is noticed by then, also while no browser is connected.
        await self._leap(HOUR)

    @precondition(lambda self: self.trouble is not None)
    @step()
    async def make_good(self) -> None:
        """The account is as before, and the user signs in again."""
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
        # Public addresses are checked beside the service, of which alone the picture tells.
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
    async def start_badly(self, *, pick: int, fault: str, times: int) -> None:
        """Home Assistant starts while some answers of one kind are no good."""
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
        """The user wants something else."""
        self._choose(nth(self.kind.options, pick))
        await self._reload_if_loaded()

    # The first example takes the first rule only: of those without arguments, the first by name.
    @step()
    async def downgrade(self) -> None:
        """A later version of ours has been here."""
        update, version = self.hass.config_entries.async_update_entry, self.entry.version
        update(self.entry, version=version + 1)
        assert not await async_migrate_entry(self.hass, self.entry)
        update(self.entry, version=version)

    @step()
    async def download_diagnostics(self) -> None:
        """The user wants to know more, whether the entry is loaded or not."""
        await async_get_config_entry_diagnostics(self.hass, self.entry)
        for device in things_of(self.world).values():
            await async_get_device_diagnostics(self.hass, self.entry, device)

    # What a person does with what is there

    @step(pick=_PICK)
    async def disable_entity(self, pick: int) -> bool:
        """The user does not want an entity."""
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
        """The user wants an entity after all; Home Assistant then reloads the entry."""
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
        """The user calls an entity something else."""
        if not (entities := self.world.registered()):
            return False
        self.number += 1
        rename(self.world, self.choices, nth(entities, pick), self.number)
        return True

    @step(pick=_PICK)
    async def rename_device(self, pick: int) -> None:
        """The user calls a device something else."""
        self.number += 1
        thing = nth(sorted(things_of(self.world)), pick)
        rename_device(self.world, self.choices, thing, self.number)

    @step(pick=_PICK)
    async def remove_device(self, pick: int) -> None:
        """The user removes a device; what is there cannot be removed while the entry is loaded."""
        thing, device = nth(sorted(things_of(self.world).items()), pick)
        picture = self._picture() if self.fine else Picture()
        # What lasts without being listed can be removed until it is read again.
        lasting = picture.perhaps | {
            t for t in picture.devices if t.partition(":")[0] in self.kind.lasting
        }
        settled = thing in picture.devices and thing not in lasting
        try:
            may = await async_remove_config_entry_device(self.hass, self.entry, device)
        except HomeAssistantError:
            return
        assert not (may and settled and self.quiet), f"{thing} is there, and can be removed"
        if may:
            # As Home Assistant does; ours may have removed it already.
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

    # Activities: alone, in parallel, or while another waits for its answer

    async def _turn(self, entity_id: str, *, on: bool) -> bool:
        """Turn a switch on or off; whether that was done."""
        action = "turn_on" if on else "turn_off"
        try:
            await self.hass.services.async_call(
                SWITCH, action, {ATTR_ENTITY_ID: entity_id}, blocking=True
            )
        except HomeAssistantError:
            return False
        return True

    def _tunnel(self, pick: int) -> str | None:
        """Return one of the tunnels that can be held down now."""
        there = [
            id_
            for id_ in sorted(self.model.tunnels())
            if shown_by(self.world, SWITCH, self._thing(id_), "force_down") in (STATE_ON, STATE_OFF)
            and self.focus in (None, id_)
        ]
        return nth(there, pick) if there else None

    async def _hold(self, pick: int) -> bool:
        if (id_ := self._tunnel(pick)) is None:
            return False
        thing = self._thing(id_)
        before = {self._tunnels_enabled()[id_]}
        if (shown := shown_by(self.world, SWITCH, thing, "enabled")) is not None:
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
            # What unloading has interrupted is carried on later.
            self.holds.unsure.add(id_)
        return True

    async def _return_client(self, pick: int) -> bool:
        """The client of a held tunnel connects again, and we see it."""
        model, held = self.model, sorted(self.holds.held.keys() & self.model.tunnels().keys())
        held = [id_ for id_ in held if self.focus in (None, id_)]
        if not held or not isinstance(model, TunnelModel):
            return False
        model.return_client(nth(held, pick))
        await self._poll(pick)
        return True

    async def _poll(self, _: int) -> bool:
        await self._leap(self.world.case.interval)
        return True

    async def _refresh(self, pick: int) -> bool:
        """The user wants an entity read now; no time passes."""
        enabled = [entity for entity in self.world.registered() if entity.disabled_by is None]
        if not self.loaded or not enabled:
            return False
        await async_update_entity(self.hass, nth(enabled, pick).entity_id)
        return True

    async def _switch(self, pick: int, *, on: bool) -> bool:
        """Turn any other switch on or off, and look whether the service did it."""
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
            wanted = self._picture().entities.get(thing, {})
            assert wanted.get(key, on) == on, f"{thing} {key} was not done"
        self.holds.compare(before, self._tunnels_enabled())
        return True

    async def _switch_on(self, pick: int) -> bool:
        return await self._switch(pick, on=True)

    async def _switch_off(self, pick: int) -> bool:
        return await self._switch(pick, on=False)

    async def _act(self, pick: int) -> bool:
        """Run an action, or press a button."""
        return await self._perform(nth(self.model.acts, pick))

    async def _own_act(self, name: str) -> bool:
        if not (self.fine and self.quiet):
            return False
        return await self._perform(self.model.own_acts()[name])

    async def _perform(self, act: Act) -> bool:
        if act.key:
            assert act.thing
            if shown_by(self.world, act.domain, act.thing, act.key) in (None, STATE_UNAVAILABLE):
                return False
        elif act.thing is not None and act.thing not in things_of(self.world):
            return False
        self.by_hand += "sign_in" in (act.action, act.key)
        before = self._tunnels_enabled()
        await self.world.perform(act)
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
        """Return what can happen at the same time as something else."""

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
            **{name: own_act(name) for name in self.model.own_acts()},
            **{name: change(name) for name in self.kind.changes()},
        }

    @step()
    async def poll(self) -> None:
        """All that matters is read once."""
        await self._poll(0)

    @step(pick=_PICK)
    async def refresh(self, pick: int) -> bool:
        """The user wants an entity read now."""
        return await self._refresh(pick)

    @step(pick=_PICK)
    async def hold(self, pick: int) -> bool:
        """The user holds a tunnel down."""
        return await self._hold(pick)

    @step(pick=_PICK)
    async def release(self, pick: int) -> bool:
        """The user lets a tunnel be."""
        return await self._release(pick)

    @step(pick=_PICK)
    async def return_client(self, pick: int) -> bool:
        """The client of a tunnel that is held down connects again."""
        return await self._return_client(pick)

    @step(pick=_PICK, on=st.booleans())
    async def switch(self, pick: int, on: bool) -> bool:
        """The user turns something else on or off."""
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
        """Something happens while another thing waits for an answer."""
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
        """Two activities that affect the same thing happen in parallel."""
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
        """Let one activity happen while another waits at a request; for known sequences."""
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
        await self.home.come_to_rest()
        while gate.waiting and calls > 1:
            gate.let_through()
            calls -= 1
            await self.home.come_to_rest()
        if one.done() and not gate.waiting:
            # It requested less than that; while a browser is connected, everything is read.
            begun, gate.route, gate.match, gate.times = "poll", "*", {}, 1
            look_at(self.hass)
            one = asyncio.create_task(self._poll(0))
            await self.home.come_to_rest()
        stopped, gate.times = gate.waiting, 0
        other = asyncio.create_task(activities[meanwhile](picks[1]))
        await self.home.come_to_rest()
        gate.open()
        await asyncio.gather(one, other)
        self.service.gates.remove(gate)
        await self.world.settle()
        look_at(self.hass, browsers=self.browsers)
        self.concurrent = False
        if meanwhile not in ("poll", "refresh", "hold", "release", "reload"):
            self.holds.released.clear()
        if stopped:
            self.taken[f"{begun}{PAIR}{meanwhile}"] += 1

    @property
    def quiet(self) -> bool:
        """Whether no fault is on its way."""
        return not self.service.faults


def machine_for(
    model: type[ServiceModel],
    clocks: Clocks,
    log: pytest.LogCaptureFixture,
    taken: Counter[str],
) -> type[Machine]:
    """Return the machine of a service: each change there is a rule of its own."""

    def rule_for(name: str) -> Callable[..., None]:
        async def change(self: Machine, pick: int) -> None:
            await self._change(name, pick)

        change.__name__ = name
        return step(pick=_PICK)(change)

    rules = {name: rule_for(name) for name in model.changes()}
    context = {"kind": model, "clocks": clocks, "log": log, "taken": taken}
    often = {
        f"{name} {n}": getattr(Machine, name)
        for name, times in _OFTEN.items()
        for n in range(times)
        if name not in model.idle
    }
    idle = dict.fromkeys(model.idle)
    return type(f"{model.__name__}Machine", (Machine,), context | rules | often | idle)
