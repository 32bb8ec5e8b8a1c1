"""The config flow steps of the providers: one module for each, named by the provider's key."""

from collections.abc import Mapping
from importlib import import_module

from ..api import PROVIDERS
from .base import ProviderFlow

FLOWS: Mapping[str, ProviderFlow] = {
    key: import_module(f"{__name__}.{key}").FLOW for key in PROVIDERS
}
