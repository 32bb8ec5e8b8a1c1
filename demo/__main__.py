"""The command line: ``scripts/demo --help``."""

import argparse
from collections.abc import Sequence
import os
from pathlib import Path
import sys

from .check import check
from .command import execute
from .hass import DASHBOARD, LANGUAGES, PASSWORD, USER
from .logins import in_words, second_logins
from .provider import Answers
from .providers import PROVIDERS
from .stage import DOMAIN, more_services, stage

_GUIDE = {
    "en": """
Open {url}/{dashboard} and sign in as {user} / {password}
Try: force a tunnel down on the dashboard; ask Assist which tunnels are down;
     make an automation from a blueprint
The accounts: {url}/config/integrations/integration/{domain}

More accounts, under {url}/config/integrations → Add integration:
{accounts}
Ctrl-C stops it all and leaves nothing behind.""",
    "zh-Hans": """
请打开 {url}/{dashboard} ，用户名 {user}，密码 {password}
可以试试：在仪表盘上让一条隧道保持下线；问 Assist 哪些隧道掉线了；用蓝图创建自动化
账户：{url}/config/integrations/integration/{domain}

更多账户，在 {url}/config/integrations → 添加集成：
{accounts}
按 Ctrl-C 停止，不会留下任何内容。""",
}
"""The instructions by language."""


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Runs a real Home Assistant with accounts at simulated services, on loopback.",
    )
    parser.add_argument("--check", action="store_true", help="test the demo automatically")
    parser.add_argument(
        "--archive", type=Path, help="install this release instead of linking the checkout"
    )
    parser.add_argument(
        "--language",
        choices=LANGUAGES,
        default=_own_language(),
        help="of this text, entities and Assist; by default the one of the terminal",
    )
    return parser.parse_args(arguments)


def _own_language() -> str:
    """Returns the language of the terminal, if the demo supports it."""
    variables = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next(filter(None, map(os.environ.get, variables)), "")
    return "zh-Hans" if locale.lower().startswith("zh") else "en"


def guide(url: str, logins: Sequence[Answers], language: str) -> str:
    """Returns the instructions: the address, what to try, and which accounts can be added."""
    lines: list[str] = []
    for login in logins:
        title, *fields = in_words(login, language)
        lines += ["", f"  Tunnel Hub → {title}", *(f"    {field}" for field in fields)]
    return _GUIDE[language].format(
        url=url,
        dashboard=DASHBOARD,
        user=USER,
        password=PASSWORD,
        domain=DOMAIN,
        accounts="\n".join((*lines, "")),
    )


async def demo(*, checking: bool, archive: Path | None, language: str) -> None:
    """Runs the demo, or checks it."""
    async with stage(PROVIDERS, archive, language=language) as running:
        if checking:
            await check(running)
        else:
            async with more_services(running.session) as others:
                await running.expose_traffic()
                port = next(iter(running.addresses.values())).port
                logins = second_logins(running.services, others, f"127.0.0.1:{port}")
                print(guide(running.hass.url, logins, language), flush=True)
                await running.serve()
    print("demo: no errors")


if __name__ == "__main__":
    options = parse(sys.argv[1:])
    sys.exit(
        execute(demo(checking=options.check, archive=options.archive, language=options.language))
    )
