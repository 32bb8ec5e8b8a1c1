"""Gates stop calls at a chosen moment, so that a test decides what happens meanwhile."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

type Moment = Literal["before", "after"]
"""Before the service handles a call; or after it has, and before it sends the answer."""


@dataclass(slots=True, eq=False)
class Gate:
    """Stops the calls to `route` that match, until they are let through.

    `route`, `match`, `times` and `after` are as in a fault's order.
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
        """How many calls wait here."""
        return len(self._stopped)

    async def reached(self, calls: int = 1) -> None:
        """Wait until this many calls wait here."""
        while self.waiting < calls:
            self._arrived.clear()
            await self._arrived.wait()

    def let_through(self, calls: int = 1) -> None:
        """Let this many of the calls that wait go on, the oldest first."""
        for _ in range(calls):
            self._stopped.popleft().set()

    def open(self) -> None:
        """Let all that wait go on, and stop nobody any more."""
        self.times = 0
        self.let_through(self.waiting)

    async def stop(self) -> None:
        """Keep a call waiting, unless as many have been stopped as should be."""
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
            # The client may have given up meanwhile.
            if through in self._stopped:
                self._stopped.remove(through)
