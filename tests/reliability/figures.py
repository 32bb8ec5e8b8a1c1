"""Formats the results of the property tests and the soak test as tables.

The tests may run in several processes: each test's figures are part of its report.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Returns a Markdown table with text in the first column and numbers in all others."""
    ruler = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (head, ruler, *rows))


@dataclass(slots=True)
class Examples:
    """Counts a test's corrupted answers by kind.

    so_far: counts of all tests in this process.
    """

    provider: str
    so_far: Counter[str]
    here: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str) -> None:
        """Counts a corrupted answer."""
        self.here[kind] += 1
        self.so_far[f"{self.provider} {kind}"] += 1

    def tried(self, kind: str) -> int:
        """Returns how often all tests have tried a kind."""
        return self.so_far[f"{self.provider} {kind}"]


@dataclass(slots=True)
class Answers:
    """The corrupted answers of a run."""

    calls: Counter[str] = field(default_factory=Counter)
    kinds: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, provider: str, counts: Mapping[str, int]) -> None:
        """Adds the counts of one call."""
        self.calls[provider] += 1
        self.kinds[provider].update(counts)

    def markdown(self) -> str:
        """Returns a row for each provider."""
        return _table(
            ("provider", "calls", "kinds of answers", "examples", "fewest of a kind"),
            [
                (
                    provider,
                    self.calls[provider],
                    len(counts),
                    counts.total(),
                    min(counts.values()),
                )
                for provider, counts in sorted(self.kinds.items())
            ],
        )


@dataclass(slots=True)
class Days:
    """Figures of simulated days or of state machines: a column for each provider."""

    figures: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def add(self, provider: str, figures: Mapping[str, object]) -> None:
        """Adds a provider's figures."""
        self.figures[provider] = figures

    def markdown(self) -> str:
        """Returns a row for each figure."""
        names = dict.fromkeys(name for column in self.figures.values() for name in column)
        return _table(
            ("", *self.figures),
            [(name, *(column.get(name, "") for column in self.figures.values())) for name in names],
        )


@dataclass(slots=True)
class Costs:
    """The costs of the accounts while no browser is connected: a row for each."""

    rows: list[tuple[object, ...]] = field(default_factory=list)

    def add(self, account: str, requests: int, rows: int) -> None:
        """Adds an account with its requests per hour and recorder rows per day."""
        self.rows.append((account, requests, rows))

    def markdown(self) -> str:
        """Returns a row for each account."""
        return _table(("account", "requests an hour", "recorder rows a day"), sorted(self.rows))
