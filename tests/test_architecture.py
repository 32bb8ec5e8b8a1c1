"""Tests which modules may send requests, know providers, or replace names.

Import rules are checked by import-linter.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
import re

import pytest

from custom_components.tunnel_hub import api
from custom_components.tunnel_hub.api import KINDS, PROVIDERS
from custom_components.tunnel_hub.api.capabilities import Capability
from custom_components.tunnel_hub.flows import FLOWS
from custom_components.tunnel_hub.flows.base import Steps
from reference.pages import ROOT

from .translations import INTEGRATION

ON_THE_NET = {"api", "checks"}
"""The packages that send requests: to the services, and to addresses that are checked."""

OUTSIDE = sorted(
    path
    for path in INTEGRATION.rglob("*.py")
    if not ON_THE_NET & set(path.relative_to(INTEGRATION).parts)
)

# These build paths of Home Assistant, not of a service.
HOME_ASSISTANT_PATHS = {"dashboard.py"}

# What the integration needs of aiohttp for a session without cookies.
ALLOWED_OF_AIOHTTP = {"ClientSession", "DummyCookieJar"}


def id_of(path: Path) -> str:
    """Return a file's path in the integration, as a test id."""
    return str(path.relative_to(INTEGRATION))


def nodes(path: Path) -> Iterator[ast.AST]:
    """Return all syntax nodes of a file."""
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Return a file's imports, as module and name."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "*") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def test_files_are_found() -> None:
    assert {"__init__.py", "coordinator.py", "services.py", "flows/base.py"} <= {
        id_of(path) for path in OUTSIDE
    }


@pytest.mark.parametrize("path", OUTSIDE, ids=id_of)
def test_only_the_api_sends_requests(path: Path) -> None:
    """Other packages may only create a session."""
    for module, name in imports(path):
        top = module.partition(".")[0]
        assert top not in {"httpx", "requests", "urllib", "http", "socket"}, module
        assert top != "aiohttp" or name in ALLOWED_OF_AIOHTTP, name
    methods = {"get", "post", "put", "delete", "patch", "head", "request", "ws_connect"}
    for node in nodes(path):
        if isinstance(node, ast.Attribute) and node.attr in methods:
            assert "session" not in ast.unparse(node.value), ast.unparse(node)


@pytest.mark.parametrize(
    "path", [path for path in OUTSIDE if id_of(path) not in HOME_ASSISTANT_PATHS], ids=id_of
)
def test_only_the_api_builds_urls(path: Path) -> None:
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
def test_only_the_api_reads_raw_answers(path: Path) -> None:
    """Decoding, coercion, clients and their rows are not imported."""
    inner = ("http", "coerce", "rows", "client", "auth", "node_filter")
    for module, name in imports(path):
        assert module not in {"json", "orjson"}, module
        of_api = module.startswith("api.") or module == "api"
        assert not of_api or not set(module.split(".")) & set(inner), module
        assert not of_api or name not in inner, name
        assert not of_api or not set(module.split(".")) & PROVIDERS.keys(), (
            f"a provider's: {module}"
        )


# Providers are found, not named

_ROOTS = ("bench", "custom_components", "demo", "mutation", "reference", "simulator")
_TESTS_OF_ALL = (
    "reliability",
    "security",
    "provider_modules.py",
    "endpoints.py",
    "test_endpoints.py",
)
_OF_SOME = {
    # The page of frps for unknown domains.
    INTEGRATION / "checks" / "attempt.py",
    ROOT / "tests" / "security" / "test_kill.py",
}
"""Files about a few providers."""

KEYS = {*PROVIDERS, *(kind for kinds in KINDS.values() for kind in kinds if kind)}
NAMES = re.compile(
    "|".join(
        # Short names can be parts of other words.
        re.escape(name) if len(name) > 4 else rf"\b{name}\b"
        for name in {*KEYS, *(provider.name for provider in PROVIDERS.values())}
    ),
    re.IGNORECASE,
)


def belongs_to_a_provider(path: Path) -> bool:
    """Return whether a file, or one of its folders, is named after a provider or kind."""
    return bool({*path.parent.parts, path.stem} & KEYS)


OF_ALL_PROVIDERS = sorted(
    path
    for folder in (*(ROOT / root for root in _ROOTS), *(ROOT / "tests" / n for n in _TESTS_OF_ALL))
    for path in (folder.rglob("*.py") if folder.is_dir() else (folder,))
    if path not in _OF_SOME and not belongs_to_a_provider(path.relative_to(ROOT))
)
NOT_PYTHON = sorted([*INTEGRATION.rglob("*.js"), *(ROOT / ".github").rglob("*.yml")])


def words_in(tree: ast.AST) -> Iterator[str]:
    """Return the names and strings in code, except docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) not in docstrings:
            yield from (str(value) for _, value in ast.iter_fields(node) if type(value) is str)


def named(code: str) -> set[str]:
    """Return the words in code that contain a provider's name."""
    return {word for word in words_in(ast.parse(code)) if NAMES.search(word)}


