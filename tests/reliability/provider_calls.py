"""All calls of each provider that parse an answer."""

from typing import cast

from aiohttp import ClientSession

from custom_components.tunnel_hub.api import create_provider
from custom_components.tunnel_hub.api.capabilities.directory import PUBLIC_NODES
from custom_components.tunnel_hub.api.provider import KIND

from .provider_modules import PROVIDER_DATA
from .providers import Ask, Case

OPTIONS = {PUBLIC_NODES: ["1", "9"]}
"""For HY2 SCALE; other providers ignore them."""

_ANYWHERE = {"base_url": "http://127.0.0.1", "host": "127.0.0.1", "email": "any", "token": "any"}


def calls_for(case: Case) -> dict[str, Ask]:
    """Returns all calls of a provider with such an entry, by name."""

    def reading(feed: str) -> Ask:
        return lambda asked: asked.feeds[feed].fetch()

    # Listing the feeds sends no requests, so no session is needed.
    feeds = create_provider(
        case.service, cast("ClientSession", None), {**_ANYWHERE, KIND: case.kind}, OPTIONS
    ).feeds
    return {
        "identify": lambda asked: asked.identify(),
        **{f"feed {feed}": reading(feed) for feed in feeds},
        **PROVIDER_DATA[case.key].commands,
    }
