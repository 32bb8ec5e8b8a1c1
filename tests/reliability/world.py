"""Home Assistant on bad days: what it does there, whatever the provider."""

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
from .providers import Act, AnyService, Case

_TURNS = 100
"""Turns of the loop after which nothing will happen before time passes."""
_STEP = 5
_LONGEST = 2 * MINUTE
"""Seconds after which a request has failed, also one that is tried twice and waits for its turn."""


def of_simulator(work: asyncio.Task[Any] | asyncio.TimerHandle) -> bool:
    """Return whether a server does it; Home Assistant's own does not run here."""
    return "RequestHandler" in repr(work)


@dataclass(frozen=True, slots=True, repr=False)
class BadWorld(World[AnyService]):
    """A world where nothing may answer. slow: not even that before time passes."""

    case: Case
    slow: bool = False

    async def patiently[T](self, work: Awaitable[T]) -> T:
        """Wait for something; where all is slow, let time pass whenever nothing else happens."""
        if not self.slow:
            return await work
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if not task.done():
                self.freezer.tick(_STEP)
                fire_timers(self.hass)
        return task.result()

    async def pass_by(self, seconds: float) -> None:
        """Let time pass in which requests may hang."""
        self.freezer.tick(seconds)
        fire_timers(self.hass)
        await self.patiently(self.settle())

    @override
    async def settle(self) -> None:
        """Wait until all has come to its end; where all is slow, that may never be."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST if self.slow else None):
                await World.settle(self)

    async def poll(self, times: int = 1) -> None:
        """Let the steady entities be read."""
        for _ in range(times):
            await self.pass_by(self.case.interval)

    async def set_up_patiently(self) -> None:
        """Set the entry up, whatever comes of it."""
        await self.patiently(self.hass.config_entries.async_setup(self.entry.entry_id))
        await self.patiently(self.settle())

    # What shows

    def steady(self) -> list[str]:
        """Return what the steady entities show."""
        return [self.value(*value) for value in self.case.steady]

    def things(self) -> set[tuple[str, str]]:
        """Return what has a device."""
        devices = dr.async_entries_for_config_entry(dr.async_get(self.hass), self.entry.entry_id)
        return {identifier for device in devices for identifier in device.identifiers}

    def reauthentications(self) -> int:
        """Return how often the user is asked to sign in again."""
        flows = self.hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        return sum(flow["context"]["source"] == SOURCE_REAUTH for flow in flows)

    def abort_flows(self) -> None:
        """Leave all flows."""
        for flow in self.hass.config_entries.flow.async_progress():
            self.hass.config_entries.flow.async_abort(flow["flow_id"])

    # What a person does

    async def begin_sign_in(self, way: str) -> ConfigFlowResult:
        """Go to a way to sign in."""
        flow = self.hass.config_entries.flow
        result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
        for choice in dict.fromkeys((self.case.service, way)):
            result = await flow.async_configure(result["flow_id"], {"next_step_id": choice})
        return result

    async def enter(self, form: ConfigFlowResult, fields: dict[str, Any]) -> ConfigFlowResult:
        """Send a form of the config flow."""
        return await self.patiently(
            self.hass.config_entries.flow.async_configure(form["flow_id"], fields)
        )

    async def perform(self, act: Act) -> HomeAssistantError | None:
        """Do something; what Home Assistant tells the person of a failure."""
        try:
            await self.patiently(
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
            await self.patiently(self.settle())
        return None

    def target(self, act: Act) -> dict[str, str]:
        """Return what an action is for, as a call names it."""
        if act.key:
            assert act.thing
            return {ATTR_ENTITY_ID: self.entity_id(act.domain, act.thing, act.key)}
        if act.thing is None:
            return {"config_entry_id": self.entry.entry_id}
        device = self.device(act.thing)
        assert device, f"no device {act.thing}"
        return {ATTR_DEVICE_ID: device.id}

    async def recover(self, polls: int) -> bool:
        """Let time pass until all is read again; False if that takes longer than it may."""
        for _ in range(polls):
            await self.poll()
            if self.is_well():
                return True
        return False

    def is_well(self) -> bool:
        """Return whether the entry is loaded and its essentials are read."""
        return self.entry_state() is ConfigEntryState.LOADED and all(
            (state := self.hass.states.get(self.entity_id(*value))) is not None
            and state.state != "unavailable"
            for value in self.case.steady
        )
