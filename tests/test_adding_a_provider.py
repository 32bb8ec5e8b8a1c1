"""That docs/adding-a-provider.md is true: it is followed, to the letter, in a copy of the house."""

from collections.abc import Iterator
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any

from reference.pages import ROOT

PAGE = ROOT / "docs" / "adding-a-provider.md"
NEEDED = ("custom_components", "docs", "reference", "simulator", "tests", "pyproject.toml")


def steps() -> Iterator[tuple[str, str, str]]:
    """Return what the page has its reader do: to which file, in which form, and what."""
    yield from re.findall(
        r"^`([^`]+)`\n\n```(\w+)\n(.*?)^```$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )


def follow(house: Path) -> None:
    """Do all of it: write new files, change some lines of others, add words."""
    for name, form, text in steps():
        path = house / name
        match form:
            case "python":
                path.parent.mkdir(exist_ok=True)
                with path.open("x", encoding="utf-8") as new:
                    new.write(text)
            case "diff":
                path.write_text(changed(path.read_text("utf-8"), text), "utf-8")
            case "json":
                words = json.loads(path.read_text("utf-8"))
                add(words, json.loads(text))
                path.write_text(json.dumps(words), "utf-8")


def changed(text: str, diff: str) -> str:
    """Return a file with some lines changed, each hunk where it fits, and it must fit once."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def add(words: dict[str, Any], more: dict[str, Any]) -> None:
    """Add to a tree what it does not have."""
    for key, value in more.items():
        if isinstance(value, dict):
            add(words.setdefault(key, {}), value)
        else:
            assert words.setdefault(key, value) is value, key


def test_a_provider_is_added_by_following_the_page(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "snapshots")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, tmp_path)
    follow(tmp_path)

    # What tells this run about its workers is not for those that it starts.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    for tool in (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        (
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/lighthouse",
            "tests/test_translations.py",
        ),
    ):
        done = subprocess.run(
            [sys.executable, "-m", *tool],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
