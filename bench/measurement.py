"""Measures time, CPU, memory and stalls of the event loop."""

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
"""How often the same bytes are parsed again to measure parsing alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One phase, measured once.

    wall, cpu: seconds; cpu is that of all threads of the process.
    own: seconds of CPU since the bytes of each answer had arrived.
    parse: seconds of CPU that orjson.loads alone needs for the same bytes.
    stall: the longest iteration of the event loop, in seconds of its thread's CPU.
    memory: additional bytes afterwards.
    requests: number of requests; size: bytes of their answers.
    written: number of written states; entities: number of entities afterwards.
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
    """The event loop's selector; measures the time between its calls.

    In that time, the loop runs callbacks and receives no events. It is measured as CPU time, so
    that other processes don't count. The overhead is negligible, unlike that of a polling task.
    """

    longest = 0.0
    _left = 0.0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Waits for events."""
        self.longest = self.read()
        try:
            return super().select(timeout)
        finally:
            self._left = time.thread_time()

    def restart(self) -> None:
        """Clears previous stalls and restarts the current iteration."""
        self.longest = 0.0
        self._left = time.thread_time()

    def read(self) -> float:
        """Returns the longest stall, including the current iteration."""
        return max(self.longest, time.thread_time() - self._left)


class Meter:
    """Measures phases.

    written, requests: counters, increased from outside.
    entities: returns their number.
    """

    def __init__(self, stalls: StallSelector) -> None:
        """Uses the selector of the measured event loop."""
        self.written = 0
        self.requests = 0
        self.entities: Callable[[], int] = lambda: 0
        self.samples: list[Sample] = []
        self._stalls = stalls
        self._bodies: list[bytes] = []
        self._own = 0.0
        self._arrived: float | None = None

    def arrived(self, body: bytes) -> None:
        """Records a complete answer, after which its processing starts."""
        self._bodies.append(body)
        self._arrived = time.process_time()

    def done(self) -> None:
        """Records the end of processing the last answer."""
        if self._arrived is not None:
            self._own += time.process_time() - self._arrived
            self._arrived = None

    @contextmanager
    def phase(self, name: str, *, writes: int = 0, requests: int = 1) -> Iterator[None]:
        """Measures a context; nothing else may run.

        writes, requests: required minimum; otherwise RuntimeError is raised.
        """
        # Exclude garbage of an earlier phase.
        gc.collect()
        written, sent = self.written, self.requests
        self._bodies.clear()
        self._own, self._arrived = 0.0, None
        memory = _memory()
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
            memory=_memory() - memory,
            requests=self.requests - sent,
            size=sum(map(len, self._bodies)),
            written=self.written - written,
            entities=self.entities(),
        )
        if sample.written < writes or sample.requests < requests:
            raise RuntimeError(f"Not {writes} states and {requests} requests: {sample}")
        self.samples.append(sample)


def _parse(bodies: list[bytes]) -> float:
    """Returns seconds of CPU for parsing, the median of several runs."""
    documents = [body for body in bodies if body[:1] in (b"{", b"[")]

    def _once() -> float:
        began = time.process_time()
        for document in documents:
            orjson.loads(document)
        return time.process_time() - began

    return median(_once() for _ in range(_PARSES))


def _memory() -> int:
    """Returns allocated bytes if tracing is on, else the memory of the process."""
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[0]
    for line in (_PROCESS / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError


def run(case: Callable[[Meter, Mapping[str, Any]], Awaitable[None]]) -> None:
    """Runs a case in this process: reads its order and writes its samples as JSON.

    order: "traced" for exact memory, which is slow.
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
