"""Dotted paths into dictionaries, lists and dataclasses: ``tunnels.3.enabled``, ``rows.*.node``.

A dot in a key is escaped with a backslash.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
import re

_DOT = re.compile(r"(?<!\\)\.")


def put(root: object, path: str, value: object) -> None:
    """Set every value at the path; raises LookupError for a new key outside of a dictionary."""
    for parent, key in _places(root, path):
        if isinstance(parent, dict):
            parent[key] = value
        elif key not in _keys(parent):
            raise LookupError(path)
        elif isinstance(parent, list):
            parent[int(key)] = value
        else:
            setattr(parent, key, value)


def drop(root: object, path: str) -> None:
    """Remove every dictionary key at the path."""
    for parent, key in _places(root, path):
        if isinstance(parent, dict):
            parent.pop(key, None)


def _places(root: object, path: str) -> Iterator[tuple[object, str]]:
    """Yield (parent, key) for every value at the path."""
    *steps, last = (step.replace("\\.", ".") for step in _DOT.split(path))
    parents = [root]
    for step in steps:
        parents = [_child(parent, key) for parent in parents for key in _expand(parent, step)]
    for parent in parents:
        for key in _expand(parent, last):
            yield parent, key


def _expand(parent: object, step: str) -> list[str]:
    return _keys(parent) if step == "*" else [step]


def _keys(parent: object) -> list[str]:
    if isinstance(parent, dict):
        return list(parent)
    if isinstance(parent, list):
        return [str(index) for index in range(len(parent))]
    if is_dataclass(parent):
        return [field.name for field in fields(parent)]
    return []


def _child(parent: object, key: str) -> object:
    if key not in _keys(parent):
        raise LookupError(key)
    if isinstance(parent, dict):
        return parent[key]
    if isinstance(parent, list):
        return parent[int(key)]
    return getattr(parent, key)
