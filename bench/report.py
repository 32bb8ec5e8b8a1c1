"""Validates samples and prints them as tables."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from .environment import CHANGED, UNCHANGED
from .measurement import Sample

_SMALLEST_ROW = 100
"""Bytes of the shortest row of any service."""
_WIDTH = 200


class BenchError(Exception):
    """A measurement failed or is implausible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All samples of one phase of a case at one size."""

    service: str
    case: str
    rows: int
    phase: str
    samples: Sequence[Sample]

    def median(self, read: Callable[[Sample], float]) -> float:
        """Returns the median of a figure."""
        return median(map(read, self.samples))

    def longest(self, read: Callable[[Sample], float]) -> float:
        """Returns the largest figure of all runs."""
        return max(map(read, self.samples))

    def require_measured(self) -> None:
        """Raises BenchError for implausible figures."""
        asks = not self.case.startswith("bare")
        for sample in self.samples:
            if min(sample.wall, sample.cpu, sample.stall) <= 0:
                self._complain("no time was measured")
            if sample.entities < self.rows:
                self._complain(f"{sample.entities} entities do not show {self.rows} rows")
            if asks and not sample.requests:
                self._complain("no request was sent")
            if asks and self.service != "uptime_kuma" and sample.size < self.rows * _SMALLEST_ROW:
                self._complain(f"{sample.size} bytes cannot contain {self.rows} rows")
            if self.phase != UNCHANGED and not sample.written:
                self._complain("no state was written")
            if self.case == "ours" and self.service != "uptime_kuma" and self._is_idle(sample):
                self._complain(f"{sample.written} states were written without news")

    def _is_idle(self, sample: Sample) -> bool:
        return self.phase == UNCHANGED and sample.written > 0

    def _complain(self, words: str) -> None:
        raise BenchError(f"{self.service}, {self.case}, {self.phase}: {words}")


class Results:
    """All results of a run."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str, int, str], list[Sample]] = {}

    def add(self, service: str, case: str, rows: int, samples: Sequence[Sample]) -> None:
        """Adds one run of a case; raises BenchError if nothing was measured."""
        if not samples:
            raise BenchError(f"{service}, {case}: no phase was measured")
        for sample in samples:
            key = (service, case, rows, sample.phase)
            self._samples.setdefault(key, []).append(sample)
            self._result(key).require_measured()

    def _result(self, key: tuple[str, str, int, str]) -> Result:
        service, case, rows, phase = key
        return Result(
            service=service, case=case, rows=rows, phase=phase, samples=self._samples[key]
        )

    def find(self, service: str, case: str, rows: int, phase: str) -> Result:
        """Returns one result; raises LookupError."""
        return self._result((service, case, rows, phase))

    def all(self) -> list[Result]:
        """Returns all results in the order in which they were measured."""
        return [self._result(key) for key in self._samples]


def _milliseconds(read: Callable[[Sample], float]) -> Callable[[Result], str]:
    return lambda result: number(result.median(read) * 1e3)


def _count(read: Callable[[Sample], float]) -> Callable[[Result], str]:
    return lambda result: f"{result.median(read):,.0f}"


def _times_parsing(result: Result) -> str:
    if not result.median(lambda sample: sample.parse) or result.phase not in (UNCHANGED, CHANGED):
        return ""
    return number(result.median(lambda sample: sample.own / sample.parse))


_COLUMNS: Sequence[tuple[str, Callable[[Result], str]]] = (
    ("service", lambda result: result.service),
    ("case", lambda result: result.case),
    ("rows", lambda result: f"{result.rows:,}"),
    ("phase", lambda result: result.phase),
    ("CPU ms", _milliseconds(lambda sample: sample.cpu)),
    ("own ms", _milliseconds(lambda sample: sample.own)),
    ("parse ms", _milliseconds(lambda sample: sample.parse)),
    ("own/parse", _times_parsing),
    ("wall ms", _milliseconds(lambda sample: sample.wall)),
    ("stall ms", _milliseconds(lambda sample: sample.stall)),
    ("MB", lambda result: number(result.median(lambda sample: sample.memory) / 1e6)),
    ("requests", _count(lambda sample: sample.requests)),
    ("kB", lambda result: number(result.median(lambda sample: sample.size) / 1e3)),
    ("states", _count(lambda sample: sample.written)),
    ("entities", _count(lambda sample: sample.entities)),
)
_TEXTS = 4
"""The number of text columns."""


def number(value: float) -> str:
    """Formats a number with about three digits."""
    size = abs(value)
    return f"{value:,.{0 if size >= 100 else 1 if size >= 10 else 2}f}"


def print_results(results: Iterable[Result]) -> None:
    """Prints all results."""
    _print(
        [name for name, _ in _COLUMNS],
        ([read(result) for _, read in _COLUMNS] for result in results),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure with a limit, which is a maximum (at_most) or a minimum."""

    name: str
    value: float
    limit: float
    unit: str = "times"
    at_most: bool = True

    @property
    def met(self) -> bool:
        """Whether the figure is within the limit."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit


def print_targets(targets: Iterable[Target]) -> None:
    """Prints all targets and whether they are met."""
    _print(
        ["target", "limit", "measured", "met"],
        (
            [
                target.name,
                f"{'at most' if target.at_most else 'at least'} {target.limit:g} {target.unit}",
                f"{number(target.value)} {target.unit}",
                "yes" if target.met else "NO",
            ]
            for target in targets
        ),
        texts=1,
    )


def _print(names: Sequence[str], rows: Iterable[Sequence[str]], texts: int = _TEXTS) -> None:
    """Prints a Markdown table."""
    table = Table(box=box.MARKDOWN)
    for place, name in enumerate(names):
        table.add_column(name, justify="left" if place < texts else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=_WIDTH).print(table)
