"""Who hears of what changes, comes and goes in a feed."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from functools import partial
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .api.throttling import in_time_slices

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

_LOGGER = logging.getLogger(__name__)

type ResourceListener = Callable[[str], None]
"""Is told the id of a resource."""


class Subscription(NamedTuple):
    """What a listener wants to hear of: one field of one resource.

    always: read it although nobody looks, and whatever else is known of the resource.
    """

    resource_id: str
    field: str
    always: bool = False


class Subscriptions:
    """The listeners of one feed.

    on_added: hear of new resources. on_changed: of those that have changed, come or gone.
    on_gone: of those that are gone for good. on_fields: of each known resource when the service
    begins or ceases to tell a field.
    """

    def __init__(self, hass: HomeAssistant, entry: TunnelHubConfigEntry, name: str) -> None:
        """Begin without listeners. name: the feed's, for tasks and the log."""
        self._hass = hass
        self._entry = entry
        self._name = name
        self._by_resource: dict[str, dict[int, tuple[CALLBACK_TYPE, Subscription]]] = {}
        self._others: dict[int, CALLBACK_TYPE] = {}
        self._always = Counter[str]()
        self._last_key = 0
        self._in_order: deque[tuple[Collection[str], ResourceListener]] = deque()
        self._is_telling_in_order = False
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
        """Return the number of listeners of a resource."""
        return sum(map(len, self._by_resource.values()))

    @property
    def always_read(self) -> Collection[str]:
        """The ids of what must be read in any case."""
        return (+self._always).keys()

    def watched(self, fields: Collection[str]) -> set[str]:
        """Return the ids of resources of which someone listens to one of these fields."""
        return {
            resource_id
            for resource_id, listeners in self._by_resource.items()
            if any(subscription.field in fields for _, subscription in listeners.values())
        }

    @callback
    def add(self, listener: CALLBACK_TYPE, subscription: Subscription | None) -> CALLBACK_TYPE:
        """Listen to a resource, or to every change without one; return what ends it."""
        key = self._last_key = self._last_key + 1
        if subscription is None:
            self._others[key] = listener
            return partial(self._others.__delitem__, key)
        self._by_resource.setdefault(subscription.resource_id, {})[key] = listener, subscription
        self._always[subscription.resource_id] += subscription.always
        return partial(self._remove, key, subscription)

    @callback
    def _remove(self, key: int, subscription: Subscription) -> None:
        listeners = self._by_resource[subscription.resource_id]
        del listeners[key]
        if not listeners:
            del self._by_resource[subscription.resource_id]
        self._always[subscription.resource_id] -= subscription.always

    @callback
    def close(self) -> None:
        """Remove all listeners."""
        self._is_closed = True

    # Telling: a few at once, many in time slices with the rest of the house

    @callback
    def tell_changed(self, ids: Collection[str], *, everybody: bool) -> None:
        """Tell those who listen to resources that these have changed, or everyone."""
        for listener in list(self._others.values()):
            self._call(listener)
        if ids := {*ids, *self._by_resource} if everybody else ids:
            self._run(in_time_slices(ids, self._tell), "changes")

    @callback
    def _tell(self, resource_id: str) -> None:
        self._tell_all(tuple(self.on_changed), resource_id)
        for listener, _ in list(self._by_resource.get(resource_id, _NOBODY).values()):
            self._call(listener)

    @callback
    def tell_in_order(self, ids: Collection[str], listeners: Iterable[ResourceListener]) -> None:
        """Tell listeners of each resource, once all that was found before is told."""
        if not ids:
            return
        self._in_order.append((ids, partial(self._tell_all, tuple(listeners))))
        if not self._is_telling_in_order:
            self._is_telling_in_order = True
            self._run(self._tell_in_order(), "news")

    async def _tell_in_order(self) -> None:
        try:
            while self._in_order:
                await in_time_slices(*self._in_order.popleft())
        finally:
            self._is_telling_in_order = False

    @callback
    def tell_gone(self, resource_id: str) -> None:
        """Tell at once that a resource is gone for good."""
        self._tell_all(tuple(self.on_gone), resource_id)

    @callback
    def _tell_all(self, listeners: Iterable[ResourceListener], resource_id: str) -> None:
        for listener in listeners:
            self._call(partial(listener, resource_id))

    @callback
    def _call(self, listener: CALLBACK_TYPE) -> None:
        """Tell one listener; what fails there is its own affair."""
        if self._is_closed:
            return
        try:
            listener()
        except Exception:
            _LOGGER.exception("Unexpected error in a listener of %s", self._name)

    @callback
    def _run(self, work: Coroutine[Any, Any, None], what: str) -> None:
        self._entry.async_create_task(self._hass, work, f"{self._name} {what}", eager_start=True)


_NOBODY: Mapping[int, tuple[CALLBACK_TYPE, Subscription]] = {}
