"""Commands and queries for ChmlFrp's nodes."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import override

from .. import coerce
from ..capabilities.nodes import CanAskNodes, CanChooseNodes
from ..errors import RejectedError
from ..http import Transport
from ..models.nodes import DayUptime, Node, NodeEndpoint
from ..time_slices import iterate
from . import history
from .client import ChmlFrpClient
from .feeds import Feeds
from .models import FREE_GROUP, VIP, day_uptimes, node_endpoint
from .tunnels import PROTOCOLS


class NodeCommands(CanAskNodes, CanChooseNodes):
    """Questions to nodes, and what nodes do for an account."""

    history_fields = history.FIELDS.keys()
    protocols = PROTOCOLS
    _client: ChmlFrpClient
    _feeds: Feeds
    _transport: Transport

    @override
    async def node_names(self) -> Mapping[str, str]:
        return await self._feeds.node_names()

    @override
    async def node_details(self, node_id: str) -> Node:
        return await self._feeds.node_details(node_id)

    @override
    async def all_nodes(self) -> Mapping[str, Node]:
        return await self._feeds.nodes()

    @override
    async def closed_groups(self) -> Collection[str]:
        group = coerce.text((await self._client.userinfo()).get("usergroup"))
        return {VIP} if group == FREE_GROUP else ()

    @override
    async def node_endpoint(self, node_id: str) -> NodeEndpoint:
        """Read the details of a node, which some nodes refuse."""
        with suppress(RejectedError):
            return node_endpoint(await self._client.nodeinfo(await self._feeds.node_name(node_id)))
        return NodeEndpoint()

    @override
    async def node_history(
        self, node_id: str, fields: Collection[str], start: datetime | None, end: datetime | None
    ) -> Sequence[history.Sample]:
        """Return measurements of a node; runs in a thread because they are megabytes."""
        history.check_fields(fields)
        info = await self._client.node_status_info(await self._feeds.node_name(node_id))
        return await asyncio.to_thread(history.samples, info, fields, start, end)

    @override
    async def uptime_history(self, number: int) -> Mapping[str, tuple[DayUptime, ...]]:
        rows = await self._client.node_uptime(number)
        return {
            id_: day_uptimes(row)
            async for row in iterate(rows)
            if (id_ := coerce.identifier(row.get("id"))) is not None
        }

    @override
    async def force_all_offline(self) -> Mapping[str, str]:
        results = (await self._client.offline_user_nodes()).get("results")
        by_node = coerce.data(results, self._transport.secrets.hide)
        return {node: self._transport.redact(result) for node, result in by_node.items()}
