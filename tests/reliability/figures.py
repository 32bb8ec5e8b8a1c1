"""What a run of the property tests and of the soak came to, as tables."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a table, whose first column is words and all else numbers."""
    ruler = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (head, ruler, *rows))


@dataclass(slots=True)
class Examples:
    """The spoilt answers that were tried, by provider and by what was answered."""

    spoilt: dict[str, Counter[Hashable]] = field(default_factory=dict)
    questions: Counter[str] = field(default_factory=Counter)

    def note(self, provider: str, answer: Hashable) -> None:
        """Count one."""
        self.spoilt.setdefault(provider, Counter())[answer] += 1

    def markdown(self) -> str:
        """Return a row for each provider; only what was passed counts as a question."""
        return _table(
            ("provider", "questions", "kinds of answers", "examples", "fewest of a kind"),
            [
                (
                    provider,
                    self.questions[provider],
                    len(by_answer),
                    by_answer.total(),
                    min(by_answer.values()),
                )
                for provider, by_answer in self.spoilt.items()
            ],
        )


@dataclass(slots=True)
class Days:
    """How each simulated day went: a column of figures for each provider."""

    figures: dict[str, dict[str, object]] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return a row for each figure."""
        names = dict.fromkeys(name for column in self.figures.values() for name in column)
        return _table(
            ("", *self.figures),
            [(name, *(column.get(name, "") for column in self.figures.values())) for name in names],
        )
