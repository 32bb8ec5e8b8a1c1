"""Polls feeds: intervals, errors, and differences between two answers.

Entities are only notified if their own resource changed, so a poll costs as much as it changed.
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
from .api.time_slices import in_time_slices
from .browsers_and_automations import DataConsumers
from .clock import WallClockTimer
from .exceptions import poll_errors
from .inventory import Inventory
from .per_resource_reads import PerResourceReads
from .state_write_throttle import StateWriteThrottle
from .subscriptions import ResourceListener, Subscription, Subscriptions

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

_MIN_PATIENCE = timedelta(minutes=2)
"""Data are never too old before this time, however short the interval of their feed is."""

_READ_BACK_PAUSE = 1.0
"""Seconds in which several commands share one read."""

_CLOCK_TOLERANCE = 30.0
"""Seconds by which the clocks can differ without sleep, for example after NTP corrections."""

_UNKNOWN_DAY = date.max
"""The day at a service whose time zone is unknown."""

MAX_RESOURCES = 2000
"""The number of resources of a feed that are shown. Home Assistant enables 10,000 entities of an
entry, and a resource has about five; the largest service has a few hundred nodes. A longer list is
an error of the service, whose devices and entities would stay in the registries.
"""


class FeedCoordinator(DataUpdateCoordinator[dict[str, Resource]]):
    """Polls one feed of one entry.

    data: the resources of the last successful answer by id; empty before the first one.
    available: whether the data are still valid.
    has_answered: whether there was a successful answer. is_pending: whether the first one is due.
    listed: the number of resources in the last answer.
    read_on: the service's day on which the data were read; None if they were read on another day.
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
        consumers: DataConsumers,
        on_read: CALLBACK_TYPE,
    ) -> None:
        """Set up without a request.

        siblings: the coordinators of all feeds of the entry, including this one.
        on_read: called after each poll, successful or not.
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
        self.inventory = Inventory()
        self.subscriptions = Subscriptions(
            hass, entry, self.name, on_empty=self._poll_only_if_useful
        )
        self.state_writes = StateWriteThrottle(consumers, feed.resource.kind)
        self._probes: PerResourceReads | None = None
        if feed.probe is not None:
            self._probes = PerResourceReads(
                hass,
                entry,
                self.name,
                feed.probe,
                consumers=consumers,
                find=self._find,
                publish=self.async_publish,
            )
        self._siblings = siblings
        self._consumers = consumers
        self._on_read = on_read
        self._failures = 0
        self._changed: set[str] = set()
        self._notify_all = False
        self._awaits_use = False
        self._probe_soon = False
        self._reading_back = False
        self._asked_at = Stamp.now()
        self._answered_at: Stamp | None = None
        self._stop_polling: CALLBACK_TYPE | None = None
        entry.async_on_unload(consumers.async_on_connect(self._async_handle_connect))

    # Start and shutdown

    async def async_start(
        self, known: set[str], *, is_wanted: bool, chosen_anew: bool = False
    ) -> None:
        """Read for the first time.

        A required feed must succeed. Another feed that fails is polled again at its own interval.

        known: ids from before a restart; those that are no longer listed are removed.
        is_wanted: whether an enabled entity can show the data.
        chosen_anew: whether the user has just changed what is listed, so the first answer decides.
        """
        self.inventory.remember(known, doubted=chosen_anew)
        if self.feed.required:
            await self.async_config_entry_first_refresh()
        elif is_wanted:
            await self.async_refresh()
        else:
            self.is_pending = False

    @override
    async def async_shutdown(self) -> None:
        """Stop polling, and ignore the answers of requests that are running."""
        await super().async_shutdown()
        self.subscriptions.close()
        self._poll_only_if_useful()

    @property
    def device_kind(self) -> str:
        """The kind of the devices that the resources belong to."""
        return self.feed.resource.part_of or self.feed.resource.kind

    @property
    def owner(self) -> FeedCoordinator | None:
        """The feed of the resources that these are part of, if any."""
        part_of = self.feed.resource.part_of
        return next((c for c in self._siblings.values() if c.feed.resource.kind == part_of), None)

    def knows(self, resource_id: str) -> bool:
        """Return whether a resource exists, and the resource that it is part of."""
        owner = self.owner
        return resource_id in self.inventory.known and (
            owner is None or not owner.has_answered or owner.knows(resource_id)
        )

    def is_listed(self, resource_id: str) -> bool:
        """Return whether the last answers list a resource, and the one that it is part of."""
        is_listed = resource_id in self.data and resource_id not in self.feed.kept()
        if (owner := self.owner) is None or not owner.has_answered:
            return is_listed
        return is_listed and owner.is_listed(resource_id)

    # Polling

    @override
    async def _async_update_data(self) -> dict[str, Resource]:
        self.update_interval = self._next_interval()
        self._asked_at = Stamp.now()
        if self._probes is not None and not self._reading_back:
            await self._probes.find_possibly_changed()
        began_on = self._service_day()
        try:
            with poll_errors():
                fresh = self._limit(self._without_orphans(await self.feed.fetch()))
        except HomeAssistantError:
            if self._shutdown_requested:
                return self.data
            raise
        # An answer that arrives across midnight belongs to neither day.
        self.read_on = self._service_day() if self._is_today(began_on) else None
        if self.read_on is None:
            fresh = {id_: without_today(resource) for id_, resource in fresh.items()}
        before = self.data
        self._changed |= self.state_writes.decide(
            write_now=self._reading_back or not self.last_update_success
        )
        # Most are the same objects: the feed builds only what has changed.
        self._changed |= {
            id_
            for id_, resource in fresh.items()
            if (old := before.get(id_)) is not resource and old != resource
        } | (before.keys() - fresh.keys())
        return fresh

    def _without_orphans(self, found: Mapping[str, Resource]) -> Mapping[str, Resource]:
        """Remove resources that are part of a resource that the service does not list."""
        if (owner := self.owner) is None or not owner.has_answered:
            return found
        known = owner.inventory.known
        return {id_: resource for id_, resource in found.items() if id_ in known}

    def _limit(self, found: Mapping[str, Resource]) -> dict[str, Resource]:
        """Limit the number of resources: new ones at the end of the list are left out."""
        self.listed = len(found)
        if self.listed <= MAX_RESOURCES:
            return dict(found)
        known = self.inventory.known
        room = max(0, MAX_RESOURCES - len(known))
        new = set(islice((id_ for id_ in found if id_ not in known), room))
        return {id_: resource for id_, resource in found.items() if id_ in known or id_ in new}

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Count failures, and notify all listeners when the availability changes."""
        if self._shutdown_requested:
            return
        self._failures = 0 if self.last_update_success else self._failures + 1
        refused = isinstance(self.last_exception, ConfigEntryAuthFailed)
        patience = self.provider.description.patience
        patient = self._failures < patience and not self._is_older_than(
            max(patience * self._interval, _MIN_PATIENCE)
        )
        available = self.last_update_success or (patient and not refused)
        self._notify_all = available != self.available
        self.available = available
        reading_back, self._reading_back = self._reading_back, False
        if self.last_update_success:
            self._handle_answer(reading_back=reading_back)
        elif self._notify_all:
            # The base class does not notify listeners of a second failure in a row.
            self.async_update_listeners()
        self._poll_only_if_useful()
        self._on_read()

    @callback
    def _handle_answer(self, *, reading_back: bool) -> None:
        """Find resources and fields that were added or removed.

        Reads around a command are too close together to confirm that a resource is gone.
        """
        self._answered_at = Stamp.now()
        fields_differ = self.inventory.update_fields(frozenset(self.feed.unsupported_fields()))
        added, gone = self.inventory.update_resources(self.data.keys(), confirms=not reading_back)
        notify = self.subscriptions.notify_in_order
        notify(added, self.subscriptions.on_added)
        notify(gone, self.subscriptions.on_gone)
        if fields_differ:
            notify(list(self.inventory.known), self.subscriptions.on_fields)
        self.has_answered, self.is_pending = True, False
        self._awaits_use = self.feed.resource.may_be_enabled_later and not all(
            resource.enabled_by_default for resource in self.data.values()
        )
        if self._probes is not None and not reading_back:
            self._probes.begin_round()
        self._start_probing()

    @property
    def _interval(self) -> timedelta:
        return self.update_interval or self.feed.interval

    def _is_older_than(self, age: timedelta) -> bool:
        """Return whether the last successful answer is older than this, or missing."""
        return self._answered_at is None or self._answered_at.age >= age.total_seconds()

    # The interval

    def _next_interval(self) -> timedelta:
        """Return the time until the next poll: longer while nothing needs fresh values."""
        kind = self.feed.resource.kind
        wanted = (
            bool(self._always_read)
            or self._consumers.is_anyone_connected
            or any(key.kind == kind for key in self._consumers.used_by_automations())
        )
        interval = self.feed.interval if wanted else self.feed.idle_interval or self.feed.interval
        return interval + random.random() * self.feed.jitter

    @callback
    def _poll_only_if_useful(self) -> None:
        """Poll while there are listeners, or while a poll can find new or missing resources.

        A resource that one answer did not list is requested once more.
        """
        useful = not self._shutdown_requested and (
            self.subscriptions.has_listeners
            or self.inventory.awaits_confirmation
            or not self.data
            or self._awaits_use
        )
        if useful and self._stop_polling is None:
            # One listener of the base class for all of them: each has its costs there.
            self._stop_polling = super().async_add_listener(lambda: None)
        elif not useful and self._stop_polling is not None:
            self._stop_polling()
            self._stop_polling = None

    @callback
    def _async_handle_connect(self) -> None:
        """Update the states when a browser or an app connects."""
        self.update_interval = self._next_interval()
        if self._stop_polling and self._is_older_than(self.feed.interval):
            self._async_poll_soon()
        elif deferred := self.state_writes.publish():
            self._changed |= deferred
            self.async_update_listeners()

    @callback
    def _async_poll_soon(self) -> None:
        self.config_entry.async_create_task(
            self.hass, self.async_request_refresh(), f"{self.name} catch up"
        )

    @callback
    def async_poll_after_sleep(self) -> None:
        """Poll if a poll was due while the machine slept, because timers stop then."""
        slept = self._asked_at.uncounted > _CLOCK_TOLERANCE
        is_due = self._asked_at.age >= self._interval.total_seconds()
        if slept and is_due and self._stop_polling:
            self._async_poll_soon()

    # Listeners

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Notify the listeners of changed resources, or all of them."""
        if self._shutdown_requested:
            return
        changed, self._changed = self._changed, set[str]()
        everyone, self._notify_all = self._notify_all, False
        self.subscriptions.notify_changed(changed, everyone=everyone)

    @callback
    @override
    def async_add_listener(
        self, update_callback: CALLBACK_TYPE, context: Any = None
    ) -> Callable[[], None]:
        """Subscribe to one resource (context: a Subscription), or to every poll."""
        subscription = context if isinstance(context, Subscription) else None
        remove = self.subscriptions.add(update_callback, subscription)
        self._poll_only_if_useful()
        if self._probes and subscription and subscription.field in self._probes.fields:
            self._start_probing_soon()
        return remove

    @callback
    def async_watch(self, resource_id: str, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Subscribe to the online state of a resource, and read it even if it is disabled."""
        return self.async_add_listener(listener, Subscription(resource_id, "online", always=True))

    async def async_on_added(self, listener: ResourceListener) -> None:
        """Call a listener for all resources, and for new ones until the entry is unloaded."""
        self.subscriptions.on_added.append(listener)
        await in_time_slices(list(self.data), listener)

    @callback
    def async_forget(self, resource_id: str) -> None:
        """Remove a resource; the next answer that lists it adds it again."""
        self.inventory.forget(resource_id)
        self.data.pop(resource_id, None)
        self.subscriptions.notify_gone(resource_id)

    @callback
    def async_publish(self, resource: Resource) -> None:
        """Update one resource that was read between two polls."""
        if not self._is_today(self.read_on):
            # It contains values from before midnight.
            resource = without_today(resource)
        if self.data.get(resource.id) in (None, resource):
            return
        self.data[resource.id] = resource
        self.async_notify(resource.id)

    def _find(self, resource_id: str) -> Resource | None:
        return self.data.get(resource_id)

    @callback
    def async_assume(self, resource_id: str, **changes: Any) -> None:
        """Show the expected result of a command until the service is read again."""
        if (resource := self._find(resource_id)) is not None:
            self.async_publish(replace(resource, **changes))

    @callback
    def async_notify(self, resource_id: str) -> None:
        """Notify the listeners of a resource."""
        self._changed.add(resource_id)
        self.async_update_listeners()

    # The days of the service

    def _service_day(self) -> date:
        """Return the current day at the service, or _UNKNOWN_DAY if its time zone is unknown."""
        zone = self.provider.time_zone
        return _UNKNOWN_DAY if zone is None else days.today(zone)

    def _is_today(self, day: date | None) -> bool:
        """Return whether a day is the service's current one, as far as it is known."""
        today = self._service_day()
        return day is not None and (day == today or _UNKNOWN_DAY in (day, today))

    @callback
    def async_clear_yesterday(self) -> None:
        """Clear the values of today when the service's day has ended."""
        if self.read_on is None or self._is_today(self.read_on):
            return
        self.read_on = None
        for id_, resource in self.data.items():
            if (left := without_today(resource)) is not resource:
                self.data[id_] = left
                self._changed.add(id_)
        self.async_update_listeners()

    # Reads on request

    async def async_current(self) -> Mapping[str, Resource]:
        """Return the resources, read again if they are older than two intervals.

        Raises HomeAssistantError while the service does not respond.
        """
        if self._is_older_than(2 * self.feed.interval):
            await self.async_refresh()
        if not (self.available and self.has_answered) and self.last_exception is not None:
            raise self.last_exception
        return self.data

    async def async_read_back(self, resource_id: str) -> None:
        """Read the result of a command: poll, but only probe one resource."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            # The HTTP session is about to be closed, and the entities are being removed.
            return
        if self._probes is not None:
            self._probes.probe_again(resource_id)
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
            # Other exceptions were already logged by the base class.
            raise cause if isinstance(cause, TunnelHubError) else UnavailableError(Reason.MALFORMED)

    async def async_probe(self, resource_id: str) -> None:
        """Probe one resource; raises the errors of api/. Without a probe, request a poll."""
        if self._probes is None:
            await self.async_request_refresh()
        else:
            await self._probes.read(resource_id)

    @property
    def _always_read(self) -> set[str]:
        """The ids of listed resources that are probed in any case."""
        return self.data.keys() & self.subscriptions.always_read

    @callback
    def _start_probing_soon(self) -> None:
        if not self._probe_soon:
            self._probe_soon = True
            self.hass.loop.call_soon(self._start_probing)

    @callback
    def _start_probing(self) -> None:
        self._probe_soon = False
        if self._probes is not None:
            watched = self.subscriptions.watched(self._probes.fields)
            self._probes.start(self.data.keys(), watched, self._always_read)


@callback
def async_follow_clock(
    hass: HomeAssistant, entry: TunnelHubConfigEntry, coordinators: Collection[FeedCoordinator]
) -> None:
    """Handle the service's midnight and the end of sleep.

    coordinators: those of one provider.
    """
    provider = next(iter(coordinators)).provider

    @callback
    def _look(now: datetime) -> datetime:
        zone = provider.time_zone or UTC
        for coordinator in coordinators:
            coordinator.async_clear_yesterday()
            coordinator.async_poll_after_sleep()
        return days.start_of(days.day_of(now, zone) + timedelta(days=1), zone)

    timer = WallClockTimer(hass, _look)
    timer.async_call()
    entry.async_on_unload(timer.async_stop)


def too_many_resources(coordinators: Collection[FeedCoordinator]) -> Iterator[Issue]:
    """Yield an issue if feeds list more resources than are shown."""
    # Feeds of parts have as many resources as the feed that owns them.
    full = [c for c in coordinators if c.listed > MAX_RESOURCES and c.owner is None]
    lists = ", ".join(f"{c.feed.key}: {c.listed}" for c in full)
    if lists:
        yield Issue(
            key="too_many_things", placeholders={"lists": lists, "maximum": str(MAX_RESOURCES)}
        )
