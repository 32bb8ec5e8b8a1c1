"""What the demo tells while it works, what it waits for, and how it fails."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from time import monotonic

_PAUSE = 0.2
"""Seconds between two looks."""


class DemoError(Exception):
    """Something is not as it should be; the text says what, in plain words."""


class Step:
    """A step under way. result: what to tell when it is done."""

    result = "done"


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Tell what is being done, how it went and how many seconds it took."""
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
    """Look again and again until the complaint is empty; raises DemoError with the last one."""
    deadline = monotonic() + seconds
    while complaint := await no_complaint():
        if monotonic() > deadline:
            raise DemoError(f"{complaint}, even after {seconds:.0f} s")
        await asyncio.sleep(_PAUSE)
