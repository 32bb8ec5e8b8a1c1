"""Tests every fault in every situation, for every kind of entry.

Expects of each cell: no unhandled exception, and in the log no error but the one that gives the
reason; entities as documented in docs/architecture.md; reauthentication only when the login is
refused; recovery with the next good answer; no secret in any output.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from random import Random

from homeassistant.config_entries import ConfigEntryState
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.tunnel_hub.api.provider import PATIENCE
from custom_components.tunnel_hub.diagnostics import async_get_config_entry_diagnostics
from custom_components.tunnel_hub.ids import stored_prefix

from ..common import MINUTE
from .fault_counts import Cells
from .faults import AccountFault, Fault
from .faulty_world import FaultyWorld
from .output_check import OutputCheck
from .providers import Outcome, UserAction

_POLLS_TO_RECOVER = 3
"""Polls until recovery after the service has recovered."""
_POLLS_TO_RECOVER_SESSION = 30
"""Polls until recovery while another program seems to use the account, as after two sign-ins in
close succession."""
_SLOW_POLL_FACTOR = 5
"""The factor by which a poll takes longer when its requests wait for others that hang."""
_CELL_PAUSE = 30 * MINUTE
"""Seconds between two cells, so that their sign-ins don't look like another program's."""

_FORM = {FlowResultType.FORM}
_SIGNED_IN = {FlowResultType.ABORT, FlowResultType.SHOW_PROGRESS}
_SIGN_INS = {
    Outcome.UNAVAILABLE: _FORM,
    # In a sign-in with a browser, the user refuses it there, not in the form.
    Outcome.REFUSED: _FORM | {FlowResultType.SHOW_PROGRESS},
    Outcome.HEALED: _SIGNED_IN,
    Outcome.ODD: _FORM | _SIGNED_IN,
}
_SET_UPS = {
    Outcome.UNAVAILABLE: {ConfigEntryState.SETUP_RETRY},
    # Loaded if the account was read before the refusal.
    Outcome.REFUSED: {ConfigEntryState.SETUP_ERROR, ConfigEntryState.LOADED},
    Outcome.HEALED: {ConfigEntryState.LOADED},
    Outcome.ODD: {ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY},
}


type Step = Callable[[FaultyWorld, Fault, Cells, OutputCheck], Awaitable[None]]


async def test_fault(
    world: FaultyWorld,
    fault: Fault,
    cells: Cells,
    output_check: OutputCheck,
    pytestconfig: pytest.Config,
) -> None:
    """Tests one fault at sign-in, first refresh, later refresh and each kind of action."""
    world = replace(world, slow=fault.slow)
    if isinstance(fault, AccountFault) and fault.trouble.only_later:
        await world.set_up()
    else:
        await _first_refresh(world, fault, cells, output_check)
    for step in _steps(world, fault, extended=pytestconfig.getoption("extended")):
        await step(world, fault, cells, output_check)

    assert not cells.failures, "\n".join(cells.failures)


def _steps(world: FaultyWorld, fault: Fault, *, extended: bool) -> Iterable[Step]:
    """Returns the steps after the first refresh.

    In the quick form, one step of each kind for an account's fault, otherwise one step.
    """
    ways: list[Step] = [partial(_sign_in, way=way) for way in _ways(world, fault)]
    user_actions: list[Step] = [partial(_act, act=act) for act in world.case.user_actions]
    kinds = [kind for kind in (ways, [_later_refresh], user_actions) if kind]
    if extended:
        return chain.from_iterable(kinds)
    chance = Random(f"{world.case.name}: {fault.name}")
    return map(chance.choice, kinds if isinstance(fault, AccountFault) else chance.sample(kinds, 1))


def _ways(world: FaultyWorld, fault: Fault) -> Sequence[str]:
    """Returns the sign-in steps that a fault can affect."""
    ways = list(world.case.ways)
    if isinstance(fault, AccountFault):
        return [] if fault.trouble.only_later else ways[:1]
    return ways


async def _first_refresh(
    world: FaultyWorld, fault: Fault, cells: Cells, output_check: OutputCheck
) -> None:
    with cells.cell("first refresh"):
        async with fault.active(world.case, world.service):
            output_check.collect_secrets()
            await world.try_set_up()
            if fault.outcome is Outcome.REFUSED:
                await world.poll(2)
            assert world.entry_state() in _SET_UPS[fault.outcome]
            assert world.reauthentications() == (fault.outcome is Outcome.REFUSED)
        await _recover(world, fault)
        output_check.check()


async def _sign_in(
    world: FaultyWorld, fault: Fault, cells: Cells, output_check: OutputCheck, *, way: str
) -> None:
    with cells.cell("sign-in", way):
        await _wait_between_cells(world, fault)
        form = await world.start_sign_in(way)
        fields = world.case.ways[way](world.service)
        async with fault.active(world.case, world.service):
            output_check.collect_secrets()
            result = await world.enter(form, fields)
            may_work = _SIGNED_IN if fault.name in world.case.answers else set()
            assert result["type"] in _SIGN_INS[fault.outcome] | may_work, result
            output_check.check_no_secret(result.get("errors"))
            output_check.check_no_secret(result.get("description_placeholders"))
        if result["type"] is FlowResultType.FORM:
            await world.poll(_POLLS_TO_RECOVER)
            result = await world.enter(result, world.case.ways[way](world.service))
            assert result["type"] in _SIGNED_IN, result
        world.abort_flows()
        await _recover(world, fault)
        output_check.check()


async def _later_refresh(
    world: FaultyWorld, fault: Fault, cells: Cells, output_check: OutputCheck
) -> None:
    with cells.cell("later refresh"):
        await _wait_between_cells(world, fault)
        before, devices = world.steady(), world.device_identifiers()
        async with fault.active(world.case, world.service):
            output_check.collect_secrets()
            await world.poll()
            # While everything is slow, two refreshes may fail before all requests have ended.
            is_patient = not world.slow and (
                world.entry.runtime_data.provider.description.patience > 1
            )
            if fault.outcome is Outcome.HEALED or (
                is_patient and fault.outcome is Outcome.UNAVAILABLE
            ):
                assert world.steady() == before, "last good values not kept"
            for _ in range(PATIENCE * (_SLOW_POLL_FACTOR if world.slow else 1)):
                await world.poll()
            if fault.outcome in (Outcome.UNAVAILABLE, Outcome.REFUSED):
                assert set(world.steady()) == {"unavailable"}
            if fault.outcome is Outcome.HEALED:
                assert world.steady() == before
            assert world.reauthentications() == (fault.outcome is Outcome.REFUSED)
            assert world.device_identifiers() == devices, "devices added or removed"
            diagnostics = await async_get_config_entry_diagnostics(world.hass, world.entry)
            output_check.check_no_secret(diagnostics)
        await _recover(world, fault)
        assert world.steady() == before
        assert world.device_identifiers() == devices
        output_check.check()


async def _act(
    world: FaultyWorld, fault: Fault, cells: Cells, output_check: OutputCheck, *, act: UserAction
) -> None:
    with cells.cell("action", f"{act.action} {act.thing or ''} {act.key}"):
        await _wait_between_cells(world, fault)
        if act.after is not None:
            assert await world.run_action(act.after) is None
        async with fault.active(world.case, world.service):
            output_check.collect_secrets()
            failure = await world.run_action(act)
            if _must_fail(act, fault):
                assert failure, "action succeeded"
            if failure is not None:
                output_check.check_no_secret(failure)
                assert failure.translation_key, repr(failure)
            if fault.outcome is not Outcome.REFUSED:
                assert not world.reauthentications(), failure
        await _recover(world, fault)
        output_check.check()


def _must_fail(act: UserAction, fault: Fault) -> bool:
    shows = fault.outcome is Outcome.UNAVAILABLE and fault.actions_fail
    return shows and act.asks and fault.name not in act.answers


async def _wait_between_cells(world: FaultyWorld, fault: Fault) -> None:
    """Lets time pass; twice for an account's fault, so that it can sign in before."""
    for _ in range(2 if isinstance(fault, AccountFault) else 1):
        await world.advance_time(_CELL_PAUSE)


async def _recover(world: FaultyWorld, fault: Fault) -> None:
    """Expects recovery; after a refused login, the user signs in again."""
    if fault.outcome is Outcome.REFUSED:
        await world.poll(2)
    if world.reauthentications():
        world.abort_flows()
        data = {"provider": world.case.service, **world.case.credentials(world.service)}
        world.hass.config_entries.async_update_entry(
            world.entry, data=data | stored_prefix(world.entry)
        )
        await world.hass.config_entries.async_reload(world.entry.entry_id)
    assert await world.recover(
        _POLLS_TO_RECOVER_SESSION if isinstance(fault, AccountFault) else _POLLS_TO_RECOVER
    ), "not recovered"
