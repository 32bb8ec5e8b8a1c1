"""Counts the recordings that a run has replayed, for its summary.

Tests may run in several processes, so each test adds its lines to its report.
"""

from collections import defaultdict
from collections.abc import Iterable

import pytest

from .recordings import load

_PROPERTY = "real_answers"


def count_replayed(item: pytest.Item, recorded: str, through: str, lines: Iterable[int]) -> None:
    """Record that a test has replayed lines of a file.

    item: `request.node` of the test. through: the tested part, "simulator" or "parser".
    """
    item.user_properties.append((_PROPERTY, [recorded, through, sorted(lines)]))


def write_summary(reporter: pytest.TerminalReporter) -> None:
    """Write how many recordings passed, for each file and tested part."""
    replayed: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for report in reporter.stats.get("passed", ()):
        for name, value in getattr(report, "user_properties", ()):
            if name == _PROPERTY:
                recorded, through, lines = value
                replayed[recorded, through].update(lines)
    if replayed:
        reporter.section("real answers: recordings replayed")
    for (recorded, through), found in sorted(replayed.items()):
        reporter.write_line(f"{recorded}: {len(found)} of {len(load(recorded))} ({through})")
