"""Counts the cells of the fault matrix and formats them as a table.

The tests may run in several processes: each test's counts are part of its report.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SITUATIONS = ("sign-in", "first refresh", "later refresh", "action")


@dataclass(slots=True)
class Tally:
    """Counts of cells that were tried and that passed."""

    tried: int = 0
    passed: int = 0


@dataclass(slots=True)
class Table:
    """The cells of a run, by fault, situation and kind of entry."""

    tallies: defaultdict[tuple[str, str, str], Tally] = field(
        default_factory=lambda: defaultdict(Tally)
    )

    def add(self, fault: str, case: str, counts: Iterable[tuple[str, int, int]]) -> None:
        """Adds the counts for one fault and kind of entry."""
        for situation, tried, passed in counts:
            tally = self.tallies[fault, situation, case]
            tally.tried += tried
            tally.passed += passed

    def markdown(self) -> str:
        """Returns a row for each fault, a column for each situation, and the sums."""
        faults = list(dict.fromkeys(fault for fault, _, _ in self.tallies))
        cases = list(dict.fromkeys(case for _, _, case in self.tallies))
        lines = [
            f"| fault | {' | '.join((*SITUATIONS, *cases, 'all'))} |",
            f"| --- |{' ---: |' * (len(SITUATIONS) + len(cases) + 1)}",
        ]
        for fault in (*faults, ""):
            wanted = [{"situation": s} for s in SITUATIONS] + [{"case": c} for c in cases] + [{}]
            cells = " | ".join(self._cell(fault, **which) for which in wanted)
            lines.append(f"| {fault or 'all'} | {cells} |")
        return "\n".join(lines)

    def _cell(self, fault: str, situation: str = "", case: str = "") -> str:
        found = [
            tally
            for (of_fault, of_situation, of_case), tally in self.tallies.items()
            if fault in ("", of_fault) and situation in ("", of_situation) and case in ("", of_case)
        ]
        if not found:
            return ""
        passed, tried = sum(t.passed for t in found), sum(t.tried for t in found)
        return f"{passed}/{tried}"


@dataclass(slots=True)
class Cells:
    """The cells of one fault at one kind of entry."""

    tallies: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    failures: list[str] = field(default_factory=list)

    def counts(self) -> list[tuple[str, int, int]]:
        """Returns for each situation how many cells were tried and how many passed."""
        return [(name, tally.tried, tally.passed) for name, tally in self.tallies.items()]

    @contextmanager
    def cell(self, situation: str, what: str = "") -> Iterator[None]:
        """Counts one cell; a failure does not stop the following ones."""
        tally = self.tallies[situation]
        tally.tried += 1
        try:
            yield
        except AssertionError as err:
            self.failures.append(f"{situation} {what}: {str(err)[:2000]}")
        else:
            tally.passed += 1
