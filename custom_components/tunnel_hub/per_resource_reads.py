"""Sends probes: requests for a single resource, for values that the list does not contain."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
import logging
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from .api.age import Stamp
from .api.errors import TunnelHubError
from .api.feed import Probe
from .api.models.base import Resource
from .api.rate_limiter import RateLimiter
from .browsers_and_automations import DataConsumers
from .exceptions import reauth_errors

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

AT_ONCE = 10
"""Probes that are sent without delay: as many as most accounts have tunnels."""


class PerResourceReads:
    """Sends the probes of one feed in the background, a few at a time."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        name: str,
        probe: Probe[Resource],
        *,
        consumers: DataConsumers,
        find: Callable[[str], Resource | None],
        publish: Callable[[Resource], None],
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._name = name
        self._probe = probe
        self._consumers = consumers
        self._find = find
        self._publish = publish
        self._rate = RateLimiter(probe.rate, at_once=AT_ONCE)
        self._asked: set[str] = set()
        """Since the last poll."""
        self._under_way: set[str] = set()
        self._waiting: deque[str] = deque()
        self._workers = 0
        self._read_at: dict[str, Stamp] = {}
        self._possibly_changed: set[str] = set()
        """Ids that may have changed, and those that the user requested."""

    @property
    def fields(self) -> frozenset[str]:
        """The fields that the probe reads."""
        return self._probe.fields

    @callback
    def begin_round(self) -> None:
        """Start a new round after a poll, in which each resource can be probed again."""
        self._asked &= self._under_way

    @callback
    def probe_again(self, resource_id: str) -> None:
        """Probe a resource again in this round."""
        self._asked.discard(resource_id)
        self._possibly_changed.add(resource_id)

    async def find_possibly_changed(self) -> None:
        """Read in one request which resources may have changed, if the service supports that."""
        if self._probe.find_changed and not self._consumers.is_anyone_connected:
            with suppress(TunnelHubError):
                self._possibly_changed |= set(await self._probe.find_changed())

    @callback
    def start(
        self, listed: Collection[str], watched: Collection[str], always: Collection[str]
    ) -> None:
        """Probe the resources that need it, unless they were probed in this round.

        listed: ids of all resources.
        watched: ids with a listener for a probed field.
        always: ids that are probed in any case.
        """
        # A resource that is gone, or not worth it now, is probed soon when it is again.
        for id_ in [id_ for id_ in self._read_at if not self._is_worth_it(id_)]:
            del self._read_at[id_]
        due = set(listed) if self._consumers.is_anyone_connected else self._due(listed)
        ids = set(filter(self._is_worth_it, due.intersection(watched))).union(always) - self._asked
        self._asked |= ids
        self._under_way |= ids
        self._waiting.extend(ids)
        for _ in range(min(len(self._waiting), self._probe.concurrency - self._workers)):
            self._workers += 1
            self._entry.async_create_background_task(
                self._hass, self._work(), f"{self._name} probe"
            )

    def _is_worth_it(self, resource_id: str) -> bool:
        resource = self._find(resource_id)
        return resource is not None and self._probe.is_worth_it(resource)

    def _due(self, listed: Collection[str]) -> set[str]:
        """Return the ids to probe while no browser or app is connected."""
        used = {
            key.id for key in self._consumers.used_by_automations() if key.key in self._probe.fields
        }
        longest = self._probe.idle_interval.total_seconds()
        old = {
            id_
            for id_ in listed
            if (read_at := self._read_at.get(id_)) is None or read_at.age >= longest
        }
        return used | old | self._possibly_changed

    async def _work(self) -> None:
        """Probe waiting resources one after the other, in the order of their requests."""
        try:
            while self._waiting:
                id_ = self._waiting.popleft()
                await asyncio.sleep(self._rate.delay())
                try:
                    with reauth_errors(self._hass, self._entry):
                        await self.read(id_)
                except TunnelHubError as err:
                    _LOGGER.debug("%s: %s not read: %s", self._name, id_, err)
                finally:
                    self._under_way.discard(id_)
        finally:
            self._workers -= 1

    async def read(self, resource_id: str) -> None:
        """Probe a resource now; raises the errors of api/."""
        self._read_at[resource_id] = Stamp.now()
        self._possibly_changed.discard(resource_id)
        if (known := self._find(resource_id)) is None:
            return
        read = await self._probe.read(known)
        # A command may have changed other fields in the meantime.
        if (current := self._find(resource_id)) is not None:
            readings = {field: getattr(read, field) for field in self._probe.fields}
            self._publish(replace(current, **readings))
