"""frpc: the client at home, with its admin API."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, override

from aiohttp import ClientSession

from ..capabilities.collections import CanEdit, EditableCollection
from ..capabilities.service import CanReloadConfiguration
from ..capabilities.tunnels import CanForceDown
from ..models.base import Resource
from ..models.tunnels import Tunnel, TunnelUpdate
from ..provider import Credentials, Issue, Options
from .base_provider import FRP, FrpProgram
from .frpc_client import STATUS, FrpcClient
from .frpc_feeds import FrpcFeeds
from .frpc_models import is_enabled
from .frpc_proxies import StoredProxies


class FrpcProvider(FrpProgram, CanEdit, CanForceDown, CanReloadConfiguration):
    """One frpc. Only the proxies of its store can be disabled, changed and forced down."""

    kind = "frpc"
    guarded = STATUS
    description = replace(FRP, name="frpc", model="Client", patience=1)
    disables_to_disconnect = True
    toggled = (Tunnel,)

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        super().__init__(session, credentials, options)
        self._client = FrpcClient(self._transport, *self._signs_in)
        self._feeds = FrpcFeeds(self._client, self._outside, self._learn_whether_open)
        self._feeds.on_memory = self.remember
        self._proxies = StoredProxies(self._client, self._feeds.of_file, self._feeds.forget)
        self.feeds = self._feeds.feeds()

    @override
    def restore(self, memory: Mapping[str, Any]) -> None:
        self._feeds.restore(memory)

    @override
    async def _look(self) -> None:
        await self._client.status()

    @override
    def issues(self) -> Iterable[Issue]:
        if self.is_open:
            yield Issue(key="frpc_without_password", placeholders={"address": self._url})
        if self._feeds.has_store is False:
            yield Issue(key="frpc_without_store")
        if failing := dict(self._feeds.lasting_errors()):
            words = [f"{name} ({error})" for name, error in failing.items()]
            yield Issue(key="proxies_not_started", placeholders={"proxies": words})

    @override
    async def reload_configuration(self) -> None:
        try:
            await self._client.reload()
        finally:
            self._feeds.forget()

    @override
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        return {
            TunnelUpdate: EditableCollection(
                create=self._proxies.create,
                update=self._proxies.update,
                delete=self._proxies.delete,
            )
        }

    @override
    async def set_enabled(self, of: type[Resource], row_id: str, *, enabled: bool) -> None:
        await self._proxies.set_enabled(row_id, enabled=enabled)

    @override
    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        """Disable a proxy for a moment; an enabled one starts again."""
        if not is_enabled(await self._proxies.row(tunnel_id)):
            return
        try:
            await self._proxies.set_enabled(tunnel_id, enabled=False)
        finally:
            # The proxy must not stay disabled in any case.
            await self._proxies.set_enabled(tunnel_id, enabled=True)
