"""Everything that can go wrong, at every moment, for every kind of entry.

For each cell: no unhandled exception and no error in the log but the one line that says why nothing
is read; entities as documented in docs/architecture.md; the user is asked to sign in again only
when the login is refused; all is well again with the next good answer; no secret shows.
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
from .faults import Fault, OfAccount
from .providers import Act, Outcome
from .watch import Watch
from .world import BadWorld

_SOON = 3
"""Polls after which all is well again when the service is."""
_LATER = 30
"""Polls after which it is when another program seems to use the account, as a sign-in shortly after
another one does."""
_SLOWLY = 5
"""How many times as long a poll takes whose requests wait for others, which hang before them."""
_BETWEEN = 30 * MINUTE
"""Seconds between two cells, so that none is taken for the other's other program."""

_FORM = {FlowResultType.FORM}
_IN = {FlowResultType.ABORT, FlowResultType.SHOW_PROGRESS}
_SIGN_INS = {
    Outcome.UNAVAILABLE: _FORM,
    # A browser's sign-in is refused by the person, not by what is entered.
    Outcome.REFUSED: _FORM | {FlowResultType.SHOW_PROGRESS},
    Outcome.HEALED: _IN,
    Outcome.ODD: _FORM | _IN,
}
_SET_UPS = {
    Outcome.UNAVAILABLE: {ConfigEntryState.SETUP_RETRY},
    # Loaded, if the account was read before the refusal.
    Outcome.REFUSED: {ConfigEntryState.SETUP_ERROR, ConfigEntryState.LOADED},
    Outcome.HEALED: {ConfigEntryState.LOADED},
    Outcome.ODD: {ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY},
}


type Step = Callable[[BadWorld, Fault, Cells, Watch], Awaitable[None]]


async def test_fault(
    world: BadWorld, fault: Fault, cells: Cells, watch: Watch, pytestconfig: pytest.Config
) -> None:
    """One fault, at sign-in, first refresh, later refresh and at each kind of action."""
    world = replace(world, slow=fault.slow)
    if isinstance(fault, OfAccount) and fault.trouble.only_later:
        await world.set_up()
    else:
        await _first_refresh(world, fault, cells, watch)
    for step in _steps(world, fault, extended=pytestconfig.getoption("extended")):
        await step(world, fault, cells, watch)

    assert not cells.failures, "\n".join(cells.failures)


def _steps(world: BadWorld, fault: Fault, *, extended: bool) -> Iterable[Step]:
    """Return what is tried besides the first refresh.

    In the quick form that is one step of each kind, or of one kind if the fault is any service's.
    """
    ways: list[Step] = [partial(_sign_in, way=way) for way in _ways(world, fault)]
    acts: list[Step] = [partial(_act, act=act) for act in world.case.acts]
    kinds = [kind for kind in (ways, [_later_refresh], acts) if kind]
    if extended:
        return chain.from_iterable(kinds)
    chance = Random(f"{world.case.name}: {fault.name}")
    return map(chance.choice, kinds if isinstance(fault, OfAccount) else chance.sample(kinds, 1))


def _ways(world: BadWorld, fault: Fault) -> Sequence[str]:
    """Return the ways to sign in that a fault can concern."""
    ways = list(world.case.ways)
    if isinstance(fault, OfAccount):
        return [] if fault.trouble.only_later else ways[:1]
    return ways


async def _first_refresh(world: BadWorld, fault: Fault, cells: Cells, watch: Watch) -> None:
    with cells.cell("first refresh"):
        async with fault.ordered(world.case, world.service):
            watch.remember()
            await world.set_up_patiently()
            if fault.outcome is Outcome.REFUSED:
                await world.poll(2)
            assert world.entry_state() in _SET_UPS[fault.outcome]
            assert world.reauthentications() == (fault.outcome is Outcome.REFUSED)
        await _all_is_well_again(world, fault)
        watch.check()


