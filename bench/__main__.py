"""Runs the benchmark, prints tables and draws a chart: ``scripts/bench --help``."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
import json
import os
from pathlib import Path
import platform
import subprocess
import sys

from .environment import CHANGED, FIRST_SET_UP, SET_UP_AGAIN, UNCHANGED
from .measurement import Sample
from .plot import draw
from .report import BenchError, Result, Results, Target, print_results, print_targets
from .service import Facts
from .services import MAIN, SERVICES

_CHECKOUT = Path(__file__).resolve().parent.parent
_PEER = "uptime_kuma"
_POLLS = 5
"""The number of polls of each kind in one process."""
_TRACED = "ours, traced", "bare, traced"
_TRACED_ROWS = 500
"""Enough for the memory of an entity; tracing is slow."""


def main() -> int:
    """Runs all cases at all sizes and returns the exit code."""
    options = parse(sys.argv[1:])
    results = Results()
    try:
        for number in range(1, options.runs + 1):
            say(f"run {number} of {options.runs}")
            for case in ("ours", "bare", "plain, always", "plain, if changed"):
                measure(results, MAIN, case, options.tunnels)
            for service in (name for name in SERVICES if name != MAIN):
                measure(results, service, "ours", _rows(service, options.tunnels))
            for rows in options.growth:
                # The largest size takes minutes, and varies little.
                if rows != options.tunnels and (rows <= options.tunnels or number == 1):
                    measure(results, MAIN, "ours", rows)
        for case in ("ours", "bare"):
            measure(results, MAIN, case, min(options.tunnels, _TRACED_ROWS), traced=True)
        targets = judge(results, options.tunnels)
        if options.plot:
            draw(results, sorted({*options.growth, options.tunnels}), options.plot)
    except BenchError as err:
        print_results(results.all())
        say(f"FAILED: {err}")
        return 1
    print(
        f"Home Assistant {version('homeassistant')}, CPython {platform.python_version()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[2]:.1f}; medians of {options.runs} runs\n"
    )
    print_targets(targets)
    print_results(results.all())
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures what an account costs Home Assistant."
    )
    parser.add_argument(
        "--tunnels",
        type=_positive,
        default=SERVICES[MAIN].usual,
        help="number to which targets apply",
    )
    parser.add_argument("--growth", type=_positive, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--runs", type=_positive, default=3, help="of each case at each size")
    parser.add_argument("--plot", type=Path, help="an SVG file to draw the growth into")
    return parser.parse_args(arguments)


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError
    return number


def say(words: str) -> None:
    """Prints progress to stderr, separately from the tables."""
    print(f"bench: {words}", file=sys.stderr, flush=True)


@contextmanager
def server(service: str, rows: int) -> Iterator[Facts]:
    """Runs a service in its own process."""
    command = [sys.executable, *SERVICES[service].server(rows)]
    with subprocess.Popen(command, cwd=_CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not (ready := process.stdout.readline()):
                raise BenchError(f"{service} did not start")
            yield json.loads(ready)[service]
        finally:
            process.terminate()


def measure(results: Results, service: str, case: str, rows: int, *, traced: bool = False) -> None:
    """Runs a case once in its own process.

    The rows are distributed among as many accounts as necessary.
    """
    say(f"{service}, {case}, {rows} rows")
    accounts = -(-rows // SERVICES[service].at_most)
    shares = [rows // accounts + (number < rows % accounts) for number in range(accounts)]
    with ExitStack() as servers:
        order = {
            "service": service,
            "case": case,
            "facts": [servers.enter_context(server(service, share)) for share in shares],
            "rows": min(shares),
            "polls": 1 if traced else _POLLS,
            "spare": servers.enter_context(server(service, 1)),
            "traced": traced,
        }
        process = subprocess.run(
            [sys.executable, "-m", "bench.cases"],
            cwd=_CHECKOUT,
            input=json.dumps(order),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if process.returncode:
        raise BenchError(f"{service}, {case}: exit code {process.returncode}")
    samples = [Sample(**sample) for sample in json.loads(process.stdout)]
    results.add(service, f"{case}, traced" if traced else case, rows, samples)


def judge(results: Results, rows: int) -> list[Target]:
    """Compares results with targets."""

    def find(case: str, phase: str, service: str = MAIN) -> Result:
        return results.find(service, case, _rows(service, rows), phase)

    def cpu(result: Result) -> float:
        return result.median(lambda sample: sample.cpu)

    def per_entity(result: Result) -> float:
        return result.median(lambda sample: sample.memory / sample.entities)

    unchanged, changed = find("ours", UNCHANGED), find("ours", CHANGED)
    traced = min(rows, _TRACED_ROWS)
    memory = [per_entity(results.find(MAIN, case, traced, SET_UP_AGAIN)) for case in _TRACED]
    return [
        Target(
            name="CPU of an unchanged poll / parsing alone",
            value=unchanged.median(lambda sample: sample.own / sample.parse),
            limit=1.5,
        ),
        *(
            Target(
                name=f"CPU of a poll with 1 % changed: plain listeners ({words}) / ours",
                value=cpu(find(case, CHANGED)) / cpu(changed),
                limit=limit,
                at_most=False,
            )
            for case, words, limit in (
                ("plain, always", "always_update=True", 10),
                ("plain, if changed", "always_update=False", 5),
            )
        ),
        *(
            Target(
                name=f"longest stall of the event loop: {service}, {phase}",
                value=find("ours", phase, service).longest(lambda sample: sample.stall) * 1e3,
                limit=10,
                unit="ms",
            )
            for service in SERVICES
            if service != _PEER
            for phase in (UNCHANGED, CHANGED)
        ),
        *(
            Target(
                name=f"{phase}: ours / bare entities",
                value=cpu(find("ours", phase)) / cpu(find("bare", phase)),
                limit=1.3,
            )
            for phase in (FIRST_SET_UP, SET_UP_AGAIN)
        ),
        Target(name="memory of an entity: ours / bare", value=memory[0] / memory[1], limit=1.2),
        *(
            Target(
                name=f"{phase}, CPU for each entity: ours / uptime_kuma",
                value=_each(find("ours", phase)) / _each(find("ours", phase, _PEER)),
                limit=1,
            )
            for phase in (UNCHANGED, CHANGED)
        ),
    ]


def _rows(service: str, wanted: int) -> int:
    return wanted if service == MAIN else SERVICES[service].usual


def _each(result: Result) -> float:
    return result.median(lambda sample: sample.cpu / sample.entities)


if __name__ == "__main__":
    sys.exit(main())
