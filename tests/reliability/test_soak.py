"""A day of ordinary trouble: things come, go and are renamed, sessions end, the service is down.

What must not change does not: entity ids, devices, what is held in memory; and what is counted is
counted right. The counts are judged as Home Assistant's long-term statistics do: a total that
falls below nine tenths began with 0 again, any other decrease is an error.
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
from homeassistant.util import dt as dt_util
import pytest

from simulator.shanghai import midnight

from ..common import MINUTE
from .provider_modules import FOUND
from .providers import Act, Case, Life
from .watch import Watch
from .world import BadWorld, of_simulator

HOURS = {False: 1.5, True: 24}
"""By whether the run is extended."""
_WARM_UP = 60
"""Minutes after which everything is there that is ever there."""
_TOLERATED_GROWTH = 0.02
"""Of the objects in memory; caches of Home Assistant's own fill up a little."""
_LOOKED_AT = ("custom_components.", "homeassistant.", "aiohttp.")
"""Modules whose objects are counted; asyncio keeps cancelled timers until they are many."""


class Totals:
    """Looks at every total that is counted upwards."""

    def __init__(self, world: BadWorld, life: Life) -> None:
        self._last: dict[str, tuple[float, float]] = {}
        self._rates: dict[str, float] = {}
        self._daily = life.daily
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
        """Compare with the fastest so far; traffic of an outage counts for all of its time."""
        fastest = self._rates.setdefault(entity_id, rate)
        if fastest and rate > 20 * fastest:
            self.errors.append(f"{entity_id} jumps by {rate}/s after {fastest}/s")
        self._rates[entity_id] = max(fastest, rate)


class Day:
    """Lets things happen at one service, by chance, but the same in every run."""

    def __init__(self, world: BadWorld, life: Life) -> None:
        self._world = world
        self._life = life
        self._random = Random(world.case.name)
        self._count = 0
        self._down_for = 0
        self._usual = len(self.ours())
        self.happened: Counter[str] = Counter()

    def ours(self) -> list[str]:
        """Return the ids of the account's things."""
        rows = self._life.rows(self._world.service)
        return sorted(id_ for id_, row in rows.items() if self._life.is_ours(row))

    async def minute(self, number: int) -> None:
        """Let one minute pass, and perhaps something happen."""
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
            self._random.choice((self._come, self._go, self._rename))()
        await self._world.pass_by(MINUTE)

    def _come(self) -> None:
        if len(self.ours()) < 2 * self._usual:
            self._count += 1
            self._life.add(self._world.service, self._count)
            self.happened["came"] += 1

    def _go(self) -> None:
        if len(others := self.ours()[1:]) > 2:
            del self._life.rows(self._world.service)[self._random.choice(others)]
            self.happened["went"] += 1

    def _rename(self) -> None:
        self._count += 1
        chosen = self._random.choice(self.ours()[1:])
        self._life.rename(self._world.service, chosen, self._count)
        self.happened["renamed"] += 1

    def forget_calls(self) -> None:
        """Count the requests that the service has answered, and keep none in memory."""
        self.happened["requests"] += len(self._world.service.calls)
        self._world.service.calls.clear()

    async def rest(self) -> None:
        """Let everything come to rest, with as many things as in the beginning."""
        if self._down_for:
            self._down_for = 0
            await self._world.service.start()
        while len(self.ours()) > self._usual:
            self._go()
        if self._life.forgets is not None:
            await self._world.pass_by(MINUTE)
            await self._world.perform(Act(self._life.forgets))
        while len(self.ours()) < self._usual:
            self._come()
        for _ in range(15):
            await self._world.pass_by(MINUTE)


def _is_looked_at(kind: type) -> bool:
    """Return whether objects of a type are counted.

    The replacement of Home Assistant's disk keeps dicts and lists of everything that was stored,
    and each state keeps a dict of itself once it was read, as it is here.
    """
    return kind.__module__.startswith(_LOOKED_AT) and not issubclass(kind, dict)


@dataclass(frozen=True, slots=True)
class Held:
    """What is held on to at a moment of rest, but for the simulated service's own connections."""

    tasks: int
    timers: int
    listeners: int
    sessions: int
    objects: int

    @classmethod
    def now(cls, world: BadWorld, config: pytest.Config) -> Self:
        """Count, without what others remember.

        Home Assistant does so for weeks of things that are gone; pytest of all that was logged,
        with exceptions and what they hold.
        """
        logs = config.pluginmanager.get_plugin("logging-plugin")
        assert logs is not None
        logs.report_handler.reset()
        restore_state.async_get(world.hass).last_states.clear()
        er.async_get(world.hass).deleted_entities.clear()
        # The registry has no public list of them.
        vars(dr.async_get(world.hass))["_deleted_devices"].clear()
        gc.collect()
        # Never in a list of ours, which would hold them all, in a cycle, until the next time.
        kinds = Counter(map(type, gc.get_objects()))
        # asyncio keeps no public list of them.
        timers: list[asyncio.TimerHandle] = vars(world.hass.loop)["_scheduled"]
        return cls(
            tasks=sum(not of_simulator(task) for task in asyncio.all_tasks()),
            timers=sum(not (timer.cancelled() or of_simulator(timer)) for timer in timers),
            listeners=sum(world.hass.bus.async_listeners().values()),
            sessions=kinds[ClientSession],
            objects=sum(count for kind, count in kinds.items() if _is_looked_at(kind)),
        )


@pytest.fixture
def life(case: Case) -> Life:
    return FOUND[case.of].life


async def test_a_day(
    world: BadWorld,
    life: Life,
    watch: Watch,
    figures: dict[str, object],
    pytestconfig: pytest.Config,
) -> None:
    hours = HOURS[pytestconfig.getoption("extended")]
    day, totals = Day(world, life), Totals(world, life)
    # So that what only some look at is counted as well.
    await world.set_up_enabled()
    first = {entity.unique_id: entity.entity_id for entity in world.registered()}

    minutes = iter(range(int(hours * 60)))
    for number in islice(minutes, _WARM_UP):
        await day.minute(number)
    await day.rest()
    watch.check()
    day.forget_calls()
    before, entities = Held.now(world, pytestconfig), len(world.registered())
    for number in minutes:
        await day.minute(number)
        if number % 60 == 0:
            watch.check()
            day.forget_calls()
    await day.rest()
    watch.check()
    day.forget_calls()
    after = Held.now(world, pytestconfig)
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

    assert all(day.happened[what] for what in ("came", "went", "renamed", "outages"))
    assert not world.reauthentications()
    assert {
        id_
        for _, name in world.things()
        for _, kind, id_ in [name.split(":", 2)]
        if kind == life.kind
    } == set(day.ours()), "no device is orphaned, none is missing"
    last = {entity.unique_id: entity.entity_id for entity in world.registered()}
    assert {first[id_] for id_ in first.keys() & last.keys()} == {
        last[id_] for id_ in first.keys() & last.keys()
    }
    assert bool(totals.readings) is life.counts
    assert not totals.errors
    assert (after.tasks, after.timers, after.sessions) == (
        before.tasks,
        before.timers,
        before.sessions,
    )
    assert after.listeners <= before.listeners
    # Things of one kind may have different entities, by their types.
    as_many = max(1, len(world.registered()) / entities)
    assert after.objects <= before.objects * as_many * (1 + _TOLERATED_GROWTH), (before, after)
