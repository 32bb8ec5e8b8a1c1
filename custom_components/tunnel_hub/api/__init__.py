"""The tunnel services, without Home Assistant: providers, resources, feeds and errors.

Public surface: PROVIDERS (key -> description) and create_provider.
"""

from collections.abc import Mapping

from aiohttp import ClientSession

from .hayfrp import HAYFRP
from .provider import Credentials, Options, Provider, ProviderDescription

PROVIDERS: Mapping[str, ProviderDescription] = {
    description.key: description for description in (HAYFRP,)
}


def create_provider(
    key: str, session: ClientSession, credentials: Credentials, options: Options
) -> Provider:
    """Make the provider with that key; nothing is sent before its first use.

    session: must not keep cookies. Raises KeyError for an unknown key.
    """
    return PROVIDERS[key].create(session, credentials, options)
