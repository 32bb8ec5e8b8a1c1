"""Translated texts."""

from collections.abc import Iterable, Mapping
from functools import reduce

from .const import DOMAIN


def join_names(texts: Mapping[str, str], names: Iterable[str], key: str = "common.list_two") -> str:
    """Return names as a list in a language.

    texts: of the category `common` in that language; empty while Home Assistant loads it.
    key: of the text that joins two, without the domain.
    """
    two = texts.get(f"component.{DOMAIN}.{key}", "{first}, {second}")
    first, *others = [*names] or [""]
    return reduce(lambda joined, name: two.format(first=joined, second=name), others, first)
