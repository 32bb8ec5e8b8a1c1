"""Tests the release workflow, from the tag to the published release."""

from collections.abc import Mapping, Sequence
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Any
from zipfile import ZipFile

from homeassistant.util.yaml import load_yaml_dict
import pytest

from .translations import INTEGRATION

ROOT = INTEGRATION.parents[1]
WORKFLOWS = ROOT / ".github" / "workflows"
JOBS: Mapping[str, Any] = load_yaml_dict(str(WORKFLOWS / "release.yml"))["jobs"]
VERSION: str = json.loads((INTEGRATION / "manifest.json").read_text("utf-8"))["version"]
TAG = f"v{VERSION}"

GH = """\
#!/bin/sh
echo "$@" >>"$(dirname "$0")/calls"
"""
"""Records its arguments."""


NEW_HOME = """
import asyncio, sys
from pathlib import Path
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import async_test_home_assistant

async def main(home):
    async with async_test_home_assistant(config_dir=home) as hass:
        hass.data.pop("custom_components", None)
        assert await async_setup_component(hass, "network", {})
        integration = await async_get_integration(hass, "tunnel_hub")
        await integration.async_get_platforms(sorted(integration.platforms_exists(PLATFORMS)))
        flows = hass.config_entries.flow
        form = await flows.async_init("tunnel_hub", context={"source": "user"})
        form = await flows.async_configure(form["flow_id"], {"next_step_id": "watched"})
        added = await flows.async_configure(form["flow_id"], {"address": "127.0.0.1:1"})
        await hass.async_block_till_done()
        print(added["result"].state.value, integration.file_path)
        assert not [name for name in sys.modules if name.startswith("simulator")]
        await hass.async_stop(force=True)

PLATFORMS = [*sys.argv[2:]]
asyncio.run(main(sys.argv[1]))
"""
"""Sets up the integration in a folder of an empty Home Assistant, and imports all platforms."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a repository with the files of a release, and one that is not committed."""
    checkout = tmp_path / "checkout"
    ours = INTEGRATION.relative_to(ROOT)
    shutil.copytree(ROOT / ours, checkout / ours, ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "scripts").mkdir()
    for name in ("CHANGELOG.md", "pyproject.toml", "scripts/release"):
        shutil.copy(ROOT / name, checkout / name)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "All")):
        subprocess.run([*git, *command], cwd=checkout, check=True)
    (checkout / ours / "notes_of_mine.txt").write_text("private")
    return checkout


