"""Measure, and print a table: ``scripts/bench --help``."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
import json
import os
from pathlib import Path
import platform
import subprocess
import sys
from typing import Any
from urllib.request import urlopen

from .house import CASES
from .meter import Sample
from .report import BenchError, Pair, Row, print_table, summarise

_CHECKOUT = Path(__file__).resolve().parent.parent
_POLLS = 5
"""How many of each kind one process measures."""

type Facts = Mapping[str, str]
"""What the simulator tells of a service: its url, and the credentials of the demo account."""


def main() -> int:
    """Run all cases at all sizes; return the exit code."""
    options = parse(sys.argv[1:])
    rows: list[Row] = []
    try:
        with simulator(1) as spare:
            for tunnels in options.tunnels:
                for case in CASES:
                    pairs: list[Pair] = []
                    for number in range(1, options.runs + 1):
                        say(f"{tunnels} tunnels, {case}, run {number} of {options.runs}")
                        pairs += measure(case, tunnels, spare)
                    rows += summarise(tunnels, pairs)
    except BenchError as err:
        say(f"FAILED: {err}")
        return 1
    print(
        f"Home Assistant {version('homeassistant')}, CPython {platform.python_version()}, "
        f"{os.cpu_count()} cores; medians of {options.runs} runs\n"
    )
    print_table(rows)
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures what an account costs Home Assistant."
    )
    parser.add_argument("--tunnels", type=_positive, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--runs", type=_positive, default=5, help="of each case at each size")
    return parser.parse_args(arguments)


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError
    return number


def say(words: str) -> None:
    """Tell a person who waits what is going on, apart from the table."""
    print(f"bench: {words}", file=sys.stderr, flush=True)


@contextmanager
def simulator(tunnels: int) -> Iterator[Facts]:
    """Run a simulated service in a process of its own, with a node for every ten tunnels."""
    command = [sys.executable, "-m", "simulator", "--json", "--services", "hayfrp"]
    command += ["--tunnels", str(tunnels), "--nodes", str(max(1, tunnels // 10))]
    with subprocess.Popen(command, cwd=_CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or not (ready := process.stdout.readline()):
                raise BenchError("the simulator did not start")
            yield json.loads(ready)["hayfrp"]
        finally:
            process.terminate()


def measure(case: str, tunnels: int, spare: Facts) -> list[Pair]:
    """Run a case once, then send the requests that it sent once more without it."""
    with simulator(tunnels) as service:
        order = {
            "case": case,
            "service": service,
            "spare": spare,
            "tunnels": tunnels,
            "polls": _POLLS,
        }
        samples = run("bench.house", order)
        with urlopen(f"{service['url']}/_control/calls") as answer:
            noted = json.load(answer)
        calls = [
            [call for call in noted if sample.began <= call["at"] <= sample.ended]
            for sample in samples
        ]
        if not samples or not all(calls):
            raise BenchError(f"{case}, {tunnels} tunnels: no request reached the service")
        bare = run("bench.bare", {"url": service["url"], "phases": calls})
    return [
        Pair(ours=ours, bare=beside, requests=len(sent))
        for ours, beside, sent in zip(samples, bare, calls, strict=True)
    ]


def run(module: str, order: Mapping[str, Any]) -> list[Sample]:
    """Measure in a process of its own, so that it pays for nobody else."""
    process = subprocess.run(
        [sys.executable, "-m", module],
        cwd=_CHECKOUT,
        input=json.dumps(order),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if process.returncode:
        raise BenchError(f"{module} ended with exit code {process.returncode}")
    return [Sample(**sample) for sample in json.loads(process.stdout)]


if __name__ == "__main__":
    sys.exit(main())
