"""What each provider brings to the tests that are for all of them, in its folder of tests."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

from custom_components.tunnel_hub.api import PROVIDERS


def modules(name: str) -> Mapping[str, ModuleType]:
    """Return the modules of that name, by provider; raises ModuleNotFoundError if one lacks it."""
    return {key: import_module(f"{__package__}.{key}.{name}") for key in PROVIDERS}
