"""How many recordings a run has replayed; told at its end.

The tests may run in several processes: a test's count goes with its report.
"""

from collections import Counter

import pytest

from .recordings import load

_PROPERTY = "real_answers"


def count_replayed(item: pytest.Item, recorded: str, through: str, count: int) -> None:
    """Note that a test has replayed recordings of a file.

    item: `request.node` of the test. through: what they went through: "simulator", "parser".
    """
    item.user_properties.append((_PROPERTY, [recorded, through, count]))


def write_summary(reporter: pytest.TerminalReporter) -> None:
    """Write how many recordings passed, of each file and through what."""
    replayed: Counter[tuple[str, str]] = Counter()
    for report in reporter.stats.get("passed", ()):
        for name, value in getattr(report, "user_properties", ()):
            if name == _PROPERTY and report.when == "call":
                recorded, through, count = value
                replayed[recorded, through] += count
    if replayed:
        reporter.section("real answers: recordings replayed")
    for (recorded, through), count in sorted(replayed.items()):
        reporter.write_line(f"{recorded}: {count} of {len(load(recorded))} ({through})")
