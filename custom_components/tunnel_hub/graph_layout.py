"""Follows the layout of the mesh graph in a node's console, in one connection while it is shown."""

from asyncio import Task, sleep
from collections.abc import Callable, Mapping
from contextlib import aclosing
import logging

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .api.capabilities.mesh import MeshNode
from .api.errors import TunnelHubError, UnsupportedError
from .api.models.mesh import Position
from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

_PAUSES = (5.0, 30.0, 120.0, 300.0)
"""Seconds before the next connection, longer after each failure."""

type Listener = Callable[[Mapping[str, Position]], None]


class LayoutFollower:
    """Calls listeners when the layout changes."""

    def __init__(self, hass: HomeAssistant, node: MeshNode) -> None:
        self._hass = hass
        self._node = node
        self._listeners: dict[object, Listener] = {}
        self._last: Mapping[str, Position] | None = None
        self._task: Task[None] | None = None

    @callback
    def async_follow(self, listener: Listener) -> CALLBACK_TYPE:
        """Call a listener with the current layout and each change; return what unsubscribes it."""
        key = object()
        self._listeners[key] = listener
        if self._task is None:
            # It runs until the last listener unsubscribes, and Home Assistant's start need not wait
            # for it.
            self._task = self._hass.loop.create_task(self._follow(), name=f"{DOMAIN} layout")
        elif self._last is not None:
            listener(self._last)

        @callback
        def _end() -> None:
            self._listeners.pop(key, None)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task, self._last = None, None

        return _end

    async def _follow(self) -> None:
        failures = 0
        while True:
            try:
                async with aclosing(self._node.follow_layout()) as layouts:
                    async for layout in layouts:
                        failures, self._last = 0, layout
                        for listener in list(self._listeners.values()):
                            listener(layout)
            except UnsupportedError:
                return
            except TunnelHubError as err:
                _LOGGER.debug("Layout not followed: %s", err)
            await sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1
