"""The figures of a run."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest

from .catalogue import Few
from .figures import Figures, Kills


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """What this test comes to; in its report, from whichever process."""
    figures = Figures()
    yield figures
    request.node.user_properties.append(("lies", figures.to_report()))


@pytest.fixture
def few(pytestconfig: pytest.Config) -> Few:
    """Choose, the same things in every run."""
    random = Random(1)

    def _few(things: Sequence[Any], count: int) -> Sequence[Any]:
        if pytestconfig.getoption("extended"):
            return things
        return random.sample(things, min(count, len(things)))

    return _few


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> Iterator[Kills]:
    """What this test comes to."""
    kills = Kills()
    yield kills
    request.node.user_properties.append(("kills", kills.to_report()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write what the run came to."""
    lies, kills = Figures(), Kills()
    totals: dict[str, Figures | Kills] = {"lies": lies, "kills": kills}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "teardown":
                for name, told in report.user_properties:
                    if name in totals and isinstance(told, dict):
                        totals[name].add(told)
    if lies.told:
        terminalreporter.section("security: lies that were told")
        terminalreporter.write_line(lies.markdown())
    if kills.outcomes or kills.remarks:
        terminalreporter.section("security: Home Assistant was killed")
        terminalreporter.write_line(kills.markdown())
