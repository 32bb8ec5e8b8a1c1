"""Draws a chart of costs by the size of an account."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from .environment import CHANGED, FIRST_SET_UP, SET_UP_AGAIN, UNCHANGED
from .measurement import Sample
from .report import Results
from .services import MAIN

_PHASES = (FIRST_SET_UP, SET_UP_AGAIN, CHANGED, UNCHANGED)
_PANELS: Sequence[tuple[str, Callable[[Sample], float], Sequence[str]]] = (
    ("CPU, ms", lambda sample: sample.cpu * 1e3, _PHASES),
    ("wall time, ms", lambda sample: sample.wall * 1e3, _PHASES),
    ("memory kept, MB", lambda sample: sample.memory / 1e6, (FIRST_SET_UP,)),
    ("requests", lambda sample: sample.requests, _PHASES),
)


def draw(results: Results, sizes: Sequence[int], path: Path) -> None:
    """Draws CPU, wall time, memory and requests by number of tunnels."""
    # For reproducible files.
    mpl.rcParams.update({"svg.hashsalt": path.name, "svg.fonttype": "none"})
    figure = Figure(figsize=(10, 7.5), layout="constrained")
    for axes, (title, read, phases) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        for phase in phases:
            figures = [results.find(MAIN, "ours", rows, phase).median(read) for rows in sizes]
            axes.loglog(sizes, figures, marker="o", label=phase)
        if title.startswith("CPU"):
            parse = [
                results.find(MAIN, "ours", rows, UNCHANGED).median(lambda s: s.parse) * 1e3
                for rows in sizes
            ]
            axes.loglog(sizes, parse, linestyle="--", color="grey", label="orjson.loads alone")
            costs = [_cost_per_change(results, rows) for rows in sizes]
            axes.loglog(sizes, costs, linestyle=":", color="black", label="for each changed tunnel")
        axes.set(title=title, xlabel="tunnels")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(path, metadata={"Date": None})


def _cost_per_change(results: Results, rows: int) -> float:
    """Returns milliseconds of CPU that one changed tunnel adds to a poll."""
    changed, unchanged = (results.find(MAIN, "ours", rows, phase) for phase in (CHANGED, UNCHANGED))
    cost = changed.median(lambda s: s.own - s.parse) - unchanged.median(lambda s: s.own)
    return max(cost, 0) * 1e3 / changed.median(lambda sample: sample.written)
