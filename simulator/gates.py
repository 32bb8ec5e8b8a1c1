"""Gates hold matching calls until a test releases them."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

type Moment = Literal["before", "after"]
"""Before the service handles a call, or before it sends the response."""


@dataclass(slots=True, eq=False)
class Gate:
    """Holds the matching calls to `route` until they are released.

    `route`, `match`, `times` and `after` are as in `Fault`.
    """

    route: str
    moment: Moment
    match: Mapping[str, object] = field(default_factory=dict)
    times: int | None = None
    after: int = 0
    _stopped: deque[asyncio.Event] = field(default_factory=deque)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def waiting(self) -> int:
        """The number of calls that wait."""
        return len(self._stopped)

    async def reached(self, calls: int = 1) -> None:
        """Wait until this number of calls are waiting."""
        while self.waiting < calls:
            self._arrived.clear()
            await self._arrived.wait()

    def let_through(self, calls: int = 1) -> None:
        """Release this number of waiting calls, the oldest first."""
        for _ in range(calls):
            self._stopped.popleft().set()

    def open(self) -> None:
        """Release all waiting calls, and hold no more."""
        self.times = 0
        self.let_through(self.waiting)

    async def stop(self) -> None:
        """Hold a call, unless `times` calls were held."""
        if self.times == 0:
            return
        if self.after:
            self.after -= 1
            return
        if self.times is not None:
            self.times -= 1
        through = asyncio.Event()
        self._stopped.append(through)
        self._arrived.set()
        try:
            await through.wait()
        finally:
            # The client may have disconnected in the meantime.
            if through in self._stopped:
                self._stopped.remove(through)
