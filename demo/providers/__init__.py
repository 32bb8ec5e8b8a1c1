"""The demo's data for each provider, in a module each."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from ..provider import Provider

PROVIDERS: Mapping[str, Provider] = {
    name: import_module(f"{__name__}.{name}").PROVIDER
    for name in sorted(module.name for module in iter_modules(__path__))
}
