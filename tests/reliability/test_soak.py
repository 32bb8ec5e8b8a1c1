"""Tests a day in which resources are added, removed and renamed, sessions end and outages happen.

Expects stable entity ids, devices and memory, and correct totals. Totals are judged as Home
Assistant's long-term statistics do: a decrease below nine tenths is a reset, any other decrease is
an error.
"""

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass
import gc
from itertools import islice
from random import Random
from typing import Self

from aiohttp import ClientSession
from homeassistant.components.sensor import ATTR_STATE_CLASS, SensorStateClass
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er, restore_state
from homeassistant.helpers.registry import SAVE_DELAY
from homeassistant.util import dt as dt_util
import pytest

from simulator.shanghai import midnight

from ..common import MINUTE
from .faulty_world import FaultyWorld, belongs_to_simulator
from .output_check import OutputCheck
from .provider_modules import PROVIDER_DATA
from .providers import Case, ResourceChanges, UserAction

HOURS = {False: 1.5, True: 24}
"""By whether the run is extended."""
_WARM_UP = 60
"""Minutes after which every kind of object exists."""
_TOLERATED_GROWTH = 0.02
"""Of the objects in memory; Home Assistant's own caches grow a little."""
_COUNTED_MODULES = ("custom_components.", "homeassistant.", "aiohttp.")
"""Modules whose objects are counted; asyncio keeps cancelled timers until they are many."""


