"""What a piece of work costs a process: time, CPU, memory, and how long the loop stands still."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
import gc
import json
from pathlib import Path
import selectors
from statistics import median
import sys
import time
import tracemalloc
from typing import Any, override

import orjson

_PROCESS = Path("/proc/self")
_PARSES = 5
"""How often the same bytes are parsed again to know what that costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One phase, measured once.

    wall, cpu: seconds; cpu is that of all threads of the process.
    own: seconds of CPU since the bytes of each answer had arrived.
    parse: seconds of CPU that orjson.loads alone needs for the same bytes.
    stall: the longest turn of the event loop, in seconds of its thread's CPU.
    memory: bytes kept afterwards that were not held before.
    requests: how many were sent; size: bytes of their answers.
    written: states written; entities: how many there are afterwards.
    """

    phase: str
    wall: float
    cpu: float
    own: float
    parse: float
    stall: float
    memory: int
    requests: int
    size: int
    written: int
    entities: int


class StallSelector(selectors.DefaultSelector):
    """What the event loop waits with; measures how long the loop does not come back to it.

    In that time it runs what is ready and hears of nothing new. It is measured as CPU, or other
    programs' turns would count too. Costs next to nothing, unlike a task that looks at the clock
    all the time.
    """

    longest = 0.0
    _left = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as ever."""
        self.longest = self.read()
        try:
            return super().select(timeout)
        finally:
            self._left = time.thread_time()

    def restart(self) -> None:
        """Forget the stalls so far, and count this turn from here."""
        self.longest = 0.0
        self._left = time.thread_time()

    def read(self) -> float:
        """Return the longest stall, including the current iteration."""
        return max(self.longest, time.thread_time() - self._left)


class Meter:
    """Measures phases.

    written, requests: increased by the observers.
    entities: returns their number.
    """

    def __init__(self, stalls: StallSelector) -> None:
        """Take the selector of the loop that is measured."""
        self.written = 0
        self.requests = 0
        self.entities: Callable[[], int] = lambda: 0
        self.samples: list[Sample] = []
        self._stalls = stalls
        self._bodies: list[bytes] = []
        self._own = 0.0
        self._arrived: float | None = None

    def arrived(self, body: bytes) -> None:
        """Note that an answer is complete: what follows is done with it."""
        self._bodies.append(body)
        self._arrived = time.process_time()

    def done(self) -> None:
        """Note that the work with the last answer is done."""
        if self._arrived is not None:
            self._own += time.process_time() - self._arrived
            self._arrived = None

    @contextmanager
    def phase(self, name: str, *, writes: int = 0, requests: int = 1) -> Iterator[None]:
        """Measure what happens in this context; nothing else may run.

        writes, requests: how many there must be at least, or it was not what it should be.
        """
        # The garbage of an earlier phase does not count.
        gc.collect()
        written, sent = self.written, self.requests
        self._bodies.clear()
        self._own, self._arrived = 0.0, None
        memory = _held()
        self._stalls.restart()
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        stall = self._stalls.read()
        self.done()
        gc.collect()
        sample = Sample(
            phase=name,
            wall=wall,
            cpu=cpu,
            own=self._own,
            parse=_parse(self._bodies),
            stall=stall,
            memory=_held() - memory,
            requests=self.requests - sent,
            size=sum(map(len, self._bodies)),
            written=self.written - written,
            entities=self.entities(),
        )
        if sample.written < writes or sample.requests < requests:
            raise RuntimeError(f"Not {writes} states and {requests} requests: {sample}")
        self.samples.append(sample)


def _parse(bodies: list[bytes]) -> float:
    """Seconds of CPU for parsing, the median of several times."""
    documents = [body for body in bodies if body[:1] in (b"{", b"[")]

    def _once() -> float:
        began = time.process_time()
        for document in documents:
            orjson.loads(document)
        return time.process_time() - began

    return median(_once() for _ in range(_PARSES))


def _held() -> int:
    """Bytes: exactly what Python holds where that is traced, else what the process has."""
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[0]
    for line in (_PROCESS / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError


def run(case: Callable[[Meter, Mapping[str, Any]], Awaitable[None]]) -> None:
    """Run a case in this process: its order comes in as JSON, the samples go out as JSON.

    order: "traced" for exact memory, which makes everything slower.
    """
    order = json.load(sys.stdin)
    if order["traced"]:
        tracemalloc.start()
    stalls = StallSelector()
    meter = Meter(stalls)

    async def _run() -> None:
        await case(meter, order)

    asyncio.run(_run(), loop_factory=lambda: asyncio.SelectorEventLoop(stalls))
    json.dump([asdict(sample) for sample in meter.samples], sys.stdout)