def run(command: Sequence[str], checkout: Path, **env: str) -> str:
    """Run a command in a checkout, and return its output if it fails."""
    done = subprocess.run(
        command,
        cwd=checkout,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr if done.returncode else ""


def steps(job: str) -> Mapping[str, str]:
    """Return a job's commands, by the names of its steps."""
    return {step["name"]: step["run"] for step in JOBS[job]["steps"] if "run" in step}


def test_the_archive(checkout: Path) -> None:
    command = steps("build")["Build the archive and the notes"]

    assert run(["bash", "-ec", command], checkout, TAG=TAG) == ""

    with ZipFile(checkout / "dist" / "tunnel_hub.zip") as archive:
        files = {info.filename for info in archive.infolist() if not info.is_dir()}
    assert files == {
        str(path.relative_to(INTEGRATION))
        for path in INTEGRATION.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    notes = (checkout / "dist" / "notes.md").read_text("utf-8")
    before, ours, after = (ROOT / "CHANGELOG.md").read_text("utf-8").partition(notes)
    assert re.search(
        rf"^## \[{re.escape(VERSION)}\] - 20\d\d-\d\d-\d\d\n\n\Z", before, re.MULTILINE
    )
    assert ours
    assert re.match(r"\n(## \[|\[)", after)


def test_the_archive_can_be_set_up(checkout: Path, tmp_path: Path) -> None:
    """HACS extracts it into Home Assistant, without the other files of the repository."""
    command = steps("build")["Build the archive and the notes"]
    assert run(["bash", "-ec", command], checkout, TAG=TAG) == ""
    home = tmp_path / "config"
    ours = home / "custom_components" / INTEGRATION.name
    shutil.unpack_archive(checkout / "dist" / "tunnel_hub.zip", ours)

    platforms = [path.stem for path in INTEGRATION.glob("*.py") if path.stem != "__init__"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", NEW_HOME, str(home), *platforms],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines()[-1:] == [f"loaded {ours}"], done.stderr


OURS = f"## [{VERSION}]"


@pytest.mark.parametrize(
    "tag, file, change, complaint",
    [
        ("v0.0.1", "", ("", ""), f"The tag is v0.0.1, but manifest.json says {VERSION}."),
        (VERSION, "", ("", ""), f"The tag is {VERSION}, but manifest.json says {VERSION}."),
        (
            TAG,
            "pyproject.toml",
            (f'version = "{VERSION}"', 'version = "0.0.2"'),
            f"The tag is {TAG}, but pyproject.toml says 0.0.2.",
        ),
        (
            TAG,
            "CHANGELOG.md",
            (OURS, "## [0.0.3]"),
            f"CHANGELOG.md has no entries for {VERSION}.",
        ),
        (
            TAG,
            "CHANGELOG.md",
            (OURS, f"{OURS}\n\n## [0.0.3]"),
            f"CHANGELOG.md has no entries for {VERSION}.",
        ),
        (
            TAG,
            "CHANGELOG.md",
            (OURS, f"## [Unreleased]\n\n- New.\n\n{OURS}"),
            "CHANGELOG.md still has entries under Unreleased.",
        ),
    ],
)
def test_an_invalid_release_is_refused(
    checkout: Path, tag: str, file: str, change: tuple[str, str], complaint: str
) -> None:
    if file:
        text = (checkout / file).read_text("utf-8")
        assert change[0] in text
        (checkout / file).write_text(text.replace(*change, 1), "utf-8")

    assert run(["scripts/release", tag, "dist"], checkout) == f"{complaint}\n"
    assert not (checkout / "dist").exists()


def test_an_incomplete_release_is_not_public(checkout: Path, tmp_path: Path) -> None:
    """It is a draft until the archive is attached."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)

    for command in steps("publish").values():
        path = f"{tools}:{os.environ['PATH']}"
        assert run(["bash", "-ec", command], checkout, TAG=TAG, PATH=path) == ""

    draft, upload, publish = (tools / "calls").read_text().splitlines()
    assert draft.startswith(f"release create {TAG} --draft --verify-tag ")
    assert upload == f"release upload {TAG} dist/tunnel_hub.zip"
    assert publish == f"release edit {TAG} --draft=false"


def test_the_archive_is_built_after_all_tests() -> None:
    called = {job["uses"]: name for name, job in JOBS.items() if "uses" in job}
    for workflow in ("test", "validate"):
        assert "workflow_call" in load_yaml_dict(str(WORKFLOWS / f"{workflow}.yml"))[True]
        assert called[f"./.github/workflows/{workflow}.yml"] in JOBS["build"]["needs"]
    tests = load_yaml_dict(str(WORKFLOWS / "test.yml"))["jobs"]["test"]
    commands = [row["command"] for row in tests["strategy"]["matrix"]["include"]]
    assert commands == [".ci/run", "scripts/test --oldest"]
    assert "scripts/demo --check --archive dist/tunnel_hub.zip" in steps("build").values()
    assert JOBS["publish"]["needs"] == "build"


def test_only_the_job_that_publishes_has_write_permission() -> None:
    for name, job in JOBS.items():
        writes = {scope for scope, level in job["permissions"].items() if level == "write"}
        assert writes == ({"attestations", "contents", "id-token"} if name == "publish" else set())


def test_all_actions_are_pinned() -> None:
    for path in WORKFLOWS.glob("*.yml"):
        for used in re.findall(r"uses: (\S+)", path.read_text("utf-8")):
            assert re.search(r"@[0-9a-f]{40}$", used) or used.startswith("./"), (
                f"{path.name} {used}"
            )