class Totals:
    """Checks the states of all sensors with an increasing total."""

    def __init__(self, world: FaultyWorld, resource_changes: ResourceChanges) -> None:
        self._last: dict[str, tuple[float, float]] = {}
        self._rates: dict[str, float] = {}
        self._daily = resource_changes.daily
        self.resets = 0
        self.readings = 0
        self.errors: list[str] = []
        world.hass.bus.async_listen(EVENT_STATE_CHANGED, self._note)

    @callback
    def _note(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        if state is None:
            self._last.pop(event.data["entity_id"], None)
            return
        if state.attributes.get(ATTR_STATE_CLASS) != SensorStateClass.TOTAL_INCREASING:
            return
        try:
            value = float(state.state)
        except ValueError:
            return
        self.readings += 1
        now = dt_util.utcnow().timestamp()
        before, then = self._last.get(state.entity_id, (value, now))
        self._last[state.entity_id] = value, now
        if value < before:
            self._fall(state.entity_id, before, value, midnight(now) > then)
        elif now > then:
            self._rise(state.entity_id, (value - before) / (now - then))

    def _fall(self, entity_id: str, before: float, value: float, new_day: bool) -> None:
        if value >= 0.9 * before:
            self.errors.append(f"{entity_id} dips from {before} to {value}")
        elif not (self._daily and new_day):
            self.errors.append(f"{entity_id} falls from {before} to {value}")
        else:
            self.resets += 1

    def _rise(self, entity_id: str, rate: float) -> None:
        """Compares with the highest rate; traffic of an outage is averaged over its duration."""
        fastest = self._rates.setdefault(entity_id, rate)
        if fastest and rate > 20 * fastest:
            self.errors.append(f"{entity_id} jumps by {rate}/s after {fastest}/s")
        self._rates[entity_id] = max(fastest, rate)


class Day:
    """Makes pseudorandom changes at one service."""

    def __init__(self, world: FaultyWorld, resource_changes: ResourceChanges) -> None:
        self._world = world
        self._life = resource_changes
        self._random = Random(world.case.name)
        self._count = 0
        self._down_for = 0
        self._usual = len(self.ours())
        self.happened: Counter[str] = Counter()

    def ours(self) -> list[str]:
        """Returns the ids of the account's resources."""
        rows = self._life.rows(self._world.service)
        return sorted(id_ for id_, row in rows.items() if self._life.is_ours(row))

    async def minute(self, number: int) -> None:
        """Lets one minute pass, possibly with a change."""
        service = self._world.service
        if self._down_for:
            self._down_for -= 1
            if not self._down_for:
                await service.start()
        elif number % 180 == 50:
            await service.stop()
            self._down_for = self._random.randrange(2, 15)
            self.happened["outages"] += 1
        elif number % 90 == 30 and self._life.end_tokens is not None:
            self._life.end_tokens(service)
            self.happened["sessions ended"] += 1
        elif number % 5 == 0:
            self._random.choice((self._add, self._remove, self._rename))()
        await self._world.advance_time(MINUTE)

    def _add(self) -> None:
        if len(self.ours()) < 2 * self._usual:
            self._count += 1
            self._life.add(self._world.service, self._count)
            self.happened["added"] += 1

    def _remove(self) -> None:
        if len(others := self.ours()[1:]) > 2:
            del self._life.rows(self._world.service)[self._random.choice(others)]
            self.happened["removed"] += 1

    def _rename(self) -> None:
        self._count += 1
        chosen = self._random.choice(self.ours()[1:])
        self._life.rename(self._world.service, chosen, self._count)
        self.happened["renamed"] += 1

    def forget_calls(self) -> None:
        """Counts the requests that the service has answered, and frees their memory."""
        self.happened["requests"] += len(self._world.service.calls)
        self._world.service.calls.clear()

    async def restore(self) -> None:
        """Restores the initial number of resources and lets polls run."""
        if self._down_for:
            self._down_for = 0
            await self._world.service.start()
        while len(self.ours()) > self._usual:
            self._remove()
        if self._life.forgets is not None:
            await self._world.advance_time(MINUTE)
            await self._world.run_action(UserAction(self._life.forgets))
        while len(self.ours()) < self._usual:
            self._add()
        for _ in range(15):
            await self._world.advance_time(MINUTE)
        await self._world.advance_time(SAVE_DELAY)


def _is_counted(kind: type) -> bool:
    """Returns whether objects of a type are counted.

    The mocked storage keeps dicts and lists of everything stored, and each state caches a dict of
    itself once read, as it is here.
    """
    return kind.__module__.startswith(_COUNTED_MODULES) and not issubclass(kind, dict)


@dataclass(frozen=True, slots=True)
class ObjectCounts:
    """Counts of objects in memory, without the simulated service's own connections."""

    tasks: int
    timers: int
    listeners: int
    sessions: int
    objects: int

    @classmethod
    def now(cls, world: FaultyWorld, config: pytest.Config) -> Self:
        """Counts, after clearing what others keep.

        Home Assistant keeps deleted devices and entities for weeks; pytest keeps all log records
        with their exceptions.
        """
        logs = config.pluginmanager.get_plugin("logging-plugin")
        assert logs is not None
        logs.report_handler.reset()
        restore_state.async_get(world.hass).last_states.clear()
        er.async_get(world.hass).deleted_entities.clear()
        # The registry has no public list of them.
        vars(dr.async_get(world.hass))["_deleted_devices"].clear()
        gc.collect()
        # A list of our own would keep them all alive, in a cycle, until the next collection.
        kinds = Counter(map(type, gc.get_objects()))
        # asyncio keeps no public list of them.
        timers: list[asyncio.TimerHandle] = vars(world.hass.loop)["_scheduled"]
        return cls(
            tasks=sum(not belongs_to_simulator(task) for task in asyncio.all_tasks()),
            timers=sum(not (timer.cancelled() or belongs_to_simulator(timer)) for timer in timers),
            listeners=sum(world.hass.bus.async_listeners().values()),
            sessions=kinds[ClientSession],
            objects=sum(count for kind, count in kinds.items() if _is_counted(kind)),
        )


@pytest.fixture
def resource_changes(case: Case) -> ResourceChanges:
    return PROVIDER_DATA[case.key].resource_changes


async def test_a_day(
    world: FaultyWorld,
    resource_changes: ResourceChanges,
    output_check: OutputCheck,
    figures: dict[str, object],
    pytestconfig: pytest.Config,
) -> None:
    hours = HOURS[pytestconfig.getoption("extended")]
    day, totals = Day(world, resource_changes), Totals(world, resource_changes)
    # To count entities that are disabled by default as well.
    await world.set_up_enabled()
    first = {entity.unique_id: entity.entity_id for entity in world.registered()}

    minutes = iter(range(int(hours * 60)))
    for number in islice(minutes, _WARM_UP):
        await day.minute(number)
    await day.restore()
    output_check.check()
    day.forget_calls()
    before, entities = ObjectCounts.now(world, pytestconfig), len(world.registered())
    for number in minutes:
        await day.minute(number)
        if number % 60 == 0:
            output_check.check()
            day.forget_calls()
    await day.restore()
    output_check.check()
    day.forget_calls()
    after = ObjectCounts.now(world, pytestconfig)
    figures |= {
        "hours": hours,
        **day.happened,
        "totals read": totals.readings,
        "totals that the service began with 0 again": totals.resets,
        **{
            f"{name}, before and after": f"{was}, {getattr(after, name)}"
            for name, was in asdict(before).items()
        },
    }

    assert all(day.happened[what] for what in ("added", "removed", "renamed", "outages"))
    assert not world.reauthentications()
    assert {
        id_
        for _, name in world.device_identifiers()
        for _, kind, id_ in [name.split(":", 2)]
        if kind == resource_changes.kind
    } == set(day.ours()), "orphaned or missing devices"
    last = {entity.unique_id: entity.entity_id for entity in world.registered()}
    assert {first[id_] for id_ in first.keys() & last.keys()} == {
        last[id_] for id_ in first.keys() & last.keys()
    }
    assert bool(totals.readings) is resource_changes.counts
    assert not totals.errors
    assert (after.tasks, after.timers) == (before.tasks, before.timers)
    # A session of an earlier test may have been closed in the meantime.
    assert after.sessions <= before.sessions
    assert after.listeners <= before.listeners
    # Resources of one kind may have different entities, depending on their types.
    as_many = max(1, len(world.registered()) / entities)
    assert after.objects <= before.objects * as_many * (1 + _TOLERATED_GROWTH), (before, after)
