"""The measured services: a module for each."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from ..service import Service

SERVICES: Mapping[str, Service] = {
    name: import_module(f"{__name__}.{name}").SERVICE
    for name in sorted(module.name for module in iter_modules(__path__))
}

MAIN = next(name for name, service in SERVICES.items() if service.is_main)
"""The service for which growth and memory are also measured, with which others are compared."""
