"""Mutation testing for api/ and the coordinator: cosmic-ray's operators, a fork for each mutant.

Only the tests that run the changed line are used, which coverage determines. The mutants are a
sample, the same one for the same seed and code.
"""

import argparse
import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
import difflib
from importlib import import_module
from importlib.util import cache_from_source
from itertools import islice
import multiprocessing
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
import os
from pathlib import Path
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from typing import override

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from coverage import CoverageData
import pytest

# Loaded once, inherited by every fork; nothing of this repository may be, since it is mutated.
import_module("pytest_homeassistant_custom_component.plugins")

ROOT = Path(__file__).parents[1]
CODE = "custom_components/tunnel_hub"
_API = tuple(sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests/api").glob("test_*.py")))
_TESTED_ALONE = {"coerce", "gather", "http", "node_filter", "rate_limiter", "rows", "time_slices"}
"""The other modules contain texts of all providers, which the tests of each of them use."""

SUITES: dict[str, tuple[str, ...]] = {
    **{
        f"{CODE}/api/{path.parent.name}": (
            f"tests/api/{path.parent.name}",
            f"tests/{path.parent.name}",
        )
        for path in sorted((ROOT / CODE / "api").glob("*/provider.py"))
    },
    **{
        f"{CODE}/api/{path.name}": _API if path.stem in _TESTED_ALONE else ("tests/api",)
        for path in sorted((ROOT / CODE / "api").glob("[!_]*.py"))
    },
    f"{CODE}/coordinator.py": (
        "tests/test_coordinator.py",
        "tests/test_entity.py",
        "tests/test_init.py",
        "tests/test_devices.py",
    ),
}
CPU_SECONDS = 180
TIME_OUT = 1200.0
"""Seconds after which a mutant counts as killed because it hangs."""
_CONTEXTS = ("--cov", "--cov-context=test", "--cov-report=", "--cov-fail-under=0")
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change.

    line: counted from 1.
    tests: the ids of the tests that run it.
    """

    path: str
    line: int
    operator: str
    occurrence: int
    tests: tuple[str, ...] = ()

    def code(self) -> str:
        """Returns the module with the change."""
        mutated = mutate_code(self.original, get_operator(self.operator)(), self.occurrence)
        assert isinstance(mutated, str)
        return mutated

    @property
    def original(self) -> str:
        """The module without the change."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    @override
    def __str__(self) -> str:
        lines = difflib.unified_diff(self.original.splitlines(), self.code().splitlines(), n=0)
        changed = [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]
        return "\n".join([f"{self.path}:{self.line} ({self.operator})", *changed])


def mutants(path: str, rng: random.Random) -> Iterator[Mutant]:
    """Yields one mutant for every place where it has an effect."""
    source = (ROOT / path).read_text(encoding="utf-8")
    nodes = list(ast_nodes(get_ast(source)))
    without_effect = _without_effect(source)
    by_place: dict[tuple[tuple[int, int], tuple[int, int]], list[Mutant]] = {}
    for name in sorted(operator_names()):
        try:
            operator = get_operator(name)()
        except TypeError:
            continue  # It needs a parameter.
        places = (place for node in nodes for place in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(places):
            if not any(first <= start and end <= last for first, last in without_effect):
                mutant = Mutant(path, start[0], name, occurrence)
                by_place.setdefault((start, end), []).append(mutant)
    for _, choices in sorted(by_place.items()):
        yield rng.choice(choices)


def _without_effect(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Returns the places of types, which are not evaluated, and similar ones.

    @override has no effect, and mypy checks the options of a dataclass.
    """
    found: list[ast.expr] = []
    overrides: list[int] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            found.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += [node.returns] if node.returns else []
            overrides += [d.lineno for d in node.decorator_list if ast.unparse(d) == "override"]
        elif isinstance(node, ast.TypeAlias):
            found.append(node.value)
        elif isinstance(node, ast.ClassDef):
            found += [d for d in node.decorator_list if ast.unparse(d).startswith("dataclass(")]
    return [
        ((n.lineno, n.col_offset), (n.end_lineno or n.lineno, n.end_col_offset or n.col_offset))
        for n in found
    ] + [((line, 0), (line + 1, 0)) for line in overrides]


def _can_be_made(mutant: Mutant) -> bool:
    """Returns whether the operator works: it fails for several exceptions without parentheses."""
    try:
        mutant.code()
    except AttributeError:
        return False
    return True


def modules(start: str) -> list[str]:
    """Returns the modules of a folder, or the module itself."""
    paths = [ROOT / start] if start.endswith(".py") else (ROOT / start).glob("*.py")
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def tests_by_line(checkout: Path, suite: tuple[str, ...]) -> dict[str, dict[int, set[str]]]:
    """Runs a suite without mutants; returns the tests that run each line, "" for the import."""
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", *_CONTEXTS, *suite],
        cwd=checkout,
        # The default of this Python version, sys.monitoring, cannot determine the current test.
        env={**os.environ, "COVERAGE_CORE": "ctrace"},
        check=True,
        stdout=sys.stderr,
    )
    data = CoverageData(str(checkout / ".coverage"))
    data.read()
    return {
        str(Path(file).relative_to(checkout.resolve())): {
            line: {context.partition("|")[0] for context in contexts}
            for line, contexts in data.contexts_by_lineno(file).items()
        }
        for file in data.measured_files()
    }


def _tests_for(lines: dict[int, set[str]], line: int, suite: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the tests that run a statement; the mutant may be in a later line of it.

    Statements that run on import are tested by the whole suite, the module's own tests first.
    """
    near = max((known for known in lines if known <= line), default=0)
    tests = lines.get(near, {""})
    imported = "" in tests
    if imported:
        tests = {test for tests in lines.values() for test in tests}
    first = sorted(tests - {""}, key=lambda test: ("any_answer" in test, test))
    return (*first, *(suite if imported else ()))


def _run_tests(checkout: Path, mutant: Mutant, code: str) -> None:
    """Runs a mutant's tests with the code in this process, and exits with pytest's exit code."""
    os.chdir(checkout)
    # Ends endless loops, however busy the machine is.
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    # Python compares only size and time in seconds, which may be equal for two mutants.
    Path(cache_from_source(mutant.path)).unlink(missing_ok=True)
    Path(mutant.path).write_text(code, encoding="utf-8")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    quiet = [
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    os._exit(int(pytest.main([*quiet, *mutant.tests])))


def run(chosen: list[Mutant], checkouts: list[Path]) -> Iterator[tuple[Mutant, str]]:
    """Runs mutants, one in each checkout at a time, and yields their results."""
    free, waiting = list(checkouts), list(reversed(chosen))
    running: dict[ForkProcess, tuple[Mutant, Path, float]] = {}
    while waiting or running:
        while waiting and free:
            mutant, checkout = waiting.pop(), free.pop()
            process = _FORK.Process(target=_run_tests, args=(checkout, mutant, mutant.code()))
            process.start()
            running[process] = mutant, checkout, time.monotonic() + TIME_OUT
        wait([process.sentinel for process in running], timeout=5)
        for process, (mutant, checkout, deadline) in list(running.items()):
            if late := process.is_alive() and time.monotonic() > deadline:
                process.kill()
            elif process.is_alive():
                continue
            process.join()
            del running[process]
            shutil.copy(ROOT / mutant.path, checkout / mutant.path)
            free.append(checkout)
            yield mutant, "survived" if not late and process.exitcode == 0 else "killed"


def _check(mutant: Mutant, checkout: Path) -> None:
    """Exits with an error if the tests of a fork fail without a mutant."""
    process = _FORK.Process(target=_run_tests, args=(checkout, mutant, mutant.original))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"The tests fail without a mutant: {' '.join(mutant.tests)}")


def _checkout(folder: Path) -> Path:
    """Copies all tracked files to a folder."""
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for file in files.splitlines():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    return folder


def main() -> None:
    """Selects and runs mutants and prints the results."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument("--sample", type=int, help="number of mutants to try; by default all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("parts", nargs="*", help="only modules whose path contains one of these")
    wanted = parser.parse_args()
    rng = random.Random(wanted.seed)
    with tempfile.TemporaryDirectory(prefix="tunnel-hub-mutants-") as place:
        checkouts = [
            _checkout(Path(place).resolve() / str(number)) for number in range(wanted.jobs)
        ]
        possible = [
            (mutant, suite)
            for start, suite in SUITES.items()
            for path in modules(start)
            if any(part in path for part in wanted.parts or [""])
            for mutant in mutants(path, rng)
        ]
        rng.shuffle(possible)
        drawn = list(islice((each for each in possible if _can_be_made(each[0])), wanted.sample))
        print(f"{len(drawn)} of {len(possible)} mutants", flush=True)
        # Run only the suites that the sample needs.
        lines = {
            suite: tests_by_line(checkouts[0], suite) for suite in {suite for _, suite in drawn}
        }
        chosen = [
            replace(mutant, tests=_tests_for(lines[suite].get(mutant.path, {}), mutant.line, suite))
            for mutant, suite in drawn
        ]
        by_line = [mutant for mutant in chosen if "::" in mutant.tests[0]]
        _check(min(by_line or chosen, key=lambda mutant: len(mutant.tests)), checkouts[0])
        tally = Counter[tuple[str, str]]()
        for mutant, result in run(chosen, checkouts):
            tally[mutant.path.removeprefix(f"{CODE}/"), result] += 1
            print(f"{result}: {mutant}", flush=True)
    print("\n| Module | Tried | Killed | Survived |\n|---|--:|--:|--:|")
    for path in sorted({path for path, _ in tally}):
        killed, survived = tally[path, "killed"], tally[path, "survived"]
        print(f"| `{path}` | {killed + survived} | {killed} | {survived} |")


if __name__ == "__main__":
    main()
