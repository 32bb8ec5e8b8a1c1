"""Counting the cells of the fault matrix, and writing them as a table."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SITUATIONS = ("sign-in", "first refresh", "later refresh", "action")


@dataclass(slots=True)
class Tally:
    """How many were tried, and how many passed."""

    tried: int = 0
    passed: int = 0


@dataclass(slots=True)
class Table:
    """The cells of a run, by fault, situation and kind of entry."""

    tallies: defaultdict[tuple[str, str, str], Tally] = field(
        default_factory=lambda: defaultdict(Tally)
    )

    def markdown(self) -> str:
        """Return a row for each fault, a column for each situation, and the sums."""
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

    table: Table
    fault: str
    case: str
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def cell(self, situation: str, what: str = "") -> Iterator[None]:
        """Try one; a failed one does not keep the others from being tried."""
        tally = self.table.tallies[self.fault, situation, self.case]
        tally.tried += 1
        try:
            yield
        except AssertionError as err:
            self.failures.append(f"{situation} {what}: {str(err)[:2000]}")
        else:
            tally.passed += 1
