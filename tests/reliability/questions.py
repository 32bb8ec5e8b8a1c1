"""What can be asked of each provider, one row for every request whose answer is read."""

from typing import cast

from aiohttp import ClientSession

from custom_components.tunnel_hub.api import create_provider
from custom_components.tunnel_hub.api.capabilities.directory import PUBLIC_NODES
from custom_components.tunnel_hub.api.provider import KIND

from .provider_modules import FOUND
from .providers import Ask, Case

OPTIONS = {PUBLIC_NODES: ["1", "9"]}
"""Of a node manager; the others take no notice."""

_ANYWHERE = {"base_url": "http://127.0.0.1", "host": "127.0.0.1", "email": "any", "token": "any"}


def questions_for(case: Case) -> dict[str, Ask]:
    """Return all that can be asked of a provider with such an entry."""

    def reading(feed: str) -> Ask:
        return lambda asked: asked.feeds[feed].fetch()

    # It sends nothing, so it needs no session to tell what feeds it has.
    feeds = create_provider(
        case.service, cast("ClientSession", None), {**_ANYWHERE, KIND: case.kind}, OPTIONS
    ).feeds
    return {
        "identify": lambda asked: asked.identify(),
        **{f"feed {feed}": reading(feed) for feed in feeds},
        **FOUND[case.of].commands,
    }
