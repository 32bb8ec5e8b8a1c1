"""The tunnel services, without Home Assistant: providers, resources, feeds and errors.

The public API: PROVIDERS (key -> description), KINDS (key -> kinds of entries), create_provider and
stored_account_id. Every folder with a provider.py is a provider. All providers are imported with
this package, which Home Assistant does in an executor thread.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from aiohttp import ClientSession

from .provider import KIND, Credentials, Options, Provider, ProviderDescription

PROVIDER_CLASSES: Mapping[str, type[Provider]] = {
    module.parent.name: import_module(f"{__name__}.{module.parent.name}").PROVIDER
    for module in sorted(Path(__file__).parent.glob("*/provider.py"))
}

PROVIDERS: Mapping[str, ProviderDescription] = {
    key: provider.description for key, provider in PROVIDER_CLASSES.items()
}


KINDS: Mapping[str, tuple[str, ...]] = {
    key: tuple(provider.kinds) or ("",) for key, provider in PROVIDER_CLASSES.items()
}


def provider_class(key: str, kind: str = "") -> type[Provider]:
    """Return the class of a kind of entries; raises KeyError for an unknown key."""
    kinds = PROVIDER_CLASSES[key].kinds or {"": PROVIDER_CLASSES[key]}
    return kinds.get(kind) or next(iter(kinds.values()))


def create_provider(
    key: str, session: ClientSession, credentials: Credentials, options: Options
) -> Provider:
    """Create the provider with a key; it sends nothing before its first use.

    session: must not store cookies. Raises KeyError for an unknown key.
    """
    return provider_class(key, credentials.get(KIND, ""))(session, credentials, options)


def stored_account_id(key: str, credentials: Credentials) -> str | None:
    """Return an account's id from stored data, as Provider.id_in; None for an unknown key."""
    return PROVIDER_CLASSES[key].id_in(credentials) if key in PROVIDER_CLASSES else None
