"""Marks what only an extended run tests."""

from collections.abc import Collection
from typing import Any

import pytest

EXTENDED = pytest.mark.extended
"""Marks a test, or one of its parameters, that only an extended run tests."""


def each_with_each(names: Collection[object], rows: Collection[tuple[Any, ...]]) -> list[Any]:
    """Return the combinations of all names and rows as parameters.

    The quick form has every name and every row at least once.
    """
    fewer = min(len(names), len(rows))
    return [
        pytest.param(name, *row, marks=() if (i - j) % fewer == 0 else EXTENDED)
        for i, name in enumerate(names)
        for j, row in enumerate(rows)
    ]
