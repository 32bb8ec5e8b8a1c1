"""Tests force down while something else happens: each of its requests is stopped at the service.

A gate stops one request, before the service handles it or before it answers. Meanwhile the user
does something else, the entry is reloaded, or Home Assistant is killed. In the end the tunnel must
be as the user wants it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.tunnel_hub.const import DOMAIN
from simulator import Simulator
from simulator.gates import Moment
from simulator.hayfrp import HayFrpService
from simulator.hy2scale import Hy2ScaleService

from .clocks import fire_timers
from .common import HOUR, MINUTE, World, account_entry
from .hy2scale.common import node_entry
from .test_config_flow import SIGN_IN_OFF
from .test_force_down import STORE, begin, enabled, held, hold, release, revive

MOMENTS: tuple[Moment, ...] = ("before", "after")


@dataclass(eq=False)
class Race:
    """A tunnel and its running requests."""

    world: World[Any]
    storage: dict[str, Any]
    tunnel: str
    under_way: list[asyncio.Future[Any]] = field(default_factory=list)

    @property
    def enabled(self) -> bool:
        """Whether the tunnel is enabled at the service."""
        state = self.world.service.state
        if hasattr(state, "clients"):
            return not state.clients[self.tunnel].disabled
        return bool(state.tunnels[self.tunnel].enabled)

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        state = self.world.service.state
        if hasattr(state, "clients"):
            state.clients[self.tunnel].disabled = not enabled
        else:
            state.tunnels[self.tunnel].enabled = enabled

    def value(self, key: str) -> str:
        """Return the state of a switch of the tunnel."""
        return self.world.value("switch", f"tunnel:{self.tunnel}", key)

    @property
    def stored(self) -> dict[str, Any]:
        """The stored holds."""
        key = f"{DOMAIN}.{self.world.entry.entry_id}"
        holds: dict[str, Any] = self.storage.get(key, {"data": {}})["data"]
        return holds

    @stored.setter
    def stored(self, holds: dict[str, Any]) -> None:
        key = f"{DOMAIN}.{self.world.entry.entry_id}"
        self.storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": holds}

    @property
    def is_stored(self) -> bool:
        """Whether the hold is stored, and so would survive a power cut."""
        return self.tunnel in self.stored and not self.stored[self.tunnel].get("releasing")

    # These start something; it ends when the service responds

    def begin(self, what: Awaitable[Any]) -> None:
        """Start a task."""
        self.under_way.append(asyncio.ensure_future(what))

    def turn(self, action: str, key: str = "force_down") -> None:
        """Turn a switch of the tunnel on or off."""
        data = {ATTR_ENTITY_ID: self.world.entity_id("switch", f"tunnel:{self.tunnel}", key)}
        self.begin(self.world.hass.services.async_call("switch", action, data, blocking=True))

    def disconnect(self) -> None:
        """Disconnect the tunnel's client once."""
        data = {ATTR_DEVICE_ID: self.world.device_id(f"tunnel:{self.tunnel}")}
        self.begin(
            self.world.hass.services.async_call(DOMAIN, "force_offline", data, blocking=True)
        )

    def enable_elsewhere(self) -> None:
        """Enable the tunnel at the service, and let a poll see it."""
        self.enabled = True
        self.world.freezer.tick(MINUTE + 1)
        fire_timers(self.world.hass)
        self.begin(self.world.settle())

    def reload(self) -> None:
        """Reload the entry, as new options do."""
        self.begin(self.world.hass.config_entries.async_reload(self.world.entry.entry_id))

    async def reload_to_the_end(self) -> None:
        """Reload the entry while the service does not respond."""
        await self.world.hass.config_entries.async_reload(self.world.entry.entry_id)

    async def kill(self) -> None:
        """Start again with what is stored and what the service has done."""
        stored, enabled = deepcopy(self.stored), self.enabled
        self.world.service.clear_faults()
        await self.end()
        assert await self.world.hass.config_entries.async_unload(self.world.entry.entry_id)
        self.stored, self.enabled = stored, enabled
        await self.world.set_up()

    async def spin(self) -> None:
        """Run the event loop for a while, without elapsed time."""
        for _ in range(300):
            await asyncio.sleep(0)

    async def end(self) -> list[BaseException]:
        """Wait until all tasks have ended, and return their errors."""
        results = await asyncio.gather(*self.under_way, return_exceptions=True)
        self.under_way.clear()
        await self.world.settle()
        return [result for result in results if isinstance(result, BaseException)]

    async def start_over(self, *, held: bool) -> None:
        """Let the tunnel be enabled, or held, for an hour."""
        if self.value("force_down") == "on":
            self.turn("turn_off")
        assert await self.end() == []
        self.enabled = True
        await self.world.elapse(HOUR)
        if held:
            self.turn("turn_on")
            assert await self.end() == []
            await self.world.elapse(HOUR)


