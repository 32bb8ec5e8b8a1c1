"""Home Assistant with an entry at a faulty service, of any provider."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr

from custom_components.tunnel_hub.const import DOMAIN

from ..clocks import fire_timers
from ..common import MINUTE, World
from .providers import AnyService, Case, UserAction

_LOOP_ITERATIONS = 100
"""Iterations of the event loop after which everything waits for time to pass."""
_STEP = 5
_MAX_REQUEST_SECONDS = 2 * MINUTE
"""Seconds after which a request has failed, including a retry and the rate limit."""


def belongs_to_simulator(work: asyncio.Task[Any] | asyncio.TimerHandle) -> bool:
    """Returns whether it is the simulator's; Home Assistant's web server does not run here."""
    return "RequestHandler" in repr(work)


@dataclass(frozen=True, slots=True, repr=False)
class FaultyWorld(World[AnyService]):
    """A world with a faulty service. slow: requests only end when time passes."""

    case: Case
    slow: bool = False

    async def run_to_end[T](self, work: Awaitable[T]) -> T:
        """Awaits something; with a slow service, time passes while nothing else runs."""
        if not self.slow:
            return await work
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(_LOOP_ITERATIONS):
                await asyncio.sleep(0)
            if not task.done():
                self.freezer.tick(_STEP)
                fire_timers(self.hass)
        return task.result()

    async def advance_time(self, seconds: float) -> None:
        """Lets time pass, also while requests hang."""
        self.freezer.tick(seconds)
        fire_timers(self.hass)
        await self.run_to_end(self.settle())

    @override
    async def settle(self) -> None:
        """Waits for all tasks; with a slow service, only for a limited time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_MAX_REQUEST_SECONDS if self.slow else None):
                await World.settle(self)

    async def poll(self, times: int = 1) -> None:
        """Lets the steady entities be polled."""
        for _ in range(times):
            await self.advance_time(self.case.interval)

    async def try_set_up(self) -> None:
        """Sets the entry up, which may fail."""
        await self.run_to_end(self.hass.config_entries.async_setup(self.entry.entry_id))
        await self.run_to_end(self.settle())

    # States

    def steady(self) -> list[str]:
        """Returns the states of the steady entities."""
        return [self.value(*value) for value in self.case.steady]

    def device_identifiers(self) -> set[tuple[str, str]]:
        """Returns the identifiers of the entry's devices."""
        devices = dr.async_entries_for_config_entry(dr.async_get(self.hass), self.entry.entry_id)
        return {identifier for device in devices for identifier in device.identifiers}

    def reauthentications(self) -> int:
        """Returns the number of reauthentication flows in progress."""
        flows = self.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        return sum(flow["context"]["source"] == SOURCE_REAUTH for flow in flows)

    def abort_flows(self) -> None:
        """Aborts all flows."""
        for flow in self.hass.config_entries.flow.async_progress():
            self.hass.config_entries.flow.async_abort(flow["flow_id"])

    # The user's actions

    async def start_sign_in(self, way: str) -> ConfigFlowResult:
        """Starts a config flow up to a sign-in step."""
        flow = self.hass.config_entries.flow
        result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        for choice in dict.fromkeys((self.case.service, way)):
            result = await flow.async_configure(result["flow_id"], {"next_step_id": choice})
        return result

    async def enter(self, form: ConfigFlowResult, fields: dict[str, Any]) -> ConfigFlowResult:
        """Submits a form of the config flow."""
        return await self.run_to_end(
            self.hass.config_entries.flow.async_configure(form["flow_id"], fields)
        )

    async def run_action(self, act: UserAction) -> HomeAssistantError | None:
        """Runs an action and returns its error, if any."""
        try:
            await self.run_to_end(
                self.hass.services.async_call(
                    act.domain,
                    act.action,
                    {**self.target(act), **act.data},
                    blocking=True,
                    return_response=self.hass.services.supports_response(act.domain, act.action)
                    != "none",
                )
            )
        except HomeAssistantError as err:
            return err
        finally:
            await self.run_to_end(self.settle())
        return None

    def target(self, act: UserAction) -> dict[str, str]:
        """Returns the target of an action, as data of the call."""
        if act.key:
            assert act.thing
            return {ATTR_ENTITY_ID: self.entity_id(act.domain, act.thing, act.key)}
        if act.thing is None:
            return {"config_entry_id": self.entry.entry_id}
        device = self.device(act.thing)
        assert device, f"no device {act.thing}"
        return {ATTR_DEVICE_ID: device.id}

    async def recover(self, polls: int) -> bool:
        """Polls until everything is available again; returns False after too many polls."""
        for _ in range(polls):
            await self.poll()
            if self.is_recovered():
                return True
        return False

    def is_recovered(self) -> bool:
        """Returns whether the entry is loaded and its steady entities are available."""
        return self.entry_state() is ConfigEntryState.LOADED and all(
            (state := self.hass.states.get(self.entity_id(*value))) is not None
            and state.state != "unavailable"
            for value in self.case.steady
        )
