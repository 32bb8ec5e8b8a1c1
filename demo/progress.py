"""Prints progress, waits for conditions, and defines the demo's error."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import monotonic

_PAUSE = 0.2
"""Seconds between two tries."""


class DemoError(Exception):
    """Something is not as expected; the message says what."""


class Step:
    """A running step.

    result: the message when it is done.
    """

    result = "done"


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Prints a step, its result and its duration in seconds."""
    print(f"demo: {name:<24} ", end="", flush=True)
    started = monotonic()
    current = Step()
    outcome = "failed"
    try:
        yield current
        outcome = current.result
    except asyncio.CancelledError:
        outcome = "interrupted"
        raise
    finally:
        print(f"{outcome} ({monotonic() - started:.1f} s)", flush=True)


async def until(no_complaint: Callable[[], Awaitable[str]], seconds: float) -> None:
    """Repeats until there is no complaint; raises DemoError with the last one."""
    deadline = monotonic() + seconds
    while complaint := await no_complaint():
        if monotonic() > deadline:
            raise DemoError(f"{complaint}, even after {seconds:.0f} s")
        await asyncio.sleep(_PAUSE)
