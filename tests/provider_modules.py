"""Finds the modules in the providers' folders that the tests of all providers use."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

from custom_components.tunnel_hub.api import PROVIDERS


def modules(name: str) -> Mapping[str, ModuleType]:
    """Return the modules of a name, by provider. Raises ModuleNotFoundError if one is missing."""
    return {key: import_module(f"{__package__}.{key}.{name}") for key in PROVIDERS}
