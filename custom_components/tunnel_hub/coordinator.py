"""A feed, polled: its pace, its errors and, above all, what has changed.

Comparing an answer with the one before gives the ids that came, changed and went. Entities
are told only of their own resource, so a poll costs what it changed.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .api.errors import AuthenticationError, TunnelHubError
from .api.feed import Feed
from .api.pace import Rate, in_turns
from .api.provider import Provider
from .api.resource import Resource
from .exceptions import poll_errors
from .problems import Problems

if TYPE_CHECKING:
    from .force_down import ForceDown
    from .sign_in import SignIn

_LOGGER = logging.getLogger(__name__)

PATIENCE = 3
"""Polls that may fail in a row before the last good values no longer count."""

_READ_BACK_PAUSE = 1.0
"""Seconds in which several commands share one reading."""

_PROBES_AT_ONCE = 10
"""As many tunnels as most homes have need not wait for each other."""


@dataclass(slots=True, kw_only=True)
class TunnelHubData:
    """What a loaded entry holds."""

    provider: Provider
    coordinators: Mapping[str, FeedCoordinator]
    problems: Problems
    force_down: ForceDown | None
    sign_in: SignIn | None


type TunnelHubConfigEntry = ConfigEntry[TunnelHubData]


class Interest(NamedTuple):
    """What a listener wants to hear of: one field of one resource.

    insists: a probe's reading is wanted even where it hardly seems worth a request.
    """

    resource_id: str
    field: str
    insists: bool = False


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
    """

    config_entry: TunnelHubConfigEntry

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        provider: Provider,
        feed: Feed[Resource],
        problems: Problems,
    ) -> None:
        """Prepare; nothing is fetched yet."""
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
        self._problems = problems
        self.available = True
        self._failures = 0
        self._changed: set[str] = set()
        self._tell_all = False
        self._known: set[str] = set()
        self._absent: set[str] = set()
        self._by_resource: dict[str, list[_Listener]] = {}
        self._on_added: list[Callable[[str], None]] = []
        self._on_changed: list[Callable[[str], None]] = []
        self._on_gone: list[Callable[[str], None]] = []
        self._announced: set[str] = set()
        self._watched: Counter[str] = Counter()
        self._insisted: Counter[str] = Counter()
        self._asked: set[str] = set()
        self._probing: set[str] = set()
        self._to_probe: deque[str] = deque()
        self._probers = 0
        self._probe_soon = False
        self._reading_back = False
        self._stand_in: CALLBACK_TYPE | None = None
        if feed.probe is not None:
            self._probe_rate = Rate(feed.probe.rate, at_once=_PROBES_AT_ONCE)

    # Life

    async def async_start(self, known: Iterable[str]) -> None:
        """Read for the first time.

        known: ids that Home Assistant remembers; what is no longer there is forgotten.
        A feed whose entities are all disabled is left alone. Only an essential feed must
        succeed; another one that fails is asked again at its own pace.
        """
        self._known.update(known)
        if self.feed.essential:
            await self.async_config_entry_first_refresh()
        elif self._is_wanted():
            await self.async_refresh()

    def _is_wanted(self) -> bool:
        """Tell whether an entity of this feed is enabled, or none was ever made."""
        prefix = f"{self.config_entry.entry_id}:{self.feed.resource.kind}:"
        entries = [
            entry
            for entry in er.async_entries_for_config_entry(
                er.async_get(self.hass), self.config_entry.entry_id
            )
            if entry.unique_id.startswith(prefix)
        ]
        return not entries or any(entry.disabled_by is None for entry in entries)

    @callback
    def _poll_if_wanted(self) -> None:
        """Poll while somebody is interested, and while there is nothing yet to interest anybody.

        To the base class, all who are interested are one listener.
        """
        wanted = bool(self._by_resource) or not self.data
        if wanted and self._stand_in is None:
            self._stand_in = super().async_add_listener(lambda: None)
        elif not wanted and self._stand_in is not None:
            self._stand_in()
            self._stand_in = None

    # Polling

    @override
    async def _async_update_data(self) -> dict[str, Resource]:
        with poll_errors():
            fresh = dict(await self.feed.fetch())
        before = self.data
        # Most are the same objects: the feed builds only what has changed.
        self._changed = {
            id_
            for id_, resource in fresh.items()
            if (old := before.get(id_)) is not resource and old != resource
        } | (before.keys() - fresh.keys())
        return fresh

    @callback
    @override
    def _async_refresh_finished(self) -> None:
        """Count failures, and tell everybody when the data begin or cease to count."""
        self._failures = 0 if self.last_update_success else self._failures + 1
        refused = isinstance(self.last_exception, ConfigEntryAuthFailed)
        available = self.last_update_success or (self._failures < PATIENCE and not refused)
        self._tell_all = available != self.available
        self.available = available
        reading_back, self._reading_back = self._reading_back, False
        if self.last_update_success:
            self._find_added_and_gone()
            if not reading_back:
                self._asked &= self._probing
            self._start_probing()
        elif self._tell_all:
            # The base class tells nobody of a second failure in a row.
            self.async_update_listeners()
        self._poll_if_wanted()
        self._problems.sync()

    @callback
    @override
    def async_update_listeners(self) -> None:
        """Tell those who are interested in what has changed, or everybody."""
        changed, self._changed = self._changed, set[str]()
        if self._tell_all:
            self._tell_all = False
            changed |= self._by_resource.keys()
        super().async_update_listeners()
        self._each(changed, self._tell)

    @callback
    def _tell(self, resource_id: str) -> None:
        _call_all(self._on_changed, resource_id)
        for listener in list(self._by_resource.get(resource_id, ())):
            listener.tell()

    @callback
    def _each(self, ids: Collection[str], do: Callable[[str], None]) -> None:
        """Do something for each resource: a few now, many in turns with the rest of the house."""
        if ids:
            self.config_entry.async_create_task(
                self.hass, in_turns(ids, do), f"{self.name} news", eager_start=True
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
            (self._insisted if context.insists else self._watched)[context.resource_id] += 1
            if not self._probe_soon:
                self._probe_soon = True
                self.hass.loop.call_soon(self._start_probing)
        return listener

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
            (self._insisted if interest.insists else self._watched)[interest.resource_id] -= 1
        self._poll_if_wanted()

    @callback
    def async_publish(self, resource: Resource) -> None:
        """Take in one resource that was read, or changed by us, between two polls."""
        if self.data.get(resource.id) in (None, resource):
            return
        self.data[resource.id] = resource
        self._changed.add(resource.id)
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
    def _find_added_and_gone(self) -> None:
        """Compare with what was known; gone is what two answers in a row do not have."""
        present = self.data.keys()
        if present == self._known == self._announced:
            self._absent = set()
            return
        absent = self._known - present
        gone = absent & self._absent
        added = present - self._announced
        self._absent = absent - gone
        self._known = (self._known | present) - gone
        self._announced = (self._announced | present) - gone
        self._each(added, partial(_call_all, list(self._on_added)))
        self._each(gone, partial(_call_all, list(self._on_gone)))

    # Readings that are made one by one

    @callback
    def _start_probing(self) -> None:
        """Ask, in the background, for what somebody listens to and was not asked since the poll."""
        self._probe_soon = False
        if (probe := self.feed.probe) is None:
            return
        watched = {id_ for id_ in probe.candidates() if self._watched[id_]}
        ids = (watched | (+self._insisted).keys()) - self._asked
        self._asked |= ids
        self._probing |= ids
        self._to_probe.extend(ids)
        for _ in range(min(len(self._to_probe), probe.concurrency - self._probers)):
            self._probers += 1
            self.config_entry.async_create_background_task(
                self.hass, self._probe_in_turn(), f"{self.name} probe"
            )

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

    async def async_read_back(self, resource_id: str) -> None:
        """See what became of a command: poll, but probe only the one resource again."""
        self._asked.discard(resource_id)
        self._reading_back = True
        await self.async_request_refresh()

    async def async_probe(self, resource_id: str) -> None:
        """Read one resource now; raises the api's errors. Without a probe, poll soon."""
        if self.feed.probe is None:
            await self.async_request_refresh()
        else:
            self.async_publish(await self.feed.probe.read(resource_id))


def _call_all(listeners: Iterable[Callable[[str], None]], resource_id: str) -> None:
    for listener in listeners:
        listener(resource_id)
