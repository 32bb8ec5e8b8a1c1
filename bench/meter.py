"""What a piece of work costs a process: time, CPU, memory, and how long the loop stands still."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
import gc
import json
from pathlib import Path
import selectors
import sys
import time
from typing import Any, override

_PROCESS = Path("/proc/self")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One phase, measured once.

    began, ended: seconds since 1970, to tell whose requests are whose.
    wall, cpu: seconds; cpu is that of all threads of the process.
    memory: the peak, in bytes above what the process held at the beginning.
    stall: the longest turn of the event loop, in seconds.
    written: states written; size: bytes received. Each 0 in a case that does not count it.
    """

    phase: str
    began: float
    ended: float
    wall: float
    cpu: float
    memory: int
    stall: float
    written: int
    size: int


class StallSelector(selectors.DefaultSelector):
    """What the event loop waits with; measures how long the loop does not come back to it.

    In that time it runs what is ready and hears of nothing new. Costs no CPU worth naming,
    unlike a task that looks at the clock all the time.
    """

    longest = 0.0
    _left = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as ever."""
        self.longest = max(self.longest, time.perf_counter() - self._left)
        try:
            return super().select(timeout)
        finally:
            self._left = time.perf_counter()

    def restart(self) -> None:
        """Forget the stalls so far, and count this turn from here."""
        self.longest = 0.0
        self._left = time.perf_counter()

    def read(self) -> float:
        """Return the longest stall, the turn under way included."""
        return max(self.longest, time.perf_counter() - self._left)


class Meter:
    """Measures phases. written, size: to be counted up by the case."""

    def __init__(self, stalls: StallSelector) -> None:
        """Take the selector of the loop that is measured."""
        self.written = 0
        self.size = 0
        self.samples: list[Sample] = []
        self._stalls = stalls

    @contextmanager
    def phase(self, name: str, *, writes: int = 0) -> Iterator[None]:
        """Measure what happens in this context; nothing else may be under way.

        writes: how many states must be written at least, or it was not what it should be.
        """
        # Nobody pays for an earlier phase's garbage.
        gc.collect()
        written, size = self.written, self.size
        # Linux forgets the peak so far.
        (_PROCESS / "clear_refs").write_text("5")
        memory, began = _kilobytes("VmRSS"), time.time()
        self._stalls.restart()
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if self.written - written < writes:
            raise RuntimeError(f"{name}: {self.written - written} states written, not {writes}")
        self.samples.append(
            Sample(
                phase=name,
                began=began,
                ended=time.time(),
                wall=wall,
                cpu=cpu,
                memory=max(0, _kilobytes("VmHWM") - memory) * 1024,
                stall=self._stalls.read(),
                written=self.written - written,
                size=self.size - size,
            )
        )


def _kilobytes(name: str) -> int:
    """Read a figure about this process."""
    for line in (_PROCESS / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(name)


def run(case: Callable[[Meter, Mapping[str, Any]], Awaitable[None]]) -> None:
    """Run a case in this process: its order comes in as JSON, the samples go out as JSON."""
    stalls = StallSelector()
    meter = Meter(stalls)

    async def _run() -> None:
        await case(meter, json.load(sys.stdin))

    asyncio.run(_run(), loop_factory=lambda: asyncio.SelectorEventLoop(stalls))
    json.dump([asdict(sample) for sample in meter.samples], sys.stdout)
