"""Translated texts."""

from collections.abc import Iterable, Mapping
from functools import reduce

from .const import DOMAIN


def join_texts(texts: Mapping[str, str], parts: Iterable[str], key: str) -> str:
    """Return names, or sentences, one after the other as a language does it.

    texts: of the category `common` in that language; empty while Home Assistant loads it.
    key: of the text that joins two, without the domain.
    """
    two = texts.get(f"component.{DOMAIN}.{key}", "{first}, {second}")
    first, *others = [*parts] or [""]
    return reduce(lambda joined, part: two.format(first=joined, second=part), others, first)
