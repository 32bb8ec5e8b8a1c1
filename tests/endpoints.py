"""Reads the providers' endpoints.md: a row for each documented endpoint."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import NamedTuple

from simulator import Route

_TESTS = Path(__file__).parent


class Row(NamedTuple):
    """A row of a table.

    provider: its key. met: the names in the column on users. unmet: the reason for none.
    """

    provider: str
    document: str
    route: Route
    method: str
    met: tuple[str, ...]
    unmet: str
    test: str


def _names(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def _rows() -> Iterator[Row]:
    for path in sorted(_TESTS.glob("*/endpoints.md")):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("| ") and not line.startswith(("| --- ", "| document ")):
                document, route, method, met, test = line.strip("| ").split(" | ")
                where, *kind = _names(route)
                yield Row(
                    path.parent.name,
                    document,
                    Route(*where.split(" "), *kind),
                    _names(method)[0],
                    _names(met),
                    met.removeprefix("nobody: ") if met.startswith("nobody: ") else "",
                    f"tests/api/{_names(test)[0]}",
                )


ROWS = tuple(_rows())
