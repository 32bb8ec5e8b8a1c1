"""The least coverage there may be: of lines, of branches, and of the config flow.

usage: python -m tests.thresholds, after pytest --cov
"""

import json
from pathlib import Path
import sys
import tempfile
from typing import Any

from coverage import Coverage

LINES = 97.0
BRANCHES = 95.0
_OF_LINES = ("covered_lines", "num_statements")
_OF_BRANCHES = ("covered_branches", "num_branches")
_WHOLE = ("/config_flow.py", "/flows/")
"""Parts of the paths of what must be covered in full."""


def share(summaries: list[dict[str, Any]], covered: str, number: str) -> float:
    """Return how much was run, in percent, by the names that coverage has for both."""
    run, there = (sum(int(s[name]) for s in summaries) for name in (covered, number))
    return 100 * run / there


def report() -> dict[str, Any]:
    """Return what the last run has covered."""
    coverage = Coverage()
    coverage.load()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        coverage.json_report(outfile=str(path))
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return loaded


def main() -> int:
    """Print the figures; 1 if one of them is too small."""
    told = report()
    whole = [
        file["summary"]
        for path, file in told["files"].items()
        if any(part in path for part in _WHOLE)
    ]
    figures = [
        ("lines", share([told["totals"]], *_OF_LINES), LINES),
        ("branches", share([told["totals"]], *_OF_BRANCHES), BRANCHES),
        ("lines of the config flow", share(whole, *_OF_LINES), 100.0),
        ("branches of the config flow", share(whole, *_OF_BRANCHES), 100.0),
    ]
    for name, reached, least in figures:
        sys.stdout.write(f"{reached:6.2f} % of {name} covered; at least {least:g} % must be\n")
    return int(any(reached < least for _, reached, least in figures))


if __name__ == "__main__":
    sys.exit(main())
