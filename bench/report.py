"""From samples to a table, once they show that something was measured."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from rich import box
from rich.console import Console
from rich.table import Table

from .meter import Sample

_SMALLEST_ROW = 100
"""Bytes. Every phase reads the list of tunnels, and no service tells of one in less."""
_WIDTH = 200


class BenchError(Exception):
    """Nothing was measured, or not what should have been; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A phase with the integration, the same answers without it, and how many these were."""

    ours: Sample
    bare: Sample
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One phase at one size, with everything that was measured of it."""

    tunnels: int
    phase: str
    pairs: Sequence[Pair]

    def median(self, read: Callable[[Pair], float]) -> float:
        """Return the median of a figure."""
        return median(map(read, self.pairs))

    def require_measured(self) -> None:
        """Raise BenchError for figures that cannot be true."""
        for pair in self.pairs:
            for name, sample in (("with", pair.ours), ("without", pair.bare)):
                if min(sample.wall, sample.cpu, sample.stall) <= 0:
                    self._complain(f"nothing was measured {name} the integration")
            if pair.bare.size < self.tunnels * _SMALLEST_ROW:
                self._complain(f"{pair.bare.size} bytes do not tell of {self.tunnels} tunnels")

    def _complain(self, words: str) -> None:
        raise BenchError(f"{self.phase}, {self.tunnels} tunnels: {words}")


def summarise(tunnels: int, pairs: Iterable[Pair]) -> list[Row]:
    """Bring together what belongs to one phase; raises BenchError."""
    by_phase: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_phase.setdefault(pair.ours.phase, []).append(pair)
    rows = [Row(tunnels=tunnels, phase=phase, pairs=found) for phase, found in by_phase.items()]
    for row in rows:
        row.require_measured()
    return rows


def _milliseconds(read: Callable[[Pair], float]) -> Callable[[Row], str]:
    return lambda row: _number(row.median(read) * 1e3)


def _mebibytes(read: Callable[[Pair], float]) -> Callable[[Row], str]:
    return lambda row: _number(row.median(read) / 2**20)


def _count(read: Callable[[Pair], float]) -> Callable[[Row], str]:
    return lambda row: f"{row.median(read):,.0f}"


_COLUMNS: Sequence[tuple[str, Callable[[Row], str]]] = (
    ("tunnels", lambda row: f"{row.tunnels:,}"),
    ("phase", lambda row: row.phase),
    ("CPU ms", _milliseconds(lambda pair: pair.ours.cpu)),
    ("bare", _milliseconds(lambda pair: pair.bare.cpu)),
    ("times", lambda row: _number(row.median(lambda pair: pair.ours.cpu / pair.bare.cpu))),
    ("wall ms", _milliseconds(lambda pair: pair.ours.wall)),
    ("bare", _milliseconds(lambda pair: pair.bare.wall)),
    ("stall ms", _milliseconds(lambda pair: pair.ours.stall)),
    ("bare", _milliseconds(lambda pair: pair.bare.stall)),
    ("peak MiB", _mebibytes(lambda pair: pair.ours.memory)),
    ("bare", _mebibytes(lambda pair: pair.bare.memory)),
    ("requests", _count(lambda pair: pair.requests)),
    ("kB", lambda row: _number(row.median(lambda pair: pair.bare.size) / 1e3)),
    ("states", _count(lambda pair: pair.ours.written)),
)
"""What the table shows. Each "bare" is the figure before it without the integration."""


def _number(value: float) -> str:
    """Write a number with about three digits."""
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def print_table(rows: Iterable[Row]) -> None:
    """Print a table that is Markdown, too."""
    table = Table(box=box.MARKDOWN)
    for name, _ in _COLUMNS:
        table.add_column(name, justify="left" if name == "phase" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(read(row) for _, read in _COLUMNS))
    Console(width=_WIDTH).print(table)
