"""The command line: ``scripts/demo --help``."""

import argparse
import asyncio
from collections.abc import Coroutine
import signal
import sys

from .check import check
from .hass import PASSWORD, USER
from .providers import PROVIDERS
from .stage import DOMAIN, FAILURES, Stage, stage


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Runs a real Home Assistant with accounts at simulated services, on loopback.",
    )
    parser.add_argument(
        "--check", action="store_true", help="try things without a person, and tell if they work"
    )
    return parser.parse_args(arguments)


def welcome(running: Stage) -> None:
    """Tell a person where to go."""
    print(f"\n  {running.hass.url}/config/integrations/integration/{DOMAIN}")
    print(
        f"\n  user      {USER}\n  password  {PASSWORD}\n\nSimulated services, for more accounts:\n"
    )
    for name, facts in running.services.items():
        print(f"  {name}: {', '.join(facts.values())}")
    print("\nCtrl-C stops it all and leaves nothing behind.", flush=True)


async def demo(*, checking: bool) -> int:
    """Show or check; return the exit code."""
    try:
        async with stage(PROVIDERS) as running:
            if checking:
                await check(running)
            else:
                welcome(running)
                await running.serve()
    except FAILURES as err:
        print("\n\n".join((f"\ndemo: {err or type(err).__name__}", *getattr(err, "__notes__", ()))))
        return 1
    print("demo: all is well")
    return 0


async def interruptible(work: Coroutine[None, None, int]) -> int:
    """Let signals end the work; it then stops what it has started."""
    task = asyncio.create_task(work)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        print("\ndemo: stopped")
        return 130


if __name__ == "__main__":
    options = parse(sys.argv[1:])
    sys.exit(asyncio.run(interruptible(demo(checking=options.check))))
