"""Other people's words where Home Assistant shows Markdown: in repairs and forms."""

from collections.abc import Mapping

_LOOK_ALIKES = str.maketrans("<>[]", "＜＞［］")


def plain(words: Mapping[str, str]) -> dict[str, str]:
    """Return words that cannot become a link, a picture or HTML, and look as before."""
    return {name: text.translate(_LOOK_ALIKES) for name, text in words.items()}
