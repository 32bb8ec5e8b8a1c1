"""Reads the providers' endpoints.md: a row for each documented endpoint."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import NamedTuple

from simulator import Route

_TESTS = Path(__file__).parent


class Row(NamedTuple):
    """A row of a table.

    provider: its key. users: the names of what uses it. unused: the reason if nothing does.
    """

    provider: str
    document: str
    route: Route
    method: str
    users: tuple[str, ...]
    unused: str
    test: str


def _names(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def _rows() -> Iterator[Row]:
    for path in sorted(_TESTS.glob("*/endpoints.md")):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("| ") and not line.startswith(("| --- ", "| document ")):
                document, route, method, users, test = line.strip("| ").split(" | ")
                where, *kind = _names(route)
                yield Row(
                    path.parent.name,
                    document,
                    Route(*where.split(" "), *kind),
                    _names(method)[0],
                    _names(users),
                    users.removeprefix("not used: ") if users.startswith("not used: ") else "",
                    f"tests/api/{_names(test)[0]}",
                )


ROWS = tuple(_rows())
