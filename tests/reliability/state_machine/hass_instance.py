"""Home Assistant with one entry at a simulated service, in its own event loop and frozen time."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
import re
from typing import Any

from homeassistant import loader, runner
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import EVENT_STATE_CHANGED, Event, EventStateChangedData, callback
from homeassistant.helpers import frame
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_test_home_assistant, mock_storage

from custom_components.tunnel_hub import PLATFORMS
from custom_components.tunnel_hub.const import DOMAIN
from simulator import Simulator

from ...clocks import Clocks, fire_timers
from ..conftest import entry_for
from ..faulty_world import FaultyWorld, belongs_to_simulator
from ..names import resolve_with_names
from ..output_check import OutputCheck
from .model import ServiceModel

_ADDRESS = re.compile(r" at 0x[0-9a-f]+| when=[0-9.]+")
_IDLE_ITERATIONS = 40
"""Iterations of the event loop without changes, after which everything waits for the test."""


class HassInstance:
    """One Home Assistant instance, from start to stop.

    world: Home Assistant with its entry. model: of the service. clocks: simulated clocks.
    errors: uncaught exceptions.
    rewrites: number of states written with changed attributes only, by entity id.
    """

    world: FaultyWorld
    model: ServiceModel
    output_check: OutputCheck

    def __init__(
        self,
        model: type[ServiceModel],
        clocks: Clocks,
        log: pytest.LogCaptureFixture,
    ) -> None:
        """Prepares Home Assistant, which `open` starts."""
        self._kind, self._log = model, log
        self.clocks, self._freezer = clocks, clocks.freezer
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.errors: list[str] = []
        self.rewrites: dict[str, int] = {}

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the event loop."""
        return self._runner.run(work)

    async def open(self, start: datetime, time_zone: str) -> None:
        """Starts the service and Home Assistant, without setting the entry up."""
        self._log.clear()
        self._freezer.move_to(start)
        loop = asyncio.get_running_loop()
        runner.configure_event_loop(loop)
        loop.set_exception_handler(lambda _, context: self.errors.append(str(context)))
        case = self._kind.case
        self._stack.enter_context(mock_storage())
        simulator = await self._stack.enter_async_context(
            Simulator(services=(case.service,), tunnels=2, nodes=self._kind.nodes)
        )
        service = simulator.services[case.service]
        self.model = self._kind(service)
        hass = await self._stack.enter_async_context(async_test_home_assistant(loop))
        resolve_with_names(hass)
        await hass.config.async_set_time_zone(time_zone)
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        frame.async_setup(hass)
        entry = entry_for(case, service)
        self.world = FaultyWorld(hass, self._freezer, service, entry, case)
        self.output_check = OutputCheck(hass, self._log, lambda: case.secrets(service))
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._count_rewrites)
        # The resources of these components are never released.
        for domain in (*PLATFORMS, DOMAIN):
            assert await async_setup_component(hass, domain, {})
        entry.add_to_hass(hass)
        await self.world.settle()

    @callback
    def _count_rewrites(self, event: Event[EventStateChangedData]) -> None:
        old, new = event.data["old_state"], event.data["new_state"]
        if old and new and old.state == new.state:
            self.rewrites[new.entity_id] = self.rewrites.get(new.entity_id, 0) + 1

    async def _close(self) -> None:
        world = self.world
        world.service.clear_faults()
        if world.entry_state() is ConfigEntryState.LOADED:
            await world.hass.config_entries.async_unload(world.entry.entry_id)
        await world.hass.async_stop(force=True)
        await self._stack.aclose()

    def close(self) -> None:
        """Stops Home Assistant and the service."""
        try:
            if hasattr(self, "world"):
                self.run(self._close())
        finally:
            self._runner.close()

    # Time

    def now(self) -> datetime:
        """Returns the current time in UTC."""
        return datetime.now(UTC)

    async def advance_to(self, moment: datetime) -> None:
        """Moves time to a moment and runs everything due until then."""
        self._freezer.move_to(moment)
        fire_timers(self.world.hass)
        await self.world.settle()

    # Running tasks

    async def run_until_idle(self) -> None:
        """Runs everything that can run while a request is held."""
        last: object = None
        quiet = 0
        while quiet < _IDLE_ITERATIONS:
            await asyncio.sleep(0)
            calls = self.world.service.calls
            now = (len(calls), sum(call.status is None for call in calls), len(asyncio.all_tasks()))
            quiet, last = (quiet + 1, last) if now == last else (0, now)

    def leftovers(self) -> Counter[str]:
        """Returns counts of tasks, timers and listeners, except the simulator's, by description."""
        # asyncio keeps no public list of timers.
        timers: list[asyncio.TimerHandle] = vars(asyncio.get_running_loop())["_scheduled"]
        leftovers: list[asyncio.Task[Any] | asyncio.TimerHandle] = [
            *(task for task in asyncio.all_tasks() if task is not asyncio.current_task()),
            *(timer for timer in timers if not timer.cancelled()),
        ]
        listeners = dict(self.world.hass.bus.async_listeners())
        # Shared resources of Home Assistant are kept until it stops.
        listeners.pop(EVENT_HOMEASSISTANT_CLOSE, None)
        return Counter(
            _ADDRESS.sub("", repr(work)) for work in leftovers if not belongs_to_simulator(work)
        ) + Counter({f"listeners to {event}": count for event, count in listeners.items()})
