"""A feed, polled: its pace, its errors, and what differs from the answer before.

Entities are told only of their own resource, so a poll costs what it changed.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
import logging
import random
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, HomeAssistantError
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .api import days
from .api.age import Stamp
from .api.errors import Reason, TunnelHubError, UnavailableError
from .api.feed import Feed
from .api.models.base import Resource, without_today
from .api.provider import Issue, Provider
from .api.throttling import in_time_slices
from .clock import WallClockTimer
from .deferred_measurements import DeferredMeasurements
from .demand import Demand
from .exceptions import poll_errors
from .existence import Existence
from .per_resource_reads import PerResourceReads
from .subscriptions import ResourceListener, Subscription, Subscriptions

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

_NEVER_OLD = timedelta(minutes=2)
"""One failure after a short delay is none, however often a feed is read."""

_READ_BACK_PAUSE = 1.0
"""Seconds in which several commands share one reading."""

_UNCOUNTED_BY_CHANCE = 30.0
"""Seconds by which clocks differ that are set right now and then, as most are."""

_SOME_DAY = date.max
"""The day at a service of which nobody knows when its days begin."""

MAX_THINGS = 2000
"""Resources of a feed that are shown. Home Assistant enables 10,000 entities of an account, and a
thing has about five; the largest service has a few hundred nodes. More is a fault of the service,
and its devices and entities would stay in the registries.
"""


class FeedCoordinator(DataUpdateCoordinator[dict[str, Resource]]):
    """Polls one feed of one entry.

    data: the resources by id, the last good ones; empty before the first answer.
    available: whether they still count.
    has_answered: whether there was a first answer. is_pending: whether it is still to come.
    listed: how many resources the last answer had.
    read_on: the service's day on which they were read; None on another day than that.
    """

    config_entry: TunnelHubConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        provider: Provider,
        feed: Feed[Resource],
        *,
        siblings: Mapping[str, FeedCoordinator],
        demand: Demand,
        on_read: CALLBACK_TYPE,
    ) -> None:
        """Prepare; nothing is fetched yet.

        siblings: the coordinators of all feeds of the entry, this one too.
        on_read: called after each poll, whatever came of it.
        """
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=f"{provider.description.name} {feed.key}",
            update_interval=feed.interval,
            request_refresh_debouncer=Debouncer(
                hass, _LOGGER, cooldown=_READ_BACK_PAUSE, immediate=True
            ),
        )
        self.data = {}
        self.provider = provider
        self.feed = feed
        self.available = True
        self.is_pending = True
        self.has_answered = False
        self.read_on: date | None = None
        self.listed = 0
        self.existence = Existence()
        self.subscriptions = Subscriptions(hass, entry, self.name)
        self.measurements = DeferredMeasurements(demand, feed.resource.kind)
        self._reads: PerResourceReads | None = None
        if feed.probe is not None:
            self._reads = PerResourceReads(
                hass,
                entry,
                self.name,
                feed.probe,
                demand=demand,
                find=self._find,
                publish=self.async_publish,
            )
        self._siblings = siblings
        self._demand = demand
        self._on_read = on_read
        self._failures = 0
        self._changed: set[str] = set()
        self._tell_everybody = False
        self._awaits_use = False
        self._probe_soon = False
        self._reading_back = False
        self._asked_at = Stamp.now()
        self._answered_at: Stamp | None = None
        self._stop_polling_unheard: CALLBACK_TYPE | None = None
        entry.async_on_unload(demand.async_on_look(self._async_catch_up))

    # Life

    async def async_start(
        self, known: set[str], *, is_wanted: bool, chosen_anew: bool = False
    ) -> None:
        """Read for the first time.

        known: ids from before a restart; what is no longer listed goes. is_wanted: whether
        someone could see what is read. chosen_anew: whether the user has just chosen what is
        listed, so that the first answer decides. Only a required feed must succeed; another one
        that fails is asked again at its own pace.
        """
        self.existence.remember(known, doubted=chosen_anew)
        if self.feed.required:
            await self.async_config_entry_first_refresh()
        elif is_wanted:
            await self.async_refresh()
        else:
            self.is_pending = False

    @override
    async def async_shutdown(self) -> None:
        """Read nothing more, and let nothing come of what is being read."""
        await super().async_shutdown()
        self.subscriptions.close()
        self._poll_unheard_if_useful()

    @property
    def device_kind(self) -> str:
        """The kind of the devices that the resources tell something about."""
        return self.feed.resource.part_of or self.feed.resource.kind

    @property
    def owner(self) -> FeedCoordinator | None:
        """The feed of the things that these resources are part of; None if there is none."""
        part_of = self.feed.resource.part_of
        return next((c for c in self._siblings.values() if c.feed.resource.kind == part_of), None)

    def knows(self, resource_id: str) -> bool:
        """Tell whether a resource exists, and what it is part of."""
        owner = self.owner
        return resource_id in self.existence.known and (
            owner is None or not owner.has_answered or owner.knows(resource_id)
        )

    def is_listed(self, resource_id: str) -> bool:
        """Tell whether the last answers listed a resource, and what it is part of."""
        is_listed = resource_id in self.data and resource_id not in self.feed.kept()
        if (owner := self.owner) is None or not owner.has_answered:
            return is_listed
        return is_listed and owner.is_listed(resource_id)

    # Polling

    @override
    async def _async_update_data(self) -> dict[str, Resource]:
        self.update_interval = self._pace()
        self._asked_at = Stamp.now()
        if self._reads is not None and not self._reading_back:
            await self._reads.find_suspects()
        began_on = self._service_day()
        try:
            with poll_errors():
                fresh = self._limited(self._owned(await self.feed.fetch()))
        except HomeAssistantError:
            if self._shutdown_requested:
                return self.data
            raise
        # Of an answer that was under way at midnight, nobody knows which day it tells of.
        self.read_on = self._service_day() if self._is_today(began_on) else None
        if self.read_on is None:
            fresh = {id_: without_today(resource) for id_, resource in fresh.items()}
        before = self.data
        self._changed |= self.measurements.decide(
            at_once=self._reading_back or not self.last_update_success
        )
        # Most are the same objects: the feed builds only what has changed.
        self._changed |= {
            id_
            for id_, resource in fresh.items()
            if (old := before.get(id_)) is not resource and old != resource
        } | (before.keys() - fresh.keys())
        return fresh

    def _owned(self, found: Mapping[str, Resource]) -> Mapping[str, Resource]:
        """Leave out what is part of a thing that the service does not list."""
        if (owner := self.owner) is None or not owner.has_answered:
            return found
        known = owner.existence.known
        return {id_: resource for id_, resource in found.items() if id_ in known}

    def _limited(self, found: Mapping[str, Resource]) -> dict[str, Resource]:
        """Leave out what is too much: of what is new, the last."""
        self.listed = len(found)
        if self.listed <= MAX_THINGS:
            return dict(found)
        known = self.existence.known
        room = max(0, MAX_THINGS - len(known))
        new = set(islice((id_ for id_ in found if id_ not in known), room))
        return {id_: resource for id_, resource in found.items() if id_ in known or id_ in new}

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Count failures, and tell everyone when the data begin or cease to count."""
        if self._shutdown_requested:
            return
        self._failures = 0 if self.last_update_success else self._failures + 1
        refused = isinstance(self.last_exception, ConfigEntryAuthFailed)
        patience = self.provider.description.patience
        patient = self._failures < patience and not self._is_older_than(
            max(patience * self._interval, _NEVER_OLD)
        )
        available = self.last_update_success or (patient and not refused)
        self._tell_everybody = available != self.available
        self.available = available
        reading_back, self._reading_back = self._reading_back, False
        if self.last_update_success:
            self._take_answer(reading_back=reading_back)
        elif self._tell_everybody:
            # The base class tells nobody of a second failure in a row.
            self.async_update_listeners()
        self._poll_unheard_if_useful()
        self._on_read()

    @callback
    def _take_answer(self, *, reading_back: bool) -> None:
        """See what came and went. Readings around a command come too soon to confirm anything."""
        self._answered_at = Stamp.now()
        fields_differ = self.existence.see_fields(frozenset(self.feed.unsupported_fields()))
        added, gone = self.existence.see_resources(self.data.keys(), confirms=not reading_back)
        tell = self.subscriptions.tell_in_order
        tell(added, self.subscriptions.on_added)
        tell(gone, self.subscriptions.on_gone)
        if fields_differ:
            tell(list(self.existence.known), self.subscriptions.on_fields)
        self.has_answered, self.is_pending = True, False
        self._awaits_use = self.feed.resource.may_be_enabled_later and not all(
            resource.enabled_by_default for resource in self.data.values()
        )
        if self._reads is not None:
            for resource_id in gone:
                self._reads.forget(resource_id)
            if not reading_back:
                self._reads.begin_round()
        self._start_probing()

    @property
    def _interval(self) -> timedelta:
        return self.update_interval or self.feed.interval

    def _is_older_than(self, age: timedelta) -> bool:
        """Tell whether the last good answer is older, or there was none."""
        return self._answered_at is None or self._answered_at.age >= age.total_seconds()

    # The pace

    def _pace(self) -> timedelta:
        """Return the time until the next poll: longer while nobody looks or listens."""
        kind = self.feed.resource.kind
        wanted = (
            bool(self._always_read)
            or self._demand.is_looked_at
            or any(key.kind == kind for key in self._demand.used_by_automations())
        )
        interval = self.feed.interval if wanted else self.feed.idle_interval or self.feed.interval
        return interval + random.random() * self.feed.jitter

    @property
    def _is_polled(self) -> bool:
        return self.subscriptions.has_listeners or self._stop_polling_unheard is not None

    @callback
    def _poll_unheard_if_useful(self) -> None:
        """Poll although nobody listens, if there can be something to hear of.

        What one answer did not have is asked for once more.
        """
        useful = not self._shutdown_requested and (
            self.existence.is_doubtful or not self.data or self._awaits_use
        )
        if useful and self._stop_polling_unheard is None:
            self._stop_polling_unheard = super().async_add_listener(lambda: None)
        elif not useful and self._stop_polling_unheard is not None:
            self._stop_polling_unheard()
            self._stop_polling_unheard = None

    @callback
    def _async_catch_up(self) -> None:
        """Show someone who has begun to look what is true now."""
        self.update_interval = self._pace()
        if self._is_polled and self._is_older_than(self.feed.interval):
            self._async_poll_soon()
        elif deferred := self.measurements.publish():
            self._changed |= deferred
            self.async_update_listeners()

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
        if slept and is_due and self._is_polled:
            self._async_poll_soon()

    # Telling

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell those who are interested in what has changed, or everyone."""
        if self._shutdown_requested:
            return
        changed, self._changed = self._changed, set[str]()
        everybody, self._tell_everybody = self._tell_everybody, False
        self.subscriptions.tell_changed(changed, everybody=everybody)

    @callback
    @override
    def async_add_listener(
        self, update_callback: CALLBACK_TYPE, context: Any = None
    ) -> Callable[[], None]:
        """Listen to one resource, with an Subscription as the context, or to every poll."""
        subscription = context if isinstance(context, Subscription) else None
        stop_polling = super().async_add_listener(update_callback, context)
        unsubscribe = self.subscriptions.add(update_callback, subscription)
        if self._reads and subscription and subscription.field in self._reads.fields:
            self._start_probing_soon()

        @callback
        def _remove() -> None:
            unsubscribe()
            stop_polling()

        return _remove

    @callback
    def async_watch(self, resource_id: str, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Listen to one resource as if someone looked at it, even if it is disabled."""
        return self.async_add_listener(listener, Subscription(resource_id, "online", always=True))

    async def async_on_added(self, listener: ResourceListener) -> None:
        """Hear of new resources, first of those that are there, until the entry is unloaded."""
        self.subscriptions.on_added.append(listener)
        await in_time_slices(list(self.data), listener)

    @callback
    def async_on_gone(self, listener: ResourceListener) -> None:
        """Hear of resources that are gone for good, until the entry is unloaded."""
        self.subscriptions.on_gone.append(listener)

    @callback
    def async_forget(self, resource_id: str) -> None:
        """Give a resource up now; it is new in the next answer that lists it."""
        self.existence.forget(resource_id)
        self.data.pop(resource_id, None)
        self.subscriptions.tell_gone(resource_id)

    @callback
    def async_publish(self, resource: Resource) -> None:
        """Take in one resource that was read between two polls."""
        if not self._is_today(self.read_on):
            # It was made out of what was read before midnight.
            resource = without_today(resource)
        if self.data.get(resource.id) in (None, resource):
            return
        self.data[resource.id] = resource
        self.async_notify(resource.id)

    def _find(self, resource_id: str) -> Resource | None:
        return self.data.get(resource_id)

    @callback
    def async_assume(self, resource_id: str, **changes: Any) -> None:
        """Show what a command has changed until the service is read again; the only place."""
        if (resource := self._find(resource_id)) is not None:
            self.async_publish(replace(resource, **changes))

    @callback
    def async_notify(self, resource_id: str) -> None:
        """Tell those who listen to a resource that something about it has changed."""
        self._changed.add(resource_id)
        self.async_update_listeners()

    # The days of the service

    def _service_day(self) -> date:
        """Return the day at the service; _SOME_DAY where nobody knows when it begins."""
        zone = self.provider.time_zone
        return _SOME_DAY if zone is None else days.today(zone)

    def _is_today(self, day: date | None) -> bool:
        """Tell whether a day is the service's present one, as far as anybody knows."""
        today = self._service_day()
        return day is not None and (day == today or _SOME_DAY in (day, today))

    @callback
    def async_forget_yesterday(self) -> None:
        """Take away what was read on another day and would pass for today's."""
        if self.read_on is None or self._is_today(self.read_on):
            return
        self.read_on = None
        for id_, resource in self.data.items():
            if (left := without_today(resource)) is not resource:
                self.data[id_] = left
                self._changed.add(id_)
        self.async_update_listeners()

    # Reading on request

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
        if self._reads is not None:
            self._reads.ask_again(resource_id)
        self._reading_back = True
        await self.async_request_refresh()

    async def async_read_now(self) -> None:
        """Poll now, without probes; raises the errors of api/."""
        self._reading_back = True
        if self.feed.forget_shared is not None:
            self.feed.forget_shared()
        await self.async_refresh()
        if not self.last_update_success:
            cause = self.last_exception and self.last_exception.__cause__
            # Anything else was logged as unexpected.
            raise cause if isinstance(cause, TunnelHubError) else UnavailableError(Reason.MALFORMED)

    async def async_probe(self, resource_id: str) -> None:
        """Read one resource now; raises the api's errors. Without a probe, poll soon."""
        if self._reads is None:
            await self.async_request_refresh()
        else:
            await self._reads.read(resource_id)

    @property
    def _always_read(self) -> set[str]:
        """The ids of what is listed and must be read in any case."""
        return self.data.keys() & self.subscriptions.always_read

    @callback
    def _start_probing_soon(self) -> None:
        if not self._probe_soon:
            self._probe_soon = True
            self.hass.loop.call_soon(self._start_probing)

    @callback
    def _start_probing(self) -> None:
        self._probe_soon = False
        if self._reads is not None:
            watched = self.subscriptions.watched(self._reads.fields)
            self._reads.start(self.data.keys(), watched, self._always_read)


@callback
def async_follow_clock(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, coordinators: Collection[FeedCoordinator]
) -> None:
    """Have coordinators know of the service's midnight, and of sleep.

    coordinators: of one provider.
    """
    provider = next(iter(coordinators)).provider

    @callback
    def _look(now: datetime) -> datetime:
        zone = provider.time_zone or UTC
        for coordinator in coordinators:
            coordinator.async_forget_yesterday()
            coordinator.async_make_up_for_sleep()
        return days.start_of(days.day_of(now, zone) + timedelta(days=1), zone)

    timer = WallClockTimer(hass, _look)
    timer.async_call()
    entry.async_on_unload(timer.async_stop)


def too_many_things(coordinators: Collection[FeedCoordinator]) -> Iterator[Issue]:
    """Yield the problem that feeds list more than is shown."""
    # What tells something about a thing is as much as there are things.
    full = [c for c in coordinators if c.listed > MAX_THINGS and c.owner is None]
    lists = ", ".join(f"{c.feed.key}: {c.listed}" for c in full)
    if lists:
        yield Issue(
            key="too_many_things", placeholders={"lists": lists, "maximum": str(MAX_THINGS)}
        )
