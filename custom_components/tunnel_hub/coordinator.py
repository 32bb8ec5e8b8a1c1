"""A feed, polled: its pace, its errors and, above all, what has changed.

Comparing an answer with the one before gives the ids that came, changed and went. Entities
are told only of their own resource, so a poll costs what it changed.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .api import days
from .api.age import Stamp
from .api.errors import AuthenticationError, Reason, TunnelHubError, UnavailableError
from .api.feed import Feed, Probe
from .api.models.base import Resource, without_today
from .api.pace import Rate, in_turns
from .api.provider import Problem, Provider
from .clock import WallClockTimer
from .demand import Demand
from .exceptions import poll_errors
from .force_down import ForceDown
from .ids import EntityKey
from .problems import Problems

if TYPE_CHECKING:
    from .sign_in import SignIn

_LOGGER = logging.getLogger(__name__)

PATIENCE = 3
"""Polls that may fail in a row before the last good values no longer count."""

_NEVER_OLD = timedelta(minutes=2)
"""One failure after a short delay is none, however often a feed is read."""

_READ_BACK_PAUSE = 1.0
"""Seconds in which several commands share one reading."""

_PROBES_AT_ONCE = 10
"""As many tunnels as most homes have need not wait for each other."""

_UNCOUNTED_BY_CHANCE = 30.0
"""Seconds by which clocks differ that are set right now and then, as most are."""

_MEASUREMENTS_EVERY = 1800.0
"""Seconds after which measurements are published although nobody looks, for their statistics."""

MAX_THINGS = 2000
"""Resources of a feed that are shown. Home Assistant enables 10,000 entities of an account, and a
thing has about five; the largest service has a few hundred nodes. More is a fault of the service,
and its devices and entities would stay in the registries.
"""


@dataclass(slots=True, kw_only=True)
class TunnelHubData:
    """What a loaded entry holds. coordinators: by the feed's key."""

    provider: Provider
    problems: Problems
    demand: Demand
    coordinators: dict[str, FeedCoordinator] = field(default_factory=dict)
    force_down: ForceDown | None = None
    sign_in: SignIn | None = None

    @callback
    def sync_problems(self) -> None:
        """Show the problems that there are now."""
        is_complete = not any(c.is_pending for c in self.coordinators.values())
        self.problems.sync(is_complete=is_complete)

    def too_many_things(self) -> Iterator[Problem]:
        """Yield the problem that feeds list more than is shown."""
        lists = ", ".join(
            f"{key}: {coordinator.listed}"
            for key, coordinator in self.coordinators.items()
            if coordinator.listed > MAX_THINGS
        )
        if lists:
            yield Problem(
                key="too_many_things", placeholders={"lists": lists, "maximum": str(MAX_THINGS)}
            )


type TunnelHubConfigEntry = ConfigEntry[TunnelHubData]


class Interest(NamedTuple):
    """What a listener wants to hear of: one field of one resource."""

    resource_id: str
    field: str


@dataclass(slots=True)
class Remembered:
    """What the registries know of a kind of resource, perhaps from before a restart.

    ids: of resources that have a device or an entity.
    disabled_by: who disabled their entities; None is among them if one is enabled.
    """

    ids: set[str] = field(default_factory=set)
    disabled_by: set[er.RegistryEntryDisabler | None] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class _Listener:
    """Who hears of a resource, until this is called. Small, for there are tens of thousands."""

    coordinator: FeedCoordinator
    tell: CALLBACK_TYPE
    interest: Interest

    def __call__(self) -> None:
        """Listen no more."""
        self.coordinator.async_remove_listener(self)


