"""The tunnel services, without Home Assistant: providers, resources, feeds and errors.

Public surface: PROVIDERS (key -> description), create_provider and stored_account_id.
"""

from collections.abc import Mapping

from aiohttp import ClientSession

from .chmlfrp import ChmlFrpProvider
from .easytier import EasyTierProvider
from .hayfrp import HayFrpProvider
from .hy2scale import Hy2ScaleProvider
from .provider import Credentials, Options, Provider, ProviderDescription

_PROVIDERS: Mapping[str, type[Provider]] = {
    provider.description.key: provider
    for provider in (HayFrpProvider, ChmlFrpProvider, Hy2ScaleProvider, EasyTierProvider)
}

PROVIDERS: Mapping[str, ProviderDescription] = {
    key: provider.description for key, provider in _PROVIDERS.items()
}


def create_provider(
    key: str, session: ClientSession, credentials: Credentials, options: Options
) -> Provider:
    """Make the provider with that key; nothing is sent before its first use.

    session: must not keep cookies. Raises KeyError for an unknown key.
    """
    return _PROVIDERS[key](session, credentials, options)


def stored_account_id(key: str, credentials: Credentials) -> str | None:
    """Return an account's id without asking for it, as Provider.id_in; None for an unknown key."""
    return _PROVIDERS[key].id_in(credentials) if key in _PROVIDERS else None
