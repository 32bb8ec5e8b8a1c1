"""What docs/endpoints.md says: a row for each documented endpoint of each provider."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import NamedTuple

from custom_components.tunnel_hub.api import PROVIDERS
from simulator import Route

_TABLES = Path(__file__).parents[1] / "docs" / "endpoints.md"


class Row(NamedTuple):
    """A line of a table.

    provider: its key. met: the names in the column on users. unmet: why there are none.
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
    """Read all tables."""
    keys = {description.name: key for key, description in PROVIDERS.items()}
    provider = ""
    for line in _TABLES.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            provider = keys[line.removeprefix("## ")]
        if line.startswith("| ") and not line.startswith(("| --- ", "| document ")):
            document, route, method, met, test = line.strip("| ").split(" | ")
            where, *kind = _names(route)
            yield Row(
                provider,
                document,
                Route(*where.split(" "), *kind),
                _names(method)[0],
                _names(met),
                met.removeprefix("nobody: ") if met.startswith("nobody: ") else "",
                f"tests/api/{_names(test)[0]}",
            )


ROWS = tuple(_rows())
