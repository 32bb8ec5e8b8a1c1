"""Who may know what. Which package may import which, import-linter checks."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .translations import INTEGRATION

OUTSIDE = sorted(
    path for path in INTEGRATION.rglob("*.py") if "api" not in path.relative_to(INTEGRATION).parts
)

# These name addresses of Home Assistant's own, not of a service.
OF_THE_HOUSE = {"dashboard.py"}

# All of aiohttp that the integration needs to hand the api a session that keeps no cookies.
ALLOWED_OF_AIOHTTP = {"ClientSession", "DummyCookieJar"}


def id_of(path: Path) -> str:
    """Return a file's name in the integration."""
    return str(path.relative_to(INTEGRATION))


def nodes(path: Path) -> Iterator[ast.AST]:
    """Return all that stands in a file."""
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Return what a file imports, as module and name."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "*") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def test_there_is_something_to_look_at() -> None:
    assert {"__init__.py", "coordinator.py", "services.py", "flows/base.py"} <= {
        id_of(path) for path in OUTSIDE
    }


@pytest.mark.parametrize("path", OUTSIDE, ids=id_of)
def test_nobody_else_sends_a_request(path: Path) -> None:
    """Only a session is made, for the api to use."""
    for module, name in imports(path):
        top = module.partition(".")[0]
        assert top not in {"httpx", "requests", "urllib", "http", "socket"}, module
        assert top != "aiohttp" or name in ALLOWED_OF_AIOHTTP, name
    methods = {"get", "post", "put", "delete", "patch", "head", "request", "ws_connect"}
    for node in nodes(path):
        if isinstance(node, ast.Attribute) and node.attr in methods:
            assert "session" not in ast.unparse(node.value), ast.unparse(node)


@pytest.mark.parametrize(
    "path", [path for path in OUTSIDE if id_of(path) not in OF_THE_HOUSE], ids=id_of
)
def test_nobody_else_builds_a_url(path: Path) -> None:
    """No text begins with a scheme or looks like a path, and no URL is joined."""
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert "://" not in node.value.partition("\n")[0], node.value
            assert not node.value.startswith("/"), node.value
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            assert "url" not in ast.unparse(node).lower(), ast.unparse(node)
        if isinstance(node, ast.Attribute) and node.attr in {"joinpath", "with_path", "with_query"}:
            raise AssertionError(ast.unparse(node))


@pytest.mark.parametrize("path", OUTSIDE, ids=id_of)
def test_nobody_else_reads_raw_answers(path: Path) -> None:
    """Neither decoding nor coercion, neither a client nor its rows, is imported."""
    inner = ("http", "coerce", "rows", "client", "session", "nodes")
    for module, name in imports(path):
        assert module not in {"json", "orjson"}, module
        of_api = module.startswith("api.") or module == "api"
        assert not of_api or not set(module.split(".")) & set(inner), module
        assert not of_api or name not in inner, name
        assert not of_api or len(module.split(".")) <= 2, f"a provider's own folder: {module}"


@pytest.mark.parametrize("path", OUTSIDE, ids=id_of)
def test_nobody_asks_for_a_providers_name(path: Path) -> None:
    """What differs between providers is told by their capabilities."""
    providers = {folder.name for folder in (INTEGRATION / "api").iterdir() if folder.is_dir()}
    for node in nodes(path):
        if isinstance(node, ast.Compare):
            compared = {
                part.value
                for part in ast.walk(node)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
            assert not compared & providers, ast.unparse(node)
