"""What a run of these tests came to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Figures:
    """Lies that were told, by provider; and the longest that the event loop did nothing else.

    kinds: of lies. stalls: seconds of CPU, the longest for each kind.
    """

    told: Counter[str] = field(default_factory=Counter)
    stalls: dict[str, float] = field(default_factory=dict)

    def count(self, provider: str, what: str, stall: float) -> None:
        """Count one."""
        self.told[provider] += 1
        name = f"{provider}, {what}"
        self.stalls[name] = max(stall, self.stalls.get(name, 0.0))

    def to_report(self) -> dict[str, Any]:
        """Return what a test's report can hold."""
        return {"told": dict(self.told), "stalls": self.stalls}

    def add(self, report: Mapping[str, Any]) -> None:
        """Add what another test came to."""
        self.told.update(report["told"])
        self.stalls.update(report["stalls"])

    def markdown(self) -> str:
        """Return a row for each provider."""
        head = ("provider", "kinds of lies", "told", "longest stall", "at")
        rows = []
        for provider, told in sorted(self.told.items()):
            of_it = {n: s for n, s in self.stalls.items() if n.startswith(f"{provider}, ")}
            longest = max(of_it, key=of_it.__getitem__)
            at = longest.partition(", ")[2]
            rows.append((provider, len(of_it), told, f"{of_it[longest] * 1e3:.0f} ms", at))
        return "\n".join(
            f"| {' | '.join(map(str, row))} |"
            for row in (head, ("---", "---:", "---:", "---:", "---"), *rows)
        )


@dataclass(slots=True)
class Kills:
    """The outcomes of kills of Home Assistant, by moment; and remarks."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def count(self, moment: str, outcome: str) -> None:
        """Count one."""
        self.outcomes.setdefault(moment, Counter())[outcome] += 1

    def note(self, remark: str) -> None:
        """Add what else was found."""
        self.remarks.append(remark)

    def to_report(self) -> dict[str, Any]:
        """Return what a test's report can hold."""
        outcomes = {moment: dict(told) for moment, told in self.outcomes.items()}
        return {"outcomes": outcomes, "remarks": self.remarks}

    def add(self, report: Mapping[str, Any]) -> None:
        """Add what another test came to."""
        for moment, told in report["outcomes"].items():
            self.outcomes.setdefault(moment, Counter()).update(told)
        self.remarks += report["remarks"]

    def markdown(self) -> str:
        """Return a row for each moment, and the remarks."""
        rows = [("killed", "times", "then"), ("---", "---:", "---")]
        for moment, told in self.outcomes.items():
            then = ", ".join(f"{outcome} ({n})" for outcome, n in sorted(told.items()))
            rows.append((moment, str(told.total()), then))
        return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", *self.remarks])
