"""Notifies listeners of resources that change, appear or disappear in a feed."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .api.time_slices import in_time_slices

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

type ResourceListener = Callable[[str], None]
"""Is called with the id of a resource."""


class Subscription(NamedTuple):
    """Selects what a listener is called for: one field of one resource.

    always: read the field even if the resource is disabled and nothing needs fresh values.
    """

    resource_id: str
    field: str
    always: bool = False


@dataclass(slots=True, eq=False)
class _Listener:
    """Is called for one resource; calling this object removes it again.

    Each enabled entity has one, so it holds little.
    """

    notify: CALLBACK_TYPE
    subscription: Subscription
    remove: Callable[[Self], None]

    def __call__(self) -> None:
        self.remove(self)


class Subscriptions:
    """The listeners of one feed.

    on_empty: called when the last listener was removed.
    on_added: called for new resources.
    on_changed: called for resources that changed, appeared or disappeared.
    on_gone: called for resources that were removed.
    on_fields: called for each resource when the service adds or removes a field.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: TunnelHubConfigEntry,
        name: str,
        *,
        on_empty: CALLBACK_TYPE,
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._name = name
        self._on_empty = on_empty
        self._by_resource: dict[str, list[_Listener]] = {}
        self._others: list[CALLBACK_TYPE] = []
        self._always = Counter[str]()
        self._in_order: deque[tuple[Collection[str], ResourceListener]] = deque()
        self._is_notifying_in_order = False
        self._is_closed = False
        self.on_added: list[ResourceListener] = []
        self.on_changed: list[ResourceListener] = []
        self.on_gone: list[ResourceListener] = []
        self.on_fields: list[ResourceListener] = []

    @property
    def has_listeners(self) -> bool:
        """Whether there is any listener."""
        return bool(self._by_resource or self._others)

    @property
    def interests(self) -> int:
        """The number of listeners of resources."""
        return sum(map(len, self._by_resource.values()))

    @property
    def always_read(self) -> Collection[str]:
        """The ids of resources that are read in any case."""
        return (+self._always).keys()

    def watched(self, fields: Collection[str]) -> set[str]:
        """Return the ids of resources with a listener for one of these fields."""
        return {
            resource_id
            for resource_id, listeners in self._by_resource.items()
            if any(listener.subscription.field in fields for listener in listeners)
        }

    @callback
    def add(self, listener: CALLBACK_TYPE, subscription: Subscription | None) -> CALLBACK_TYPE:
        """Add a listener for one resource, or for every poll; return what removes it."""
        if subscription is None:
            self._others.append(listener)
            return partial(self._remove_other, listener)
        added = _Listener(listener, subscription, self._remove)
        self._by_resource.setdefault(subscription.resource_id, []).append(added)
        if subscription.always:
            self._always[subscription.resource_id] += 1
        return added

    @callback
    def _remove(self, listener: _Listener) -> None:
        resource_id = listener.subscription.resource_id
        self._by_resource[resource_id].remove(listener)
        if not self._by_resource[resource_id]:
            del self._by_resource[resource_id]
        if listener.subscription.always:
            self._always[resource_id] -= 1
        self._tell_if_empty()

    @callback
    def _remove_other(self, listener: CALLBACK_TYPE) -> None:
        self._others.remove(listener)
        self._tell_if_empty()

    @callback
    def _tell_if_empty(self) -> None:
        if not self.has_listeners:
            self._on_empty()

    @callback
    def close(self) -> None:
        """Call no listener any more."""
        self._is_closed = True

    # Notifying: few listeners immediately, many in time slices

    @callback
    def notify_changed(self, ids: Collection[str], *, everyone: bool) -> None:
        """Notify the listeners of changed resources, or all listeners."""
        self._notify(self._others)
        if ids := {*ids, *self._by_resource} if everyone else ids:
            self._run(in_time_slices(ids, self._notify_resource), "changes")

    @callback
    def _notify_resource(self, resource_id: str) -> None:
        self._notify(self.on_changed, resource_id)
        self._notify(listener.notify for listener in self._by_resource.get(resource_id, ()))

    @callback
    def notify_in_order(self, ids: Collection[str], listeners: Iterable[ResourceListener]) -> None:
        """Notify listeners for each resource, after all earlier notifications."""
        if not ids:
            return
        self._in_order.append((ids, partial(self._notify, tuple(listeners))))
        if not self._is_notifying_in_order:
            self._is_notifying_in_order = True
            self._run(self._notify_in_order(), "news")

    async def _notify_in_order(self) -> None:
        try:
            while self._in_order:
                await in_time_slices(*self._in_order.popleft())
        finally:
            self._is_notifying_in_order = False

    @callback
    def notify_gone(self, resource_id: str) -> None:
        """Notify listeners immediately that a resource was removed."""
        self._notify(self.on_gone, resource_id)

    @callback
    def _notify(self, listeners: Iterable[Callable[..., None]], *ids: str) -> None:
        """Call listeners, which can remove themselves; the errors of one do not affect others."""
        for listener in tuple(listeners):
            if self._is_closed:
                return
            try:
                listener(*ids)
            except Exception:
                _LOGGER.exception("Unexpected error in a listener of %s", self._name)

    @callback
    def _run(self, work: Coroutine[Any, Any, None], what: str) -> None:
        self._entry.async_create_task(self._hass, work, f"{self._name} {what}", eager_start=True)
