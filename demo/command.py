"""Runs the commands: signals, errors and the exit code."""

import asyncio
from collections.abc import Coroutine
import signal

from .stage import FAILURES


def execute(work: Coroutine[None, None, None]) -> int:
    """Runs the work until it ends or a signal stops it; returns the exit code."""
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[None, None, None]) -> int:
    task = asyncio.create_task(work)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        print("\ndemo: stopped")
        return 130
    except FAILURES as err:
        notes: list[str] = getattr(err, "__notes__", [])
        print("\n\n".join((f"\ndemo: {err or type(err).__name__}", *notes)))
        return 1
    return 0
