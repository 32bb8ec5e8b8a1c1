"""Providers with a minimum of capabilities, without HTTP.

Entities, options and actions must follow from a provider's capabilities and values.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import override

from aiohttp import ClientSession

from custom_components.tunnel_hub.api.capabilities.tunnels import CanForceDown
from custom_components.tunnel_hub.api.errors import RejectedError, TunnelHubError
from custom_components.tunnel_hub.api.feed import Feed
from custom_components.tunnel_hub.api.models.account import Account
from custom_components.tunnel_hub.api.models.base import Resource
from custom_components.tunnel_hub.api.models.tunnels import Tunnel
from custom_components.tunnel_hub.api.provider import (
    Credentials,
    Identity,
    Options,
    Provider,
    ProviderDescription,
)


class MinimalProvider(Provider):
    """Provides one account and one tunnel. It cannot identify the account.

    failure: the error that every read raises.
    """

    description = ProviderDescription(
        key="modest", name="Modest", console_url="https://modest.example.com"
    )
    failure: TunnelHubError | None = None

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        self.credentials = credentials
        self.tunnel = Tunnel(id="1", name="only", online=True)
        self.feeds = {
            "account": Feed[Resource](
                "account",
                Account,
                frozenset({"traffic_left"}),
                timedelta(minutes=1),
                self._account,
                required=True,
            ),
            "tunnels": Feed[Resource](
                "tunnels", Tunnel, frozenset({"online"}), timedelta(minutes=1), self._tunnels
            ),
        }

    @override
    async def identify(self) -> Identity:
        raise RejectedError("nobody")

    @override
    def statistics(self) -> Mapping[str, int]:
        return {}

    @override
    def close(self) -> None:
        """Do nothing, because there is no transport."""

    async def _account(self) -> Mapping[str, Resource]:
        if self.failure is not None:
            raise self.failure
        return {"account": Account(id="account", traffic_left=1024**3)}

    async def _tunnels(self) -> Mapping[str, Resource]:
        return {"1": self.tunnel}


class DisconnectingProvider(MinimalProvider, CanForceDown):
    """Can also disconnect clients, which connect again."""

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        super().__init__(session, credentials, options)
        self.kicks = 0

    @override
    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        """Disconnect the client."""
        if self.failure is not None:
            raise self.failure
        self.kicks += 1
        self.tunnel = replace(self.tunnel, online=False)