async def _sign_in(world: BadWorld, fault: Fault, cells: Cells, watch: Watch, *, way: str) -> None:
    with cells.cell("sign-in", way):
        await _calm_down(world, fault)
        form = await world.begin_sign_in(way)
        fields = world.case.ways[way](world.service)
        async with fault.ordered(world.case, world.service):
            watch.remember()
            result = await world.enter(form, fields)
            may_work = _IN if fault.name in world.case.answers else set()
            assert result["type"] in _SIGN_INS[fault.outcome] | may_work, result
            watch.nothing_secret(result.get("errors"))
            watch.nothing_secret(result.get("description_placeholders"))
        if result["type"] is FlowResultType.FORM:
            await world.poll(_SOON)
            result = await world.enter(result, world.case.ways[way](world.service))
            assert result["type"] in _IN, result
        world.abort_flows()
        await _all_is_well_again(world, fault)
        watch.check()


async def _later_refresh(world: BadWorld, fault: Fault, cells: Cells, watch: Watch) -> None:
    with cells.cell("later refresh"):
        await _calm_down(world, fault)
        before, things = world.steady(), world.things()
        async with fault.ordered(world.case, world.service):
            watch.remember()
            await world.poll()
            # While everything is slow, two refreshes may fail before all requests have ended.
            is_patient = not world.slow and (
                world.entry.runtime_data.provider.description.patience > 1
            )
            if fault.outcome is Outcome.HEALED or (
                is_patient and fault.outcome is Outcome.UNAVAILABLE
            ):
                assert world.steady() == before, "the last good values"
            for _ in range(PATIENCE * (_SLOWLY if world.slow else 1)):
                await world.poll()
            if fault.outcome in (Outcome.UNAVAILABLE, Outcome.REFUSED):
                assert set(world.steady()) == {"unavailable"}
            if fault.outcome is Outcome.HEALED:
                assert world.steady() == before
            assert world.reauthentications() == (fault.outcome is Outcome.REFUSED)
            assert world.things() == things, "nothing comes or goes"
            diagnostics = await async_get_config_entry_diagnostics(world.hass, world.entry)
            watch.nothing_secret(diagnostics)
        await _all_is_well_again(world, fault)
        assert world.steady() == before
        assert world.things() == things
        watch.check()


async def _act(world: BadWorld, fault: Fault, cells: Cells, watch: Watch, *, act: Act) -> None:
    with cells.cell("action", f"{act.action} {act.thing or ''} {act.key}"):
        await _calm_down(world, fault)
        if act.after is not None:
            assert await world.perform(act.after) is None
        async with fault.ordered(world.case, world.service):
            watch.remember()
            failure = await world.perform(act)
            if _must_fail(act, fault):
                assert failure, "it cannot have worked"
            if failure is not None:
                watch.nothing_secret(failure)
                assert failure.translation_key, repr(failure)
            if fault.outcome is not Outcome.REFUSED:
                assert not world.reauthentications(), failure
        await _all_is_well_again(world, fault)
        watch.check()


def _must_fail(act: Act, fault: Fault) -> bool:
    shows = fault.outcome is Outcome.UNAVAILABLE and fault.acts_fail
    return shows and act.asks and fault.name not in act.answers


async def _calm_down(world: BadWorld, fault: Fault) -> None:
    """Let some time pass; where there may be need, to sign in before."""
    for _ in range(2 if isinstance(fault, OfAccount) else 1):
        await world.pass_by(_BETWEEN)


async def _all_is_well_again(world: BadWorld, fault: Fault) -> None:
    """Whatever was wrong is over; after a refused login the user has signed in again."""
    if fault.outcome is Outcome.REFUSED:
        await world.poll(2)
    if world.reauthentications():
        world.abort_flows()
        data = {"provider": world.case.service, **world.case.credentials(world.service)}
        world.hass.config_entries.async_update_entry(
            world.entry, data=data | stored_prefix(world.entry)
        )
        await world.hass.config_entries.async_reload(world.entry.entry_id)
    assert await world.recover(_LATER if isinstance(fault, OfAccount) else _SOON), "still not well"
