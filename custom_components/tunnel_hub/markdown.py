"""Other people's words where Home Assistant shows Markdown: in repairs and forms."""

from collections.abc import Mapping

_MOST = 2000
_LOOK_ALIKES = str.maketrans("<>[]", "＜＞［］")


def escape_markdown(words: Mapping[str, str]) -> dict[str, str]:
    """Return words that cannot become a link, a picture or HTML, and look as before, if cut."""
    return {name: _cut(text).translate(_LOOK_ALIKES) for name, text in words.items()}


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