class FeedCoordinator(DataUpdateCoordinator[dict[str, Resource]]):
    """Polls one feed of one entry.

    data: the resources by id, the last good ones; empty before the first answer.
    available: whether they still count.
    entry_data: what the entry holds, also after it was unloaded.
    has_answered: whether there was a first answer. is_pending: whether it is still to come.
    listed: how many resources the last answer had.
    known: ids of resources that exist, also those that one answer left out.
    lacking: fields that this version of the service does not tell, as of the last answer.
    missing: fields that two answers in a row did not tell.
    read_on: the service's day on which they were read; None on another day than that.
    """

    config_entry: TunnelHubConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        entry_data: TunnelHubData,
        feed: Feed[Resource],
    ) -> None:
        """Prepare; nothing is fetched yet."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=f"{entry_data.provider.description.name} {feed.key}",
            update_interval=feed.interval,
            request_refresh_debouncer=Debouncer(
                hass, _LOGGER, cooldown=_READ_BACK_PAUSE, immediate=True
            ),
        )
        self.data = {}
        self.entry_data = entry_data
        self.provider = entry_data.provider
        self.feed = feed
        self.available = True
        self.is_pending = True
        self.has_answered = False
        self.read_on: date | None = None
        self.listed = 0
        self.lacking: frozenset[str] = frozenset()
        self.missing: frozenset[str] = frozenset()
        self._failures = 0
        self._changed: set[str] = set()
        self._tell_all = False
        self.known: set[str] = set()
        self._absent: set[str] = set()
        self._by_resource: dict[str, list[_Listener]] = {}
        self._on_added: list[Callable[[str], None]] = []
        self._on_changed: list[Callable[[str], None]] = []
        self._on_gone: list[Callable[[str], None]] = []
        self._on_fields: list[Callable[[str], None]] = []
        self._news: deque[tuple[Collection[str], Callable[[str], None]]] = deque()
        self._telling_news: asyncio.Task[None] | None = None
        self._awaits_use = False
        self._announced: set[str] = set()
        self._watched: Counter[str] = Counter()
        self._guarded: Counter[str] = Counter()
        self._asked: set[str] = set()
        self._probing: set[str] = set()
        self._to_probe: deque[str] = deque()
        self._probers = 0
        self._probe_soon = False
        self._reading_back = False
        self._asked_at = Stamp.now()
        self._answered_at: Stamp | None = None
        self._probed_at: dict[str, Stamp] = {}
        self._stirred: set[str] = set()
        self._deferred: set[str] = set()
        self._publishes_measurements = True
        self._measured_at: Stamp | None = None
        entry.async_on_unload(entry_data.demand.async_on_look(self._async_catch_up))
        self._stand_in: CALLBACK_TYPE | None = None
        if feed.probe is not None:
            self._probe_rate = Rate(feed.probe.rate, at_once=_PROBES_AT_ONCE)

    # Life

    async def async_start(self, remembered: Remembered) -> None:
        """Read for the first time.

        remembered: what is no longer listed goes. A feed whose entities are all disabled is left
        alone. Only an essential feed must succeed; another one that fails is asked again at its
        own pace.
        """
        self.known |= remembered.ids
        if self.feed.essential:
            await self.async_config_entry_first_refresh()
        elif self._is_wanted(remembered.disabled_by):
            await self.async_refresh()
        else:
            self.is_pending = False

    def _is_wanted(self, disabled_by: Collection[er.RegistryEntryDisabler | None]) -> bool:
        """Tell whether an entity is enabled or can become so, or none was ever made."""
        return (
            not disabled_by
            or None in disabled_by
            or (
                self.feed.resource.comes_to_matter
                and er.RegistryEntryDisabler.INTEGRATION in disabled_by
            )
        )

    @property
    def device_kind(self) -> str:
        """The kind of the devices that the resources tell something about."""
        return self.feed.resource.part_of or self.feed.resource.kind

    @property
    def owner(self) -> FeedCoordinator | None:
        """The feed of the things that these resources are part of; None if there is none."""
        part_of = self.feed.resource.part_of
        return next(
            (c for c in self.entry_data.coordinators.values() if c.feed.resource.kind == part_of),
            None,
        )

    def is_listed(self, resource_id: str) -> bool:
        """Tell whether the service listed a resource in its last answer."""
        return resource_id in self.data and resource_id not in self.feed.kept()

    @callback
    def _poll_if_wanted(self) -> None:
        """Poll while somebody is interested, or can become so by what is read.

        What one answer did not have is asked for once more, whoever looks.
        To the base class, all who are interested are one listener.
        """
        wanted = not self._shutdown_requested and (
            bool(self._by_resource or self._absent) or not self.data or self._awaits_use
        )
        if wanted and self._stand_in is None:
            self._stand_in = super().async_add_listener(lambda: None)
        elif not wanted and self._stand_in is not None:
            self._stand_in()
            self._stand_in = None

    # Polling

    @override
    async def async_shutdown(self) -> None:
        """Read nothing more, and let nothing come of what is being read."""
        await super().async_shutdown()
        self._poll_if_wanted()

    @override
    async def _async_update_data(self) -> dict[str, Resource]:
        self.update_interval = self._pace()
        self._asked_at = Stamp.now()
        await self._find_stirred()
        began_on = self._service_day()
        try:
            with poll_errors():
                fresh = self._limited(self._owned(await self.feed.fetch()))
        except HomeAssistantError:
            if self._shutdown_requested:
                return self.data
            raise
        # Of an answer that was under way at midnight, nobody knows which day it tells of.
        self.read_on = began_on if began_on == self._service_day() else None
        if self.read_on is None:
            fresh = {id_: without_today(resource) for id_, resource in fresh.items()}
        before = self.data
        self._decide_on_measurements()
        # Most are the same objects: the feed builds only what has changed.
        self._changed |= {
            id_
            for id_, resource in fresh.items()
            if (old := before.get(id_)) is not resource and old != resource
        } | (before.keys() - fresh.keys())
        return fresh

    def _pace(self) -> timedelta:
        """Return the time until the next poll: longer while nobody looks or listens."""
        demand = self.entry_data.demand
        kind = self.feed.resource.kind
        wanted = (
            bool(self._guarded_now)
            or demand.is_looked_at
            or any(key.kind == kind for key in demand.used_by_automations())
        )
        return self.feed.interval if wanted else self.feed.idle_interval or self.feed.interval

    @callback
    def _async_catch_up(self) -> None:
        """Show somebody who has begun to look what is true now."""
        self.update_interval = self._pace()
        if self._stand_in is not None and self._is_older_than(self.feed.interval):
            self._async_poll_soon()
        elif self._deferred:
            self._publish_measurements()
            self.async_update_listeners()

    @property
    def _interval(self) -> timedelta:
        return self.update_interval or self.feed.interval

    def _is_older_than(self, age: timedelta) -> bool:
        """Tell whether the last good answer is older, or there was none."""
        return self._answered_at is None or self._answered_at.age >= age.total_seconds()

    @callback
    def _async_poll_soon(self) -> None:
        self.config_entry.async_create_task(
            self.hass, self.async_request_refresh(), f"{self.name} catch up"
        )

    @callback
    def async_make_up_for_sleep(self) -> None:
        """Poll if that was due while the machine slept, which no timer has counted."""
        slept = self._asked_at.uncounted > _UNCOUNTED_BY_CHANCE
        is_due = self._asked_at.age >= self._interval.total_seconds()
        if slept and is_due and self._stand_in is not None:
            self._async_poll_soon()

    @callback
    def _decide_on_measurements(self) -> None:
        """Publish measurements with this poll, or leave them until later.

        They change with every reading, and each change is a row in the recorder's database.
        """
        self._publishes_measurements = (
            self.entry_data.demand.is_looked_at
            or self._reading_back
            or not self.last_update_success
            or self._measured_at is None
            or self._measured_at.age >= _MEASUREMENTS_EVERY
        )
        if self._publishes_measurements:
            self._publish_measurements()

    @callback
    def _publish_measurements(self) -> None:
        self._publishes_measurements = True
        self._measured_at = Stamp.now()
        self._changed |= self._deferred
        self._deferred = set()

    @callback
    def async_defers(self, resource_id: str, field: str) -> bool:
        """Tell whether a measurement's new value is to be published later."""
        key = EntityKey(self.feed.resource.kind, resource_id, field)
        if self._publishes_measurements or key in self.entry_data.demand.used_by_automations():
            return False
        self._deferred.add(resource_id)
        return True

    def _owned(self, found: Mapping[str, Resource]) -> Mapping[str, Resource]:
        """Leave out what is part of a thing that the service does not list."""
        if (owner := self.owner) is None or not owner.has_answered:
            return found
        return {id_: resource for id_, resource in found.items() if id_ in owner.known}

    def _limited(self, found: Mapping[str, Resource]) -> dict[str, Resource]:
        """Leave out what is too much: of what is new, the last."""
        self.listed = len(found)
        if self.listed <= MAX_THINGS:
            return dict(found)
        room = max(0, MAX_THINGS - len(self.known))
        new = set(islice((id_ for id_ in found if id_ not in self.known), room))
        return {id_: resource for id_, resource in found.items() if id_ in self.known or id_ in new}

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Count failures, and tell everybody when the data begin or cease to count."""
        if self._shutdown_requested:
            return
        self._failures = 0 if self.last_update_success else self._failures + 1
        refused = isinstance(self.last_exception, ConfigEntryAuthFailed)
        patient = self._failures < PATIENCE and not self._is_older_than(
            max(PATIENCE * self._interval, _NEVER_OLD)
        )
        available = self.last_update_success or (patient and not refused)
        self._tell_all = available != self.available
        self.available = available
        reading_back, self._reading_back = self._reading_back, False
        if self.last_update_success:
            self._answered_at = Stamp.now()
            self._find_news(confirm=not reading_back)
            self.has_answered, self.is_pending = True, False
            self._awaits_use = self.feed.resource.comes_to_matter and not all(
                resource.matters for resource in self.data.values()
            )
            if not reading_back:
                self._asked &= self._probing
            self._start_probing()
        elif self._tell_all:
            # The base class tells nobody of a second failure in a row.
            self.async_update_listeners()
        self._poll_if_wanted()
        self.entry_data.sync_problems()

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell those who are interested in what has changed, or everybody."""
        if self._shutdown_requested:
            return
        changed, self._changed = self._changed, set[str]()
        if self._tell_all:
            self._tell_all = False
            changed |= self._by_resource.keys()
        super().async_update_listeners()
        self._each(changed, self._tell)

    @callback
    def _tell(self, resource_id: str) -> None:
        self._call(self._on_changed, resource_id)
        for listener in list(self._by_resource.get(resource_id, ())):
            listener.tell()

    @callback
    def _each(self, ids: Collection[str], do: Callable[[str], None]) -> None:
        """Do something for each resource: a few now, many in turns with the rest of the house."""
        if ids:
            self.config_entry.async_create_task(
                self.hass, in_turns(ids, do), f"{self.name} changes", eager_start=True
            )

    @callback
    @override
    def async_add_listener(
        self, update_callback: CALLBACK_TYPE, context: Any = None
    ) -> Callable[[], None]:
        """Listen to one resource, with an Interest as the context, or to every poll."""
        if not isinstance(context, Interest):
            return super().async_add_listener(update_callback, context)
        listener = _Listener(self, update_callback, context)
        self._by_resource.setdefault(context.resource_id, []).append(listener)
        self._poll_if_wanted()
        if self.feed.probe and context.field in self.feed.probe.fields:
            self._watched[context.resource_id] += 1
            if not self._probe_soon:
                self._probe_soon = True
                self.hass.loop.call_soon(self._start_probing)
        return listener

    @callback
    def async_watch(self, resource_id: str, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Listen to one resource as if somebody looked at it, even if it is disabled."""
        remove = self.async_add_listener(listener, Interest(resource_id, "online"))
        self._guarded[resource_id] += 1

        @callback
        def _stop() -> None:
            self._guarded[resource_id] -= 1
            remove()

        return _stop

    @property
    def _guarded_now(self) -> Collection[str]:
        """What is listed of the resources that must be read in any case."""
        return (+self._guarded).keys() & self.data.keys()

    @property
    def interests(self) -> int:
        """How many listen to a resource."""
        return sum(map(len, self._by_resource.values()))

    @callback
    def async_remove_listener(self, listener: _Listener) -> None:
        """Forget a listener to one resource."""
        interest = listener.interest
        listeners = self._by_resource[interest.resource_id]
        listeners.remove(listener)
        if not listeners:
            del self._by_resource[interest.resource_id]
        if self.feed.probe and interest.field in self.feed.probe.fields:
            self._watched[interest.resource_id] -= 1
        self._poll_if_wanted()

    @callback
    def async_publish(self, resource: Resource) -> None:
        """Take in one resource that was read, or changed by us, between two polls."""
        if self.read_on != self._service_day():
            # It was made out of what was read before midnight.
            resource = without_today(resource)
        if self.data.get(resource.id) in (None, resource):
            return
        self.data[resource.id] = resource
        self.async_notify(resource.id)

    @callback
    def async_notify(self, resource_id: str) -> None:
        """Tell those who listen to a resource that something about it has changed."""
        self._changed.add(resource_id)
        self.async_update_listeners()

    # The days of the service

    def _service_day(self) -> date:
        return days.today(self.provider.description.time_zone)

    @callback
    def async_forget_yesterday(self) -> None:
        """Take away what was read on another day and would pass for today's."""
        if self.read_on in (None, self._service_day()):
            return
        self.read_on = None
        for id_, resource in self.data.items():
            if (left := without_today(resource)) is not resource:
                self.data[id_] = left
                self._changed.add(id_)
        self.async_update_listeners()

    # What came and what went

    async def async_on_added(self, listener: Callable[[str], None]) -> None:
        """Hear of new resources, first of those that are there, until the entry is unloaded."""
        self._on_added.append(listener)
        await in_turns(list(self.data), listener)

    @callback
    def async_on_changed(self, listener: Callable[[str], None]) -> None:
        """Hear of resources that have changed, come or gone, until the entry is unloaded."""
        self._on_changed.append(listener)

    @callback
    def async_on_gone(self, listener: Callable[[str], None]) -> None:
        """Hear of resources that are gone for good, until the entry is unloaded."""
        self._on_gone.append(listener)

    @callback
    def async_on_fields(self, listener: Callable[[str], None]) -> None:
        """Hear of each known resource when the service begins or ceases to tell a field."""
        self._on_fields.append(listener)

    @callback
    def async_forget(self, resource_id: str) -> None:
        """Give a resource up now; it is new in the next answer that lists it."""
        for ids in (self.known, self._announced, self._absent):
            ids.discard(resource_id)
        self.data.pop(resource_id, None)
        self._call(self._on_gone, resource_id)

    @callback
    def _find_news(self, *, confirm: bool) -> None:
        """Compare with what was known; gone or missing is what two answers in a row do not have.

        confirm: whether this can be the second one; readings around a command come within a second.
        """
        lacking = frozenset(self.feed.lacks())
        missing = lacking & self.lacking if self.has_answered else self.missing
        differs = (lacking, missing) != (self.lacking, self.missing)
        self.lacking, self.missing = lacking, missing
        self._find_added_and_gone(confirm=confirm)
        if differs:
            self._each_in_order(list(self.known), partial(self._call, list(self._on_fields)))

    @callback
    def _find_added_and_gone(self, *, confirm: bool) -> None:
        present = self.data.keys()
        if present == self.known == self._announced:
            self._absent = set()
            return
        absent = self.known - present
        gone = absent & self._absent if confirm else set()
        added = present - self._announced
        self._absent = absent - gone
        self.known = (self.known | present) - gone
        self._announced = (self._announced | present) - gone
        for resource_id in gone:
            self._probed_at.pop(resource_id, None)
        self._each_in_order(added, partial(self._call, list(self._on_added)))
        self._each_in_order(gone, partial(self._call, list(self._on_gone)))

    @callback
    def _each_in_order(self, ids: Collection[str], do: Callable[[str], None]) -> None:
        """Do something for each resource once all that was found before is done."""
        if not ids:
            return
        self._news.append((ids, do))
        if self._telling_news is None or self._telling_news.done():
            self._telling_news = self.config_entry.async_create_task(
                self.hass, self._tell_news(), f"{self.name} news", eager_start=True
            )

    @callback
    def _call(self, listeners: Iterable[Callable[[str], None]], resource_id: str) -> None:
        """Tell listeners of a resource, unless the entry is unloaded by now."""
        if not self._shutdown_requested:
            for listener in listeners:
                listener(resource_id)

    async def _tell_news(self) -> None:
        while self._news:
            await in_turns(*self._news.popleft())

    # Readings that are made one by one

    @callback
    def _start_probing(self) -> None:
        """Ask, in the background, for what somebody listens to and was not asked since the poll."""
        self._probe_soon = False
        if (probe := self.feed.probe) is None:
            return
        due = self._due_probes(probe)
        watched = {id_ for id_ in probe.candidates() if self._watched[id_] and id_ in due}
        ids = watched.union(self._guarded_now) - self._asked
        self._asked |= ids
        self._probing |= ids
        self._to_probe.extend(ids)
        for _ in range(min(len(self._to_probe), probe.concurrency - self._probers)):
            self._probers += 1
            self.config_entry.async_create_background_task(
                self.hass, self._probe_in_turn(), f"{self.name} probe"
            )

    async def _find_stirred(self) -> None:
        """Ask what may have changed, in place of asking each resource."""
        probe = self.feed.probe
        needless = self._reading_back or self.entry_data.demand.is_looked_at
        if probe and probe.stirred and not needless:
            with suppress(TunnelHubError):
                self._stirred |= set(await probe.stirred())

    def _due_probes(self, probe: Probe[Resource]) -> Collection[str]:
        """Return the ids that are worth a request now."""
        demand = self.entry_data.demand
        if demand.is_looked_at:
            return self.data.keys()
        used = {key.id for key in demand.used_by_automations() if key.key in probe.fields}
        old = probe.idle_interval.total_seconds()
        known = self._probed_at
        rest = {id_ for id_ in self.data if id_ not in known or known[id_].age >= old}
        return used | rest | self._stirred

    async def _probe_in_turn(self) -> None:
        """Read one after the other, the longest waiting first."""
        try:
            while self._to_probe:
                id_ = self._to_probe.popleft()
                await asyncio.sleep(self._probe_rate.delay())
                try:
                    await self.async_probe(id_)
                except AuthenticationError:
                    self.config_entry.async_start_reauth_if_available(self.hass)
                except TunnelHubError as err:
                    self.logger.debug("%s: %s not read: %s", self.name, id_, err)
                finally:
                    self._probing.discard(id_)
        finally:
            self._probers -= 1

    async def async_current(self) -> Mapping[str, Resource]:
        """Return the resources, read now if that was long ago, as when nobody listens.

        Raises HomeAssistantError while the service does not answer.
        """
        if self._is_older_than(2 * self.feed.interval):
            await self.async_refresh()
        if not (self.available and self.has_answered) and self.last_exception is not None:
            raise self.last_exception
        return self.data

    async def async_read_back(self, resource_id: str) -> None:
        """See what became of a command: poll, but probe only the one resource again."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            # The HTTP session is about to close, and nobody would see what is read.
            return
        self._asked.discard(resource_id)
        self._stirred.add(resource_id)
        self._reading_back = True
        await self.async_request_refresh()

    async def async_read_now(self) -> None:
        """Poll now, without probes; raises the api's errors."""
        self._reading_back = True
        await self.async_refresh()
        if not self.last_update_success:
            cause = self.last_exception and self.last_exception.__cause__
            # Anything else was logged as unexpected.
            raise cause if isinstance(cause, TunnelHubError) else UnavailableError(Reason.MALFORMED)

    async def async_probe(self, resource_id: str) -> None:
        """Read one resource now; raises the api's errors. Without a probe, poll soon."""
        if self.feed.probe is None:
            await self.async_request_refresh()
        else:
            self._probed_at[resource_id] = Stamp.now()
            self._stirred.discard(resource_id)
            self.async_publish(await self.feed.probe.read(resource_id))


@callback
def async_follow_clock(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, coordinators: Collection[FeedCoordinator]
) -> None:
    """Have coordinators know of the service's midnight, and of sleep.

    coordinators: of one provider.
    """
    zone = next(iter(coordinators)).provider.description.time_zone

    @callback
    def _look(now: datetime) -> datetime:
        for coordinator in coordinators:
            coordinator.async_forget_yesterday()
            coordinator.async_make_up_for_sleep()
        return days.start_of(days.day_of(now, zone) + timedelta(days=1), zone)

    timer = WallClockTimer(hass, _look)
    timer.async_call()
    entry.async_on_unload(timer.async_stop)
