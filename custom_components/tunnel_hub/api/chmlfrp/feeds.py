"""The feeds of a ChmlFrp account."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from .. import coerce, days
from ..capabilities.nodes import NODE_DETAILS as DETAILS_OPTION
from ..days import SHANGHAI
from ..errors import InvalidInputError, RejectedError, TunnelGoneError, UnsupportedError
from ..feed import FIFTEEN_MINUTES, FIVE_MINUTES, HALF_HOUR, HOUR, MINUTE, Feed, Probe, by_key
from ..gather import gather_all
from ..models.account import Account, AccountTraffic, Inbox, SignInStatistics
from ..models.base import Resource
from ..models.certificates import Certificates
from ..models.nodes import Node, NodeUptime
from ..models.service import Release, ServiceTotals
from ..models.tunnels import Tunnel, TunnelState
from ..node_filter import NodeFilter
from ..provider import Options
from ..rows import Row, RowCache
from ..time_slices import iterate
from .client import ChmlFrpClient
from .models import (
    ACCOUNT,
    ACCOUNT_TRAFFIC,
    LISTED_NODE,
    NODE,
    NODE_DETAILS,
    NODE_UPTIME,
    RELEASE,
    SERVICE,
    SIGN_IN,
    TUNNEL,
    certificates,
    is_older,
    newest_messages,
    notice_text,
    traffic_is_of,
)

_NEARLY_TWO_MINUTES = timedelta(seconds=110)
_TWENTY_MINUTES = timedelta(minutes=20)
_SIX_HOURS = timedelta(hours=6)

_REFRESHED_STATES = {"online": TunnelState.ONLINE, "offline": TunnelState.OFFLINE}
_UPTIME_DAYS = 30
_LISTED_FIELDS = LISTED_NODE.fields - {"id", "name"}
_MOST_NOTICES = 100
"""The request asks for 20."""
_DETAIL_FIELDS = NODE_DETAILS.fields - {"id"}
_TEXTS_AT_ONCE = 5
"""The service never publishes more notices between two polls."""
_DETAILS_AT_ONCE = 2
"""Half of the transport's limit, because they are not urgent."""


def _completed(
    tunnel: Tunnel, node_id: str | None, of_today: bool | None, newest: str | None
) -> Tunnel:
    """Add values that are not in a tunnel's own row.

    of_today: whether its counters are of today; otherwise today's traffic is 0.
    newest: the newest version of the client program.
    """
    if not of_today:
        nothing = None if of_today is None else 0
        tunnel = replace(tunnel, traffic_in_today=nothing, traffic_out_today=nothing)
    outdated = is_older(tunnel.client_version, newest)
    return replace(tunnel, node_id=node_id, client_outdated=outdated)


