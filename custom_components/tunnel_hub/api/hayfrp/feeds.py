"""The feeds of a HayFrp account."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from .. import coerce
from ..age import Stamp
from ..cache import CachedRead
from ..errors import InvalidInputError, RejectedError, TunnelGoneError, TunnelHubError
from ..feed import FIFTEEN_MINUTES, FIVE_MINUTES, HALF_HOUR, HOUR, MINUTE, Feed, Probe, by_key
from ..gather import gather_all
from ..models.account import Account
from ..models.base import Resource
from ..models.nodes import Node, NodeEndpoint
from ..models.service import Notice, Release, ServiceTotals
from ..models.tunnels import Tunnel, TunnelState
from ..node_filter import NodeFilter
from ..provider import Options
from ..rows import Row, RowCache
from ..time_slices import iterate
from .auth import Session
from .client import HayFrpClient
from .models import (
    ACCOUNT,
    LISTED_NODE,
    NODE,
    READING_FIELDS,
    RELEASE,
    SERVICE,
    TUNNEL,
    Reading,
    with_reading,
)

_NEARLY_TWO_MINUTES = timedelta(seconds=110)

_SAME_MOMENT = 5.0
"""Seconds for which the values of nodes are cached."""

_CHECK_IDLE = timedelta(minutes=15)
"""The interval of a tunnel's probe while no browser is connected and its node shows no change."""

_UNANSWERED_GOOD_FOR = 300.0
"""Seconds; a result that is older is discarded if a later probe failed."""

_READING_GOOD_FOR = _UNANSWERED_GOOD_FOR + _CHECK_IDLE.total_seconds()
"""Seconds for which a result is valid otherwise."""

_CHECKS_AT_ONCE = 3
"""One below the limit of the transport, so that probes never delay a command."""

_CHECKS_PER_SECOND = 4
"""About as many as the console's page of tunnels sends when it is opened now and then."""