@pytest.mark.parametrize("path", OF_ALL_PROVIDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_provider_is_named(path: Path) -> None:
    """Code about a provider is in its folders. Other code uses capabilities."""
    assert not named(path.read_text("utf-8"))


@pytest.mark.parametrize("path", NOT_PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_provider_is_named_outside_python(path: Path) -> None:
    assert not NAMES.findall(path.read_text("utf-8"))


@pytest.mark.parametrize(
    "code",
    [
        'if key == "hayfrp": ...',
        'MAIN = "hayfrp"',
        'NODES = frozenset(("easytier", "hayfrp"))',
        'x = TABLE["hayfrp"]',
        "TABLE = dict(hayfrp=1)",
        'x = unique_id.startswith("hayfrp.")',
        'match key:\n    case "other" | "hayfrp": ...',
        'match data:\n    case {"hayfrp": _}: ...',
        'if f"{key}" == f"hayfrp{1}": ...',
        'if description.name == "HY2 SCALE": ...',
        'if credentials["kind"] == "frps": ...',
        "if isinstance(provider, HayFrpProvider): ...",
        "from .flows import hayfrp",
        "from .api.hayfrp.provider import X",
        "import custom_components.tunnel_hub.api.frp as x",
        "x = simulator.hayfrp",
    ],
)
def test_the_name_of_a_provider_is_found(code: str) -> None:
    assert named(code)


def subclasses(cls: type) -> Iterator[type]:
    """Return all classes that derive from a class."""
    found: list[type] = cls.__subclasses__()
    for derived in found:
        yield derived
        yield from subclasses(derived)


def test_capabilities_are_declared_as_bases() -> None:
    """Each one has a provider, and providers only have methods of capabilities that they name."""
    capabilities = {
        cls
        for cls in subclasses(Capability)
        if Capability in cls.__bases__ or cls.__module__.startswith(Capability.__module__)
    }
    assert 10 < len(capabilities) <= 20
    for capability in capabilities:
        methods = {name for name in vars(capability) if not name.startswith("_")}
        classes = [api.provider_class(key, kind) for key, kinds in KINDS.items() for kind in kinds]
        having = [cls for cls in classes if issubclass(cls, capability)]
        assert having, capability
        for cls in classes:
            assert cls in having or not methods <= set(dir(cls)), (cls, capability)


def test_folders_have_the_keys_of_their_providers() -> None:
    for key, description in PROVIDERS.items():
        assert description.key == key


def test_steps_of_providers_have_different_names() -> None:
    """The steps are combined into one class, where one would override another."""
    owners = Counter(
        name
        for flow in FLOWS.values()
        for cls in flow.steps.__mro__[: -len(Steps.__mro__)]
        for name in {*vars(cls), *vars(cls).get("__annotations__", ())}
        if not name.startswith("__")
    )
    assert owners
    assert [name for name, count in owners.items() if count > 1] == []


# Private names of other classes are not replaced

_PATCHES = {"setattr", "delattr", "patch", "object", "multiple"}
_ELSEWHERE = sorted(
    path for root in ("tests", "bench", "demo", "simulator") for path in (ROOT / root).rglob("*.py")
)


def replaced(tree: ast.AST) -> Iterator[str]:
    """Return the names that code replaces: arguments of a patch, and assigned attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _PATCHES:
                for given in node.args[:2]:
                    match given:
                        case ast.Constant(value=str(text)):
                            yield from text.split(".")
                        case ast.Attribute():
                            yield given.attr
                yield from (keyword.arg or "" for keyword in node.keywords)
            case ast.Attribute(value=owner, attr=name, ctx=ast.Store() | ast.Del()):
                if ast.unparse(owner) not in {"self", "cls"}:
                    yield name


def private(tree: ast.AST) -> list[str]:
    """Return the private names that code replaces in other objects."""
    return [name for name in replaced(tree) if re.match(r"_[^_]", name)]


def test_no_private_name_is_replaced() -> None:
    """Another version of Home Assistant can have other private names."""
    assert len(_ELSEWHERE) > 100
    found = {
        str(path.relative_to(ROOT)): private(ast.parse(path.read_text("utf-8")))
        for path in _ELSEWHERE
    }
    assert not {path: names for path, names in found.items() if names}


@pytest.mark.parametrize(
    "code",
    [
        'monkeypatch.setattr(module, "_name", None)',
        'monkeypatch.setattr("package.module._name", None)',
        'monkeypatch.delattr("package._module.name")',
        'patch("package._module.name")',
        'patch.object(Class, "_name")',
        "patch.object(module._Class, 'name')",
        "patch.multiple(Class, _name=None)",
        'setattr(thing, "_name", None)',
        "thing._name = None",
        "del thing._name",
    ],
)
def test_replacing_a_private_name_is_found(code: str) -> None:
    assert private(ast.parse(code))
