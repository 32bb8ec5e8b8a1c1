"""When measurements are published: they change with every reading, and each change is a row."""

from homeassistant.core import callback

from .api.age import Stamp
from .demand import Demand
from .ids import EntityKey

_EVERY = 1800.0
"""Seconds after which measurements are published although nobody looks, for their statistics."""


class DeferredMeasurements:
    """The measurements of one feed.

    A new value is published with the reading while someone looks, otherwise every half hour.
    What an automation uses is always published.
    """

    def __init__(self, demand: Demand, kind: str) -> None:
        """Publish. kind: of the feed's resources."""
        self._demand = demand
        self._kind = kind
        self._publishes = True
        self._published_at: Stamp | None = None
        self._deferred: set[str] = set()

    @callback
    def decide(self, *, at_once: bool) -> set[str]:
        """Decide for a reading; return the ids of resources with values that were deferred.

        at_once: whether to publish in any case.
        """
        self._publishes = (
            at_once
            or self._demand.is_looked_at
            or self._published_at is None
            or self._published_at.age >= _EVERY
        )
        return self.publish() if self._publishes else set()

    @callback
    def publish(self) -> set[str]:
        """Defer nothing more; return the ids of resources with values that were deferred."""
        self._publishes, self._published_at = True, Stamp.now()
        deferred, self._deferred = self._deferred, set()
        return deferred

    @callback
    def defers(self, resource_id: str, field: str) -> bool:
        """Tell whether a measurement's new value is to be published later."""
        key = EntityKey(self._kind, resource_id, field)
        if self._publishes or key in self._demand.used_by_automations():
            return False
        self._deferred.add(resource_id)
        return True