class Feeds:
    """Reads an account.

    session: keeps the csrf token.
    hide: removes secrets from a text.
    """

    def __init__(
        self,
        client: HayFrpClient,
        session: Session,
        options: Options,
        hide: Callable[[str], str],
    ) -> None:
        self._client = client
        self._session = session
        self._hide = hide
        self._nodes = NodeFilter(options)
        self._listing = asyncio.Lock()
        self._listed = RowCache(TUNNEL)
        self._tunnels: dict[str, Tunnel] | None = None
        self._readings: dict[str, Reading] = {}
        self._read_of: tuple[Mapping[str, Tunnel], Mapping[str, Reading]] = ({}, {})
        """What `_tunnels` was put together of: what has not changed is not put together again."""
        self._unanswered: set[str] = set()
        self._node_rows = CachedRead(self._client.get_node_info)
        self._node_clients: dict[str, int | None] | None = None
        self._known_nodes: dict[str, Node] = {}
        self._node_hosts: dict[str | None, str | None] = {}

    def feeds(self) -> dict[str, Feed[Resource]]:
        """Return the feeds by key."""
        return by_key(
            ACCOUNT.feed("account", MINUTE, self._account, FIFTEEN_MINUTES, required=True),
            TUNNEL.feed(
                "tunnels",
                MINUTE,
                self.list_tunnels,
                _NEARLY_TWO_MINUTES,
                also=READING_FIELDS,
                probe=Probe(
                    fields=READING_FIELDS,
                    is_worth_it=lambda tunnel: bool(tunnel.enabled),
                    read=self.check_tunnel,
                    concurrency=_CHECKS_AT_ONCE,
                    rate=_CHECKS_PER_SECOND,
                    idle_interval=_CHECK_IDLE,
                    find_changed=self._changed_tunnels,
                ),
            ),
            NODE.feed(
                "nodes",
                FIVE_MINUTES,
                self._list_nodes,
                HALF_HOUR,
                also=("description",),
                chosen=True,
            ),
            SERVICE.feed("service", FIVE_MINUTES, self._totals, HALF_HOUR),
            RELEASE.feed("release", HOUR, self._release),
            Feed("notice", Notice, frozenset({"text"}), HOUR, self._notice),
        )

    async def _account(self) -> Mapping[str, Account]:
        return await ACCOUNT.many([await self._session.use(self._client.get_info)])

    async def list_tunnels(self) -> dict[str, Tunnel]:
        """Read all tunnels, with the results of the last probes."""
        async with self._listing:
            rows = await self._session.use(self._client.list_tunnel)
            listed = await self._listed.read(rows)
            before, known = self._read_of
            # A tunnel without a result only gets one here if its row has changed.
            readings = {
                id_: reading
                for id_, tunnel in listed.items()
                if (id_ in self._readings or tunnel is not before.get(id_))
                and (reading := self._valid_reading(tunnel)) is not None
            }
            self._readings = dict(readings)
            if self._tunnels is None or self._read_of != (listed, readings):
                self._node_hosts = {
                    coerce.text(row.get("node")): coerce.text(row.get("node_domain"))
                    for row in rows
                }
                last = self._tunnels or {}
                self._tunnels = {
                    id_: last[id_]
                    if tunnel is before.get(id_) and readings.get(id_) is known.get(id_)
                    else with_reading(tunnel, readings.get(id_))
                    async for id_, tunnel in iterate(listed.items())
                }
                # Last, because the request may be cancelled.
                self._read_of = listed, readings
            return dict(self._tunnels)

    def _valid_reading(self, tunnel: Tunnel) -> Reading | None:
        """Return the last result of a tunnel, unless it is too old or from before a toggle.

        A tunnel that has been enabled stays as it was, mostly offline, until its next probe.
        """
        reading = self._readings.get(tunnel.id)
        if reading is not None and reading.read.age >= self._reading_good_for(tunnel.id):
            reading = None
        if reading is not None and reading.enabled == tunnel.enabled:
            return reading
        if not (tunnel.enabled and self.tunnel(tunnel.id).enabled is False):
            return None
        if reading is not None:
            return replace(reading, enabled=tunnel.enabled)
        return Reading(TunnelState.OFFLINE, tunnel.enabled, checked_at=None, read=Stamp.now())

    def _reading_good_for(self, tunnel_id: str) -> float:
        """Return the seconds for which a result is valid: until a little after the next probe."""
        usual = _UNANSWERED_GOOD_FOR if tunnel_id in self._unanswered else _READING_GOOD_FOR
        return max(usual, 2 * len(self._readings) / _CHECKS_PER_SECOND)

    async def _changed_tunnels(self) -> list[str]:
        """Return the tunnels whose node has a different number of clients than before.

        One public request for all tunnels, instead of one for each.
        """
        rows = await self._node_rows.get(_SAME_MOMENT)
        nodes = {id_: node.clients for id_, node in (await NODE.many(rows)).items()}
        before, self._node_clients = self._node_clients, nodes
        if before is None:
            return []
        changed = {id_ for id_ in nodes.keys() | before.keys() if nodes.get(id_) != before.get(id_)}
        return [t.id for t in (self._tunnels or {}).values() if t.node_id in changed]

    async def _used_nodes(self) -> dict[str, str | None]:
        """Return the names of the nodes of the account's tunnels, by id."""
        async with self._listing:
            tunnels = self._tunnels
        if tunnels is None:
            tunnels = await self.list_tunnels()
        return {t.node_id: t.node_name for t in tunnels.values() if t.node_id is not None}

    async def _list_nodes(self) -> Mapping[str, Node]:
        nodes = await self.all_nodes()
        return self._nodes.select(nodes, await self._used_nodes())

    async def all_nodes(self) -> Mapping[str, Node]:
        """Return nodes with values, nodes without, and known nodes that are offline now."""
        probed, listed, used = await gather_all(
            self._node_rows.get(0), self._client.get_node_list(), self._used_nodes()
        )
        described = await LISTED_NODE.many(listed)
        nodes = {id_: Node(id=id_, name=name, online=False) for id_, name in used.items()}
        async for id_, node in iterate(self._known_nodes.items()):
            nodes[id_] = Node(id=id_, name=node.name, description=node.description, online=False)
        nodes |= described
        async for id_, node in iterate((await NODE.many(probed)).items()):
            known = described.get(id_)
            nodes[id_] = replace(node, description=known.description if known else None)
        self._known_nodes = nodes
        return nodes

    async def node_endpoint(self, node_id: str) -> NodeEndpoint:
        """Return a node's address: the host of its tunnels, and the port in its values."""
        rows = await self._node_rows.get(MINUTE.total_seconds())
        port = next(
            (
                coerce.count(row.get("bind_port"))
                for row in rows
                if coerce.identifier(row.get("id")) == node_id
            ),
            None,
        )
        return NodeEndpoint(address=coerce.host_port(self._node_hosts.get(node_id), port))

    async def _totals(self) -> Mapping[str, ServiceTotals]:
        return await SERVICE.many([await self._client.hayfrp_info()])

    async def _release(self) -> Mapping[str, Release]:
        return await RELEASE.many([await self._client.version()])

    async def _notice(self) -> Mapping[str, Notice]:
        words = coerce.plain_text(await self._client.get_notice())
        text = coerce.human_text(self._hide(words))
        return {"service": Notice(id="service", text=text)}

    async def node_names(self) -> Mapping[str, str]:
        """Return the names of all nodes by id, whether they are chosen or not."""
        if not self._known_nodes:
            await self._list_nodes()
        return {id_: node.name or id_ for id_, node in self._known_nodes.items()}

    def tunnel(self, tunnel_id: str) -> Tunnel:
        """Return a tunnel as last listed; an unknown one only has an id."""
        return (self._tunnels or {}).get(tunnel_id) or Tunnel(id=tunnel_id)

    async def check_tunnel(self, tunnel: Tunnel) -> Tunnel:
        """Read whether a tunnel is online."""
        before = self.tunnel(tunnel.id).enabled
        try:
            state = await self._session.use(
                lambda csrf: self._client.get_tunnel_status(csrf, tunnel.id)
            )
        except TunnelHubError as err:
            self._unanswered.add(tunnel.id)
            if isinstance(err, RejectedError):
                await self.tunnel_row(tunnel.id)
            raise
        self._unanswered.discard(tunnel.id)
        if (listed := self.tunnel(tunnel.id)).enabled != before:
            # It was toggled in the meantime.
            return listed
        self._readings[tunnel.id] = Reading(
            state, tunnel.enabled, checked_at=datetime.now(UTC), read=Stamp.now()
        )
        return with_reading(tunnel, self._readings[tunnel.id])

    async def tunnel_row(self, tunnel_id: str) -> Row:
        """Read the current row of a tunnel."""
        rows = await self._session.use(lambda csrf: self._client.list_tunnel(csrf, tunnel_id))
        for row in rows:
            if coerce.identifier(row.get("id")) == tunnel_id:
                return row
        raise TunnelGoneError

    async def node_id(self, node: str) -> str:
        """Return the id of a node in service by its id or name."""
        nodes = await LISTED_NODE.many(await self._client.get_node_list())
        for id_, listed in nodes.items():
            if node in (id_, listed.name):
                return id_
        raise InvalidInputError("unknown_node", node=node)
