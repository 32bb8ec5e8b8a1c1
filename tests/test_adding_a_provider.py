"""Tests that following docs/adding-a-provider.md works, in a copy of the repository."""

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
NEEDED = (
    *("bench", "custom_components", "demo", "docs", "mutation", "reference", "simulator", "tests"),
    *("pyproject.toml", "typings"),
)
CACHE = ".mypy_cache"


def steps() -> Iterator[tuple[str, str, str]]:
    """Return the page's steps: file, form and content."""
    yield from re.findall(
        r"^`([^`]+)`\n\n```(\w+)\n(.*?)^```$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )


def follow(repository: Path) -> None:
    """Follow all steps: write new files and add words. Nothing else is changed."""
    for name, form, text in steps():
        path = repository / name
        match form:
            case "python":
                path.parent.mkdir(exist_ok=True)
                with path.open("x", encoding="utf-8") as new:
                    new.write(text)
            case "json":
                words = json.loads(path.read_text("utf-8"))
                add(words, json.loads(text))
                path.write_text(json.dumps(words), "utf-8")


def add(words: dict[str, Any], more: dict[str, Any]) -> None:
    """Add keys to a tree that it does not have."""
    for key, value in more.items():
        if isinstance(value, dict):
            add(words.setdefault(key, {}), value)
        else:
            assert words.setdefault(key, value) is value, key


def test_only_words_are_added_outside_the_providers_folders() -> None:
    forms = {form for _, form, _ in steps()}
    assert forms == {"python", "json"}
    for name, form, _ in steps():
        assert "lighthouse" in name if form == "python" else "/translations/" in name


def test_a_provider_is_added_by_following_the_page(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("snapshots")
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, tmp_path)
    if (ROOT / CACHE).is_dir():
        # With the results of scripts/lint, mypy only checks the new files.
        shutil.copytree(ROOT / CACHE, tmp_path / CACHE)
    follow(tmp_path)
    new = [name for name, form, _ in steps() if form == "python"]

    # The settings of this run's worker do not apply to the runs that it starts.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    for tool in (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy", *new),
        (
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/lighthouse",
            "tests/test_translations.py",
            "tests/test_architecture.py",
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
