"""The command line: ``scripts/demo --help``."""

import argparse
from collections.abc import Sequence
import os
from pathlib import Path
import sys

from .check import check
from .command import execute
from .hass import DASHBOARD, LANGUAGES, PASSWORD, USER
from .logins import Answers, in_words, second_logins
from .providers import PROVIDERS
from .stage import DOMAIN, Stage, more_services, stage

_TRY = (
    "Try: force a tunnel down on the dashboard; ask Assist which tunnels are down; "
    "make an automation from a blueprint"
)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Runs a real Home Assistant with accounts at simulated services, on loopback.",
    )
    parser.add_argument(
        "--check", action="store_true", help="try things without a person, and tell if they work"
    )
    parser.add_argument(
        "--archive", type=Path, help="install this release instead of linking the checkout"
    )
    parser.add_argument(
        "--language",
        choices=LANGUAGES,
        default=_own_language(),
        help="of the entities' names and of Assist; by default the one of the terminal",
    )
    return parser.parse_args(arguments)


def _own_language() -> str:
    """Return the language of the terminal, as far as there is a demo in it."""
    variables = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next(filter(None, map(os.environ.get, variables)), "")
    return "zh-Hans" if locale.lower().startswith("zh") else "en"


def welcome(running: Stage, logins: Sequence[Answers]) -> None:
    """Tell a person where to go, and which accounts to add."""
    print(f"\nOpen {running.hass.url}/{DASHBOARD} and sign in as {USER} / {PASSWORD}")
    print(_TRY)
    print(f"The accounts: {running.hass.url}/config/integrations/integration/{DOMAIN}")
    print(f"\nMore accounts, under {running.hass.url}/config/integrations → Add integration:")
    for login in logins:
        title, *fields = in_words(login)
        print(f"\n  Tunnel Hub → {title}", *fields, sep="\n    ")
    print("\nCtrl-C stops it all and leaves nothing behind.", flush=True)


async def demo(*, checking: bool, archive: Path | None, language: str) -> None:
    """Show everything to a person, or check it."""
    async with stage(PROVIDERS, archive, language=language) as running:
        if checking:
            await check(running)
        else:
            async with more_services(running.session) as others:
                await running.expose_traffic()
                port = next(iter(running.addresses.values())).port
                logins = second_logins(running.services, others, f"127.0.0.1:{port}")
                welcome(running, logins)
                await running.serve()
    print("demo: all is well")


if __name__ == "__main__":
    options = parse(sys.argv[1:])
    sys.exit(
        execute(demo(checking=options.check, archive=options.archive, language=options.language))
    )
