"""Who may know what. Which package may import which, import-linter checks."""

import ast
from collections import Counter
from collections.abc import Collection, Iterator
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
"""The packages that send something: to the services, and to addresses that are checked."""

OUTSIDE = sorted(
    path
    for path in INTEGRATION.rglob("*.py")
    if not ON_THE_NET & set(path.relative_to(INTEGRATION).parts)
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
    "browser",
    "reliability",
    "security",
    "provider_modules.py",
    "endpoints.py",
    "test_endpoints.py",
)
_LOOK_UPS = {"get", "getattr", "pop", "setdefault", "startswith", "endswith", "removeprefix"}


_OF_SOME = {ROOT / "tests" / "security" / "test_kill.py"}
"""What is about a few providers and about nothing else."""


def belongs_to_a_provider(path: Path) -> bool:
    """Tell whether a file has the name of a provider's key, or is in such a folder."""
    return bool({*path.parent.parts, path.stem} & PROVIDERS.keys())


OF_ALL_PROVIDERS = sorted(
    path
    for folder in (*(ROOT / root for root in _ROOTS), *(ROOT / "tests" / n for n in _TESTS_OF_ALL))
    for path in (folder.rglob("*.py") if folder.is_dir() else (folder,))
    if path not in _OF_SOME and not belongs_to_a_provider(path.relative_to(ROOT))
)


def chosen_by(node: ast.AST) -> Iterator[ast.AST | str | None]:
    """Return what a piece of code decides by: what it compares, looks up, or has in a table."""
    match node:
        case ast.Compare():
            yield from ast.walk(node)
        case ast.Subscript(slice=key):
            yield key
        case ast.Dict(keys=keys):
            yield from keys
        case ast.MatchValue(value=value):
            yield value
        case ast.MatchMapping(keys=several):
            yield from several
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            yield from (keyword.arg for keyword in node.keywords)
            if name in _LOOK_UPS:
                yield from node.args
        case ast.ImportFrom():
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)


def named(tree: ast.AST, keys: Collection[str]) -> list[str]:
    """Return the places where code decides by the key of a provider, or imports one."""
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if {part.value if isinstance(part, ast.Constant) else part for part in chosen_by(node)}
        & {*keys}
    ]


@pytest.mark.parametrize("path", OF_ALL_PROVIDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_asks_for_a_providers_name(path: Path) -> None:
    """What differs between providers is told by their capabilities, or stands in their folders."""
    assert not named(ast.parse(path.read_text("utf-8")), PROVIDERS)


@pytest.mark.parametrize("path", sorted((ROOT / "demo").glob("*.py")), ids=lambda path: path.name)
def test_the_demo_names_no_provider(path: Path) -> None:
    """What is done at one of them stands in its module."""
    tree = ast.parse(path.read_text("utf-8"))
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not constants & PROVIDERS.keys()


@pytest.mark.parametrize(
    "code",
    [
        'if key == "hayfrp": ...',
        'x = key in ("easytier", "hayfrp")',
        'x = TABLE["hayfrp"]',
        'TABLE = {"hayfrp": 1}',
        "TABLE = dict(hayfrp=1)",
        'x = TABLE.get("hayfrp")',
        'x = getattr(simulator, "hayfrp")',
        'x = unique_id.startswith("hayfrp")',
        'match key:\n    case "hayfrp": ...',
        'match key:\n    case "other" | "hayfrp": ...',
        'match data:\n    case {"hayfrp": _}: ...',
        "from .flows import hayfrp",
        "from .api.hayfrp.provider import X",
    ],
)
def test_a_providers_name_would_be_found(code: str) -> None:
    assert named(ast.parse(code), {"hayfrp"})


def test_capabilities_are_few_and_named_as_bases() -> None:
    """Every one has a provider, and a provider has no method of one that it does not name."""
    capabilities = Capability.__subclasses__()
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


def test_steps_of_providers_share_no_name() -> None:
    """They are put together into one class, where one would replace the other."""
    owners = Counter(
        name
        for flow in FLOWS.values()
        for cls in flow.steps.__mro__[: -len(Steps.__mro__)]
        for name in {*vars(cls), *vars(cls).get("__annotations__", ())}
        if not name.startswith("__")
    )
    assert owners
    assert [name for name, count in owners.items() if count > 1] == []


# Private names of others are not replaced

_PATCHES = {"setattr", "delattr", "patch", "object", "multiple"}
_ELSEWHERE = sorted(
    path for root in ("tests", "bench", "demo", "simulator") for path in (ROOT / root).rglob("*.py")
)


def replaced(tree: ast.AST) -> Iterator[str]:
    """Return the names that code replaces: those given to a patch, and attributes it sets."""
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
    """Return the private names that code replaces in something else."""
    return [name for name in replaced(tree) if re.match(r"_[^_]", name)]


def test_no_private_name_is_replaced() -> None:
    """Tests replace public names only: another version may have other private ones."""
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
