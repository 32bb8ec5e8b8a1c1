"""Reads the recordings."""

from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, override

from .comparison import NOT_RECORDED, Reply

DATA = Path(__file__).parent / "data"
SHARED = Path(__file__).parents[3] / "shared" / "real-answers"


@dataclass(frozen=True, slots=True)
class Recording:
    """A request to a real server, and its answer.

    line: its number in the file, from 1. path: with the query; some files omit the common prefix.
    sent: the JSON body, or a text; None for no body. note: on the situation.
    """

    line: int
    method: str
    path: str
    sent: Any
    reply: Reply
    note: str

    @override
    def __str__(self) -> str:
        """Return a description for a failure."""
        note = f" ({self.note})" if self.note else ""
        return f"line {self.line}: {self.method} {self.path}{note}"


def load(name: str, folder: Path | None = None) -> list[Recording]:
    """Return the recordings of a file, by its name without `.jsonl`."""
    folder = folder or (SHARED if SHARED.is_dir() else DATA)
    lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_recording(line, json.loads(text)) for line, text in enumerate(lines, 1)]


def by_line(name: str) -> dict[int, Recording]:
    """Return the recordings of a file by line."""
    return {recording.line: recording for recording in load(name)}


def _recording(line: int, row: dict[str, Any]) -> Recording:
    return Recording(
        line=line,
        method=row["method"],
        path=row["path"],
        sent=row["sent"],
        reply=Reply(
            status=row["status"],
            content_type=row.get("content_type", NOT_RECORDED),
            answer=row["answer"],
            location=row.get("location"),
        ),
        note=row.get("note", ""),
    )
