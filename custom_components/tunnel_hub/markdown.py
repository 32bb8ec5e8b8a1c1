"""Escapes text of services for Markdown, which repairs and forms use."""

from collections.abc import Mapping

_MOST = 2000
_LOOK_ALIKES = str.maketrans("<>[]", "＜＞［］")


def escape_markdown(words: Mapping[str, str]) -> dict[str, str]:
    """Return text, possibly cut, that cannot become a link, an image or HTML."""
    return {name: _cut(text).translate(_LOOK_ALIKES) for name, text in words.items()}


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
