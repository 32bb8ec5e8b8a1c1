"""Formats tables and footnotes in Markdown."""

from collections.abc import Iterable, Sequence

from .words import Language, word


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"|{'|'.join(map(_cell, line))}|" for line in lines)


def _cell(text: str) -> str:
    """Returns a cell with escaped vertical bars."""
    return f" {text.replace('|', '\\|')} " if text else " "


def titles(language: Language, *english: str) -> list[str]:
    """Returns a table's titles in a language."""
    return [word(language, title) for title in english]


def collapsed(summary: str, text: str) -> str:
    """Returns collapsed text with a summary."""
    return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"


class Notes:
    """Footnotes, numbered in order of first use, for below the table."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._marks: dict[str, str] = {}

    def mark(self, note: str) -> str:
        """Returns the mark of a note."""
        return " " + self._marks.setdefault(note, "¹²³⁴"[len(self._marks)])

    def below(self, table: str) -> str:
        """Returns a table with its notes."""
        if not self._marks:
            return table
        notes = [f"{mark} {word(self._language, note)}" for note, mark in self._marks.items()]
        return f"{table}\n\n{' · '.join(notes)}"
