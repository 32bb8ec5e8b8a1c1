"""Writes the states of measurements less often while no browser or app is connected.

Each change of a state adds a row to the recorder.
"""

from homeassistant.core import callback

from .api.age import Stamp
from .browsers_and_automations import DataConsumers
from .ids import EntityKey

_MAX_DELAY = 1800.0
"""Seconds after which measurements are written in any case, for their statistics."""


class StateWriteThrottle:
    """Decides when the measurements of one feed are written.

    While a browser or an app is connected, each new value is written immediately, otherwise every
    half hour. Values that an automation uses are always written immediately.
    """

    def __init__(self, consumers: DataConsumers, kind: str) -> None:
        self._consumers = consumers
        self._kind = kind
        self._publishes = True
        self._published_at: Stamp | None = None
        self._deferred: set[str] = set()

    @callback
    def decide(self, *, write_now: bool) -> set[str]:
        """Decide for a poll whether to defer; return the ids with deferred values to write now.

        write_now: whether to write in any case.
        """
        self._publishes = (
            write_now
            or self._consumers.is_anyone_connected
            or self._published_at is None
            or self._published_at.age >= _MAX_DELAY
        )
        return self.publish() if self._publishes else set()

    @callback
    def publish(self) -> set[str]:
        """Stop deferring; return the ids of resources with deferred values."""
        self._publishes, self._published_at = True, Stamp.now()
        deferred, self._deferred = self._deferred, set()
        return deferred

    @callback
    def defers(self, resource_id: str, field: str) -> bool:
        """Return whether to write a new value of a measurement later."""
        key = EntityKey(self._kind, resource_id, field)
        if self._publishes or key in self._consumers.used_by_automations():
            return False
        self._deferred.add(resource_id)
        return True