@dataclass(frozen=True, kw_only=True)
class Step:
    """An event in a race.

    on_held: whether the tunnel is held at first. holds: whether it is held afterwards; None if
    unchanged. disables: whether the user disables the tunnel. cuts: whether running requests
    are cancelled. is_single: whether it is not continued after it was cancelled.
    """

    do: Callable[[Race], Awaitable[None] | None]
    on_held: bool = False
    holds: bool | None = None
    disables: bool = False
    cuts: bool = False
    is_single: bool = False


HOLD = Step(do=lambda race: race.turn("turn_on"), holds=True)
RELEASE = Step(do=lambda race: race.turn("turn_off"), on_held=True, holds=False)
DISABLE = Step(do=lambda race: race.turn("turn_off", "enabled"), disables=True, is_single=True)
DISCONNECT = Step(do=Race.disconnect)

FIRST: Mapping[str, Step] = {
    "hold": HOLD,
    "release": RELEASE,
    "push down again": Step(do=Race.enable_elsewhere, on_held=True),
    "disable": DISABLE,
    "disconnect": DISCONNECT,
}
"""The steps that send the request to stop."""

MEANWHILE: Mapping[str, Step] = {
    "nothing": Step(do=lambda _: None),
    "hold": HOLD,
    "release": RELEASE,
    "disable": DISABLE,
    "disconnect": DISCONNECT,
    "reload": Step(do=Race.reload),
    "reload to the end": Step(do=Race.reload_to_the_end),
    "kill": Step(do=Race.kill, cuts=True),
}
"""The steps that happen meanwhile."""


@pytest.fixture
async def race(
    request: pytest.FixtureRequest,
    freezer: FrozenDateTimeFactory,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
) -> AsyncIterator[Race]:
    """Return a tunnel at the smallest service, with switches only."""
    async with Simulator(services=(request.param,), tunnels=1, nodes=1) as simulator:
        if request.param == "hayfrp":
            entry = account_entry(
                simulator.get(HayFrpService), simulator.get(HayFrpService).account
            )
            tunnel = "1"
        else:
            entry = node_entry(simulator.get(Hy2ScaleService))
            tunnel = "us"
        entry.add_to_hass(hass)
        world = World(hass, freezer, simulator.services[request.param], entry)
        await world.set_up()
        yield Race(world, hass_storage, tunnel)


QUICK = (
    ("hayfrp", "push down again", "release"),
    ("hayfrp", "push down again", "reload"),
    ("hayfrp", "hold", "reload to the end"),
    ("hayfrp", "hold", "kill"),
    ("hayfrp", "release", "reload"),
    ("hy2scale", "hold", "reload"),
    ("hy2scale", "release", "kill"),
    ("hy2scale", "disconnect", "kill"),
    ("hy2scale", "disconnect", "reload to the end"),
)
"""The combinations of the quick form."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Test all combinations, or those of the quick form."""
    if "meanwhile" in metafunc.fixturenames:
        extended = metafunc.config.getoption("extended")
        cases = product(("hayfrp", "hy2scale"), FIRST, MEANWHILE) if extended else QUICK
        metafunc.parametrize("race, first, meanwhile", cases, indirect=["race"])


@pytest.mark.platforms("switch")
async def test_each_combination(race: Race, first: str, meanwhile: str) -> None:
    """Each request of the first step is stopped at each moment."""
    for moment in MOMENTS:
        requests = 0
        while await stopped(race, FIRST[first], moment, requests, MEANWHILE[meanwhile]):
            requests += 1
        assert requests, "no request was stopped"


async def stopped(race: Race, first: Step, moment: Moment, request: int, meanwhile: Step) -> bool:
    """Stop one request of the first step, counted from 0; return whether it has as many."""
    await race.start_over(held=first.on_held)
    gate = race.world.service.gate("*", moment, after=request, times=1)
    first.do(race)
    ended = asyncio.ensure_future(asyncio.wait(race.under_way))
    await race.world.until(lambda: gate.waiting > 0 or ended.done())
    if not gate.waiting:
        race.world.service.clear_faults()
        return False

    is_held, was_stored = first.on_held, race.is_stored
    step = meanwhile.do(race)
    if step is not None:
        await step
    await race.spin()
    gate.open()
    errors = await race.end()

    for happened in (first, meanwhile):
        is_held = is_held if happened.holds is None else happened.holds
    assert {getattr(e, "translation_key", e) for e in errors} <= {"unavailable_closed"}
    if was_cut := bool(meanwhile.cuts or errors):
        is_held = was_stored
    disabled = first.disables or meanwhile.disables
    await race.world.live(2 * HOUR, HOUR)
    where = f"request {request}, {moment}"
    assert race.value("force_down") == ("on" if is_held else "off"), where
    assert race.stored == ({race.tunnel: {"was_enabled": not disabled}} if is_held else {}), where
    if is_held:
        assert not race.enabled, where
        race.turn("turn_off")
        assert await race.end() == []
    if not (was_cut and first.is_single):
        assert race.enabled == (not disabled), where
    assert race.value("enabled") == ("on" if race.enabled else "off"), where
    return True


