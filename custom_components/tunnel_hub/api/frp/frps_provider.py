"""frps: one server, and its commands."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any, override

from aiohttp import ClientSession

from ..capabilities.account import CanGetTrafficHistory
from ..capabilities.tunnels import CanForgetOfflineTunnels
from ..days import today
from ..errors import UnsupportedError
from ..models.account import DayTraffic
from ..provider import Credentials, Issue, Options
from .base_provider import FRP, FrpProgram
from .frps_client import FrpsClient
from .frps_feeds import Feeds
from .frps_models import days, days_until


class FrpsProvider(FrpProgram, CanForgetOfflineTunnels, CanGetTrafficHistory):
    """One server, with the API of its dashboard."""

    kind = "frps"
    guarded = "/api/serverinfo"
    description = replace(FRP, name="frps", model="Server")

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        super().__init__(session, credentials, options)
        self._client = FrpsClient(self._transport, *self._signs_in)
        self._feeds = Feeds(self._client, self.outside_host, self._learn_whether_open)
        self._feeds.on_memory = self.remember
        self.feeds = self._feeds.feeds()

    @property
    @override
    def time_zone(self) -> tzinfo | None:
        return self._feeds.time_zone

    @override
    def restore(self, memory: Mapping[str, Any]) -> None:
        self._feeds.restore(memory)

    @override
    async def _look(self) -> None:
        await self._feeds.server()

    @override
    def issues(self) -> Iterable[Issue]:
        if self.is_open:
            yield Issue(key="frps_without_password", placeholders={"address": self._url})

    @override
    async def forget_offline_tunnels(self) -> tuple[str, ...]:
        return await self._feeds.forget_offline()

    @override
    async def traffic_history(self, tunnel_id: str | None = None) -> tuple[DayTraffic, ...]:
        """Return seven days of a tunnel; frps has no history of all tunnels together."""
        if tunnel_id is None:
            raise UnsupportedError
        try:
            return days(await self._client.traffic_v2(tunnel_id))
        except UnsupportedError:
            return days_until(today(self.time_zone or UTC), await self._client.traffic(tunnel_id))