class Feeds:
    """Reads an account's resources, and remembers what commands need."""

    def __init__(self, client: ChmlFrpClient, options: Options) -> None:
        self._client = client
        self._choice = NodeFilter(options)
        self._detailed = bool(options.get(DETAILS_OPTION))
        self._listing = asyncio.Lock()
        self._listed = RowCache(TUNNEL)
        self._node_figures = RowCache(NODE)
        self._node_notes = RowCache(LISTED_NODE)
        self._newest_client: str | None = None
        self._notice_texts: dict[str, str] = {}
        self._tunnels: dict[str, Tunnel] | None = None
        self._nodes: dict[str, Node] = {}
        self._details: dict[str, Node] = {}

    def feeds(self) -> dict[str, Feed[Resource]]:
        """Return the feeds by key."""
        details = Probe(
            fields=_DETAIL_FIELDS,
            is_worth_it=lambda node: bool(node.online),
            read=self._read_details,
            concurrency=_DETAILS_AT_ONCE,
        )
        return by_key(
            ACCOUNT.feed("account", MINUTE, self._account, FIVE_MINUTES, required=True),
            SIGN_IN.feed("sign_in", FIVE_MINUTES, self._sign_in, HALF_HOUR),
            ACCOUNT_TRAFFIC.feed("traffic", FIVE_MINUTES, self._traffic, FIFTEEN_MINUTES),
            Feed(
                "certificates",
                Certificates,
                frozenset({"certificates"}),
                HOUR,
                self._certificates,
                _SIX_HOURS,
            ),
            Feed("inbox", Inbox, frozenset({"messages"}), HOUR, self._inbox),
            TUNNEL.feed(
                "tunnels", MINUTE, self.tunnels, _NEARLY_TWO_MINUTES, also=("client_outdated",)
            ),
            NODE.feed(
                "nodes",
                FIVE_MINUTES,
                self._chosen_nodes,
                _TWENTY_MINUTES,
                also=LISTED_NODE.fields | (_DETAIL_FIELDS if self._detailed else frozenset()),
                probe=details if self._detailed else None,
                chosen=True,
            ),
            NODE_UPTIME.feed("uptime", HOUR, self._uptime, _SIX_HOURS, chosen=True),
            RELEASE.feed("release", _SIX_HOURS, self._release),
            SERVICE.feed("service", HOUR, self._service, _SIX_HOURS),
        )

    # The account

    async def _account(self) -> Mapping[str, Account]:
        return await ACCOUNT.many([await self._client.userinfo()])

    async def _sign_in(self) -> Mapping[str, SignInStatistics]:
        with suppress(UnsupportedError):
            return await SIGN_IN.many([await self._client.qiandao_info()])
        return {}

    async def _traffic(self) -> Mapping[str, AccountTraffic]:
        """Read today's row; without one, today's traffic is unknown."""
        with suppress(UnsupportedError):
            today = f"{days.today(SHANGHAI):%m-%d}"
            rows = await self._client.flow_last_7_days()
            of_today: list[Row] = [row for row in rows if row.get("time") == today]
            return await ACCOUNT_TRAFFIC.many(of_today or [{}])
        return {}

    async def _certificates(self) -> Mapping[str, Certificates]:
        with suppress(UnsupportedError):
            return {"account": certificates(await self._client.ssl_list())}
        return {}

    async def _inbox(self) -> Mapping[str, Inbox]:
        messages: list[Row] = []
        notices: list[Row] = []
        with suppress(UnsupportedError):
            messages = await self._client.messages()
        with suppress(UnsupportedError):
            notices = (await self._client.message_list())[:_MOST_NOTICES]
            await self._read_texts(notices)
        # Parsing HTML takes a while, so it runs in a thread.
        found = await asyncio.to_thread(newest_messages, messages, notices, self._notice_texts)
        return {"account": Inbox(id="account", messages=found)}

    async def _read_texts(self, notices: list[Row]) -> None:
        """Read the texts of the newest notices if the list only contains their titles."""
        texts = self._notice_texts
        ids = {id_: row for row in notices if (id_ := coerce.text(row.get("id")))}
        self._notice_texts = {id_: text for id_, text in texts.items() if id_ in ids}
        missing = [id_ for id_, row in ids.items() if id_ not in texts and not notice_text(row)]
        for id_ in missing[:_TEXTS_AT_ONCE]:
            with suppress(RejectedError, UnsupportedError):
                self._notice_texts[id_] = notice_text(await self._client.message_detail(id_)) or ""

    # Tunnels

    async def tunnels(self) -> dict[str, Tunnel]:
        """Read all tunnels by id."""
        async with self._listing:
            rows = await self._client.tunnel()
            listed = await self._listed.read(rows)
            names = Counter(node.name for node in self._nodes.values())
            ids = {n.name: id_ for id_, n in self._nodes.items() if names[n.name] == 1}
            today = days.today(SHANGHAI)
            of_today = {coerce.text(row.get("id")): traffic_is_of(row, today) for row in rows}
            newest = self._newest_client
            self._tunnels = {
                id_: _completed(tunnel, ids.get(tunnel.node_name), of_today.get(id_), newest)
                async for id_, tunnel in iterate(listed.items())
            }
            return self._tunnels

    async def tunnel(self, tunnel_id: str) -> Tunnel:
        """Return a tunnel as last listed; raises TunnelGoneError."""
        async with self._listing:
            known = self._tunnels
        if known is None or tunnel_id not in known:
            known = await self.tunnels()
        if (tunnel := known.get(tunnel_id)) is None:
            raise TunnelGoneError
        return tunnel

    async def tunnel_row(self, tunnel_id: str) -> Row:
        """Read the current row of a tunnel; raises TunnelGoneError."""
        for row in await self._client.tunnel():
            if coerce.identifier(row.get("id")) == tunnel_id:
                return row
        raise TunnelGoneError

    async def on_tunnel[T](self, tunnel_id: str, request: Callable[[Tunnel], Awaitable[T]]) -> T:
        """Send a command for a tunnel, and again if it was renamed at the service."""
        tunnel = await self.tunnel(tunnel_id)
        try:
            return await request(tunnel)
        except RejectedError:
            listed = (await self.tunnels()).get(tunnel_id)
            if listed is None:
                raise TunnelGoneError from None
            if (listed.name, listed.node_name) == (tunnel.name, tunnel.node_name):
                raise
        return await request(listed)

    async def refreshed_tunnel(self, tunnel: Tunnel) -> Tunnel:
        """Refresh a tunnel through its node."""
        row = await self._client.refresh_tunnel(tunnel.name or "")
        state = _REFRESHED_STATES.get(coerce.text(row.get("status")) or "")
        return replace(
            tunnel,
            connections=coerce.count(row.get("cur_conns")),
            online=None if state is None else state is TunnelState.ONLINE,
            state=state,
            traffic_in_today=coerce.count(row.get("today_traffic_in")),
            traffic_out_today=coerce.count(row.get("today_traffic_out")),
        )

    # Nodes

    async def _used(self) -> set[str | None]:
        """Return the names of the nodes of the account's tunnels."""
        async with self._listing:
            tunnels = self._tunnels
        if tunnels is None:
            tunnels = await self.tunnels()
        return {tunnel.node_name for tunnel in tunnels.values()}

    async def nodes(self) -> dict[str, Node]:
        """Read all nodes by id; values of probes are kept."""
        rows, listed = await gather_all(self._client.node_stats(), self._client.node())
        nodes = dict(await self._node_figures.read(rows))
        async for id_, node in iterate((await self._node_notes.read(listed)).items()):
            nodes[id_] = replace(
                nodes.get(id_, node), **{name: getattr(node, name) for name in _LISTED_FIELDS}
            )
        self._nodes = {id_: self._with_details(node) for id_, node in nodes.items()}
        return self._nodes

    async def _chosen_nodes(self) -> Mapping[str, Node]:
        nodes, used = await gather_all(self.nodes(), self._used())
        return self._choice.select(nodes, {id_ for id_, node in nodes.items() if node.name in used})

    async def _uptime(self) -> Mapping[str, NodeUptime]:
        rows, used = await gather_all(self._client.node_uptime(_UPTIME_DAYS), self._used())
        uptimes = await NODE_UPTIME.many(rows)
        return self._choice.select(
            uptimes, {id_ for id_, uptime in uptimes.items() if uptime.name in used}
        )

    def _with_details(self, node: Node) -> Node:
        details = self._details.get(node.id)
        if details is None:
            return node
        return replace(node, **{name: getattr(details, name) for name in _DETAIL_FIELDS})

    async def _read_details(self, node: Node) -> Node:
        return await self.node_details(node.id)

    async def node_details(self, node_id: str) -> Node:
        """Read the details of a node."""
        name = await self.node_name(node_id)
        # Nodes for paying customers refuse others; the other values are known anyway.
        with suppress(RejectedError):
            if (details := NODE_DETAILS.one(await self._client.nodeinfo(name))) is not None:
                self._details[node_id] = details
        node = self._nodes.get(node_id) or Node(id=node_id)
        used = await self._used()
        return replace(self._with_details(node), in_use=node.name in used)

    async def node_name(self, node: str) -> str:
        """Return the name of a node by its id or name; raises InvalidInputError."""
        if (name := self._name_of(node)) is None:
            await self.nodes()
            name = self._name_of(node)
        if name is None:
            raise InvalidInputError("unknown_node", node=node)
        return name

    def _name_of(self, node: str) -> str | None:
        return next(
            (known.name for id_, known in self._nodes.items() if node in (id_, known.name)), None
        )

    async def node_names(self) -> Mapping[str, str]:
        """Return the names of all nodes by id."""
        nodes = self._nodes or await self.nodes()
        return {id_: node.name or id_ for id_, node in nodes.items()}

    # The service

    async def _release(self) -> Mapping[str, Release]:
        with suppress(UnsupportedError):
            release = await RELEASE.many([await self._client.download_info()])
            self._newest_client = release["service"].frpc_version
            return release
        return {}

    async def _service(self) -> Mapping[str, ServiceTotals]:
        return await SERVICE.many([await self._client.panelinfo()])
