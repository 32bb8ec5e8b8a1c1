"""Collects the results of the security tests and formats them as tables."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Figures:
    """Counts of malicious answers by provider, and the longest stalls of the event loop.

    stalls: seconds of CPU, the maximum for each kind of answer.
    """

    counts: Counter[str] = field(default_factory=Counter)
    stalls: dict[str, float] = field(default_factory=dict)

    def count(self, provider: str, what: str, stall: float) -> None:
        """Counts an answer and its stall."""
        self.counts[provider] += 1
        name = f"{provider}, {what}"
        self.stalls[name] = max(stall, self.stalls.get(name, 0.0))

    def to_report(self) -> dict[str, Any]:
        """Returns the figures as data for a test's report."""
        return {"counts": dict(self.counts), "stalls": self.stalls}

    def add(self, report: Mapping[str, Any]) -> None:
        """Adds another test's figures."""
        self.counts.update(report["counts"])
        self.stalls.update(report["stalls"])

    def markdown(self) -> str:
        """Returns a row for each provider."""
        head = ("provider", "kinds of answers", "answers", "longest stall", "at")
        rows = []
        for provider, counts in sorted(self.counts.items()):
            of_it = {n: s for n, s in self.stalls.items() if n.startswith(f"{provider}, ")}
            longest = max(of_it, key=of_it.__getitem__)
            at = longest.partition(", ")[2]
            rows.append((provider, len(of_it), counts, f"{of_it[longest] * 1e3:.0f} ms", at))
        return "\n".join(
            f"| {' | '.join(map(str, row))} |"
            for row in (head, ("---", "---:", "---:", "---:", "---"), *rows)
        )


@dataclass(slots=True)
class Kills:
    """Outcomes of kills of Home Assistant by moment, and remarks."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def count(self, moment: str, outcome: str) -> None:
        """Counts a kill."""
        self.outcomes.setdefault(moment, Counter())[outcome] += 1

    def note(self, remark: str) -> None:
        """Adds a remark."""
        self.remarks.append(remark)

    def to_report(self) -> dict[str, Any]:
        """Returns the outcomes as data for a test's report."""
        outcomes = {moment: dict(counts) for moment, counts in self.outcomes.items()}
        return {"outcomes": outcomes, "remarks": self.remarks}

    def add(self, report: Mapping[str, Any]) -> None:
        """Adds another test's outcomes."""
        for moment, counts in report["outcomes"].items():
            self.outcomes.setdefault(moment, Counter()).update(counts)
        self.remarks += report["remarks"]

    def markdown(self) -> str:
        """Returns a row for each moment, and the remarks."""
        rows = [("killed", "times", "then"), ("---", "---:", "---")]
        for moment, counts in self.outcomes.items():
            then = ", ".join(f"{outcome} ({n})" for outcome, n in sorted(counts.items()))
            rows.append((moment, str(counts.total()), then))
        return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", *self.remarks])