# Two tunnels, one with a running request while the entry is reloaded


async def save_options(world: World) -> None:
    """Submit the options dialog with other options."""
    flow = world.hass.config_entries.options
    form = await flow.async_init(world.entry.entry_id)
    saved = await flow.async_configure(
        form["flow_id"],
        {
            "shown_nodes": {"nodes": "used"},
            "reachability": {"checks": "off"},
            "daily_sign_in": SIGN_IN_OFF,
        },
    )
    assert saved["type"] is FlowResultType.CREATE_ENTRY


async def turn_and_save(world: World, action: str, fault: str = "") -> BaseException | None:
    """Turn the switch of tunnel 1, save options before the service responds; return the errors."""
    gate = world.service.gate("/proxy", match={"type": "toggle", "id": "1"}, times=1)
    turning = begin(world, action)
    await gate.reached()
    await save_options(world)
    await world.until(lambda: world.entry_state() is not ConfigEntryState.LOADED)
    if fault:
        world.service.fault("/proxy", fault, match={"type": "toggle", "id": "1"})
    gate.open()
    await asyncio.wait([turning])
    await world.settle()
    assert world.entry_state() is ConfigEntryState.LOADED
    return turning.exception()


async def test_released_while_options_are_saved(world: World, hass_storage: dict[str, Any]) -> None:
    await world.set_up()
    await hold(world)
    await hold(world, "2")

    assert await turn_and_save(world, "turn_off") is None

    assert (held(world), held(world, "2")) == ("off", "on")
    assert hass_storage[STORE]["data"] == {"2": {"was_enabled": True}}
    await world.live(2 * HOUR, HOUR)
    assert enabled(world)
    assert not enabled(world, "2")
    await release(world, "2")
    assert enabled(world, "2")


async def test_a_release_that_fails_while_options_are_saved(
    world: World, hass_storage: dict[str, Any]
) -> None:
    await world.set_up()
    await hold(world)
    await hold(world, "2")

    failed = await turn_and_save(world, "turn_off", fault="error")

    assert isinstance(failed, HomeAssistantError)
    assert (held(world), held(world, "2")) == ("on", "on")
    assert hass_storage[STORE]["data"].keys() == {"1", "2"}
    assert not enabled(world)


async def test_held_while_options_are_saved(world: World, hass_storage: dict[str, Any]) -> None:
    await world.set_up()
    await hold(world, "2")

    assert await turn_and_save(world, "turn_on") is None

    assert (held(world), held(world, "2")) == ("on", "on")
    assert hass_storage[STORE]["data"].keys() == {"1", "2"}
    assert not enabled(world)


async def test_a_hold_that_fails_while_options_are_saved(
    world: World, hass_storage: dict[str, Any]
) -> None:
    await world.set_up()
    await hold(world, "2")

    failed = await turn_and_save(world, "turn_on", fault="error")

    assert isinstance(failed, HomeAssistantError)
    assert (held(world), held(world, "2")) == ("off", "on")
    assert hass_storage[STORE]["data"] == {"2": {"was_enabled": True}}
    assert enabled(world)
    assert not enabled(world, "2")


# Callers that are waiting


async def test_a_command_whose_caller_is_cancelled(
    world: World, hass_storage: dict[str, Any]
) -> None:
    """The command is still executed, as for an automation that is restarted."""
    await world.set_up()
    await hold(world)
    gate = world.service.gate("/proxy", match={"type": "toggle"}, times=1)
    releasing = begin(world, "turn_off")
    await gate.reached()

    releasing.cancel()
    await asyncio.wait([releasing])
    gate.open()
    await world.settle()

    assert held(world) == "off"
    assert enabled(world)
    assert hass_storage[STORE]["data"] == {}


async def test_stopped_while_the_tunnel_is_disabled_again(
    world: World, hass_storage: dict[str, Any]
) -> None:
    """Home Assistant stops without waiting for it."""
    await world.set_up()
    await hold(world)
    await world.elapse(2 * MINUTE)
    revive(world)
    gate = world.service.gate("/proxy", match={"type": "toggle"}, times=1)
    world.freezer.tick(MINUTE + 1)
    fire_timers(world.hass)
    await gate.reached()

    await world.hass.async_stop(force=True)

    await world.until(lambda: not gate.waiting)
    assert hass_storage[STORE]["data"] == {"1": {"was_enabled": True}}
    assert enabled(world), "the request was cancelled"
