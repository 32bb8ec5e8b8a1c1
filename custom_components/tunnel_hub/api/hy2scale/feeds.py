"""The feeds of a node."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from .. import coerce
from ..age import Stamp
from ..cache import CachedRead
from ..errors import UnavailableError, UnsupportedError
from ..feed import FIVE_MINUTES, HOUR, Feed, by_key
from ..gather import gather_all
from ..models.base import Resource
from ..models.certificates import Certificates
from ..models.mesh import (
    Hub,
    Link,
    Peer,
    Proxy,
    Rule,
    TunMode,
    Upgrade,
    UpgradeState,
    User,
    UserSessions,
    Vpn,
    WireGuard,
    WireGuardPeer,
)
from ..models.tunnels import Tunnel
from ..rows import Row, RowCache
from ..time_slices import iterate
from .client import Hy2ScaleClient, wireguard_peers
from .mesh_reader import MeshReader
from .models import (
    ACCOUNT,
    HUB,
    LINK,
    PEER,
    PROXY,
    RULE,
    SHADOWSOCKS,
    TUN_MODE,
    TUNNEL,
    UPGRADE,
    USER,
    VPN,
    WIREGUARD,
    WIREGUARD_PEER,
    certificates,
    conflicts,
    joined,
    session,
)

LIVE = timedelta(seconds=10)
"""The interval of values that change often: the node is near, and a request costs little."""
CONFIGURED = timedelta(seconds=30)
"""The interval of the configuration."""
_IDLE: Mapping[timedelta, timedelta] = {
    LIVE: timedelta(seconds=13),
    CONFIGURED: FIVE_MINUTES,
    FIVE_MINUTES: timedelta(minutes=30),
}
"""The intervals while no browser is connected; states of links are still seen within 15 seconds."""

_LOCKOUT = timedelta(seconds=60)
"""How long a kicked device cannot connect."""

SAME_MOMENT = 2.0
_OF_LATE = CONFIGURED.total_seconds()

_CERTIFICATE_FIELDS = frozenset({"certificates"})
_SESSION_FIELDS = frozenset({"locked_until", "sessions"})

_WANTED_SINCE_1_3 = {
    "active_paths": "active_paths",
    "connections": "conns",
    "exit_clients": "exit_clients",
    "rate_in": "rx_rate",
    "rate_out": "tx_rate",
}


class Feeds:
    """Reads a node's resources, and remembers what several feeds need.

    certificates: as last read.
    around: the connections and the mesh.
    """

    def __init__(self, client: Hy2ScaleClient) -> None:
        self._client = client
        self.around = MeshReader(client)
        self._sessions = CachedRead(client.sessions)
        self._users = CachedRead(client.users)
        self._wireguard = CachedRead(client.wireguard)
        self._listed_links = RowCache(LINK)
        self._listed_peers = RowCache(PEER)
        self._listed_tunnels = RowCache(TUNNEL)
        self._listed_users = RowCache(USER)
        self._listed_rules = RowCache(RULE)
        self._locked: dict[str, tuple[datetime, Stamp]] = {}
        self.certificates: Certificates | None = None
        self._lacking: dict[str, set[str]] = {"hub": set(), "peers": set(), "users": set()}

    def forget(self) -> None:
        """Clear cached answers after a write."""
        self.around.forget()
        for recent in (self._sessions, self._users, self._wireguard):
            recent.forget()

    def feeds(self) -> dict[str, Feed[Resource]]:
        """Return the feeds by key."""
        feeds = (
            HUB.feed("hub", LIVE, self._hub, FIVE_MINUTES, required=True),
            LINK.feed("links", LIVE, self._links),
            PEER.feed(
                "peers",
                LIVE,
                self._peers,
                kept=self.around.hidden_ids,
                forget=self.around.forget_peer,
            ),
            TUNNEL.feed("tunnels", LIVE, self.tunnels, forget_shared=self.around.forget),
            Feed("sessions", UserSessions, _SESSION_FIELDS, LIVE, self.sessions, FIVE_MINUTES),
            USER.feed("users", CONFIGURED, self._read_users),
            RULE.feed("rules", CONFIGURED, self._rules),
            PROXY.feed("proxies", CONFIGURED, self._proxies),
            WIREGUARD.feed("wireguard", CONFIGURED, self._server),
            WIREGUARD_PEER.feed("wireguard_peers", CONFIGURED, self._wireguard_peers),
            TUN_MODE.feed("tun_mode", FIVE_MINUTES, self._tun_mode),
            VPN.feed("vpn", HOUR, self._vpn),
            Feed("certificates", Certificates, _CERTIFICATE_FIELDS, HOUR, self._certificates),
            UPGRADE.feed("upgrade", HOUR, self._upgrade),
        )
        return by_key(*map(self._for_any_version, feeds))

    def _for_any_version(self, feed: Feed[Resource]) -> Feed[Resource]:
        """Return a feed that is empty if its route is missing."""

        async def _fetch() -> Mapping[str, Resource]:
            return await (feed.fetch() if feed.required else self.optional(feed.fetch, {}))

        return replace(
            feed,
            fetch=_fetch,
            idle_interval=feed.idle_interval or _IDLE.get(feed.interval),
            unsupported_fields=lambda: self._lacking.get(feed.key, ()),
        )

    # The node

    async def _hub(self) -> Mapping[str, Hub]:
        node, stats, sessions = await gather_all(
            self._client.node(), self._client.stats(), self.optional(self._recent_sessions, None)
        )
        row = {**node, **stats, "sessions": None if sessions is None else len(sessions)}
        self._lacking["hub"] = {f for f, raw in _WANTED_SINCE_1_3.items() if raw not in row}
        if sessions is None:
            self._lacking["hub"].add("sessions")
        return await HUB.many([row])

    def _recent_sessions(self) -> Awaitable[list[Row]]:
        return self._sessions.get(SAME_MOMENT)

    async def _tun_mode(self) -> Mapping[str, TunMode]:
        return await TUN_MODE.many([await self._client.tun_mode()])

    async def _vpn(self) -> Mapping[str, Vpn]:
        servers: dict[str, Row] = {
            "l2tp": await self.optional(self._client.l2tp, {}),
            "ikev2": await self.optional(self._client.ikev2, {}),
        }
        servers = {name: self._client.redacted(row, "reason") for name, row in servers.items()}
        if not any(servers.values()):
            return {}
        return await VPN.many(
            [{f"{server}_{name}": v for server, row in servers.items() for name, v in row.items()}]
        )

    async def _certificates(self) -> Mapping[str, Certificates]:
        self.certificates = await certificates(await self._client.certificates())
        return {ACCOUNT: self.certificates}

    async def _upgrade(self) -> Mapping[str, Upgrade]:
        return {ACCOUNT: await self.upgrade()}

    async def upgrade(self) -> Upgrade:
        """Read the state of an upgrade; look for a newer version only if none is running.

        A node without access to the releases knows none.
        """
        status = await self._client.upgrade_status()
        arch: Row = await self.optional(self._client.arch, {})
        upgrade = (await UPGRADE.many([{**status, **arch}]))[ACCOUNT]
        if upgrade.state in (None, UpgradeState.IDLE, UpgradeState.ERROR):
            try:
                check = await self._client.check_upgrade()
            except UnavailableError:
                return replace(upgrade, latest=None)
            current, latest = coerce.text(check.get("current")), coerce.text(check.get("latest"))
            # A newer version may have no file for this machine.
            nothing_to_install = coerce.boolean(check.get("update_available")) is False
            upgrade = replace(
                upgrade, current=current, latest=current if nothing_to_install else latest
            )
        return upgrade

    # The mesh

    async def _links(self) -> Mapping[str, Link]:
        mesh = await self.around.mesh.get(SAME_MOMENT)
        return await self._listed_links.read(mesh.links)

    async def _peers(self) -> Mapping[str, Peer]:
        mesh = await self.around.mesh.get(SAME_MOMENT)
        shown = await self._listed_peers.read(mesh.peers)
        # The documented generation does not return whether nodes behind a peer are used or
        # connected.
        silent = shown and all(peer.connected is None for peer in shown.values())
        self._lacking["peers"] = {"connected", "enabled"} if silent else set()
        return await self.around.shown_and_hidden(shown)

    async def tunnels(self) -> Mapping[str, Tunnel]:
        """Read the outbound connections."""
        return await self._listed_tunnels.read(await self.around.connections.get(SAME_MOMENT))

    async def _exits(self) -> dict[str, tuple[str, ...]]:
        """Return the exit paths as fields of a row."""
        exits = (await self.around.mesh.get(LIVE.total_seconds())).exits
        return {"exits": exits.paths, "exits_down": exits.down}

    # Users, rules and servers

    async def _read_users(self) -> Mapping[str, User]:
        users, exits, shared = await gather_all(
            self._users.get(SAME_MOMENT),
            self._exits(),
            self.optional(self._client.user_conflicts, None),
        )
        self._lacking["users"] = {"conflicts"} if shared is None else set()
        known = conflicts(shared or {})
        return await self._listed_users.read(
            [
                {
                    **row,
                    **exits,
                    "conflicts": None
                    if shared is None
                    else known.get(coerce.text(row.get("username")) or "", ()),
                }
                for row in users
            ]
        )

    async def sessions(self) -> Mapping[str, UserSessions]:
        """Read the devices of every user; empty for users without devices."""
        users, rows = await gather_all(self._users.get(_OF_LATE), self._recent_sessions())
        lasts = _LOCKOUT.total_seconds()
        self._locked = {id_: lock for id_, lock in self._locked.items() if lock[1].age < lasts}
        by_name: dict[str | None, list[Row]] = {}
        async for row in iterate(rows):
            by_name.setdefault(coerce.text(row.get("username")), []).append(row)
        found: dict[str, UserSessions] = {}
        async for user in iterate(users):
            id_, name = coerce.identifier(user.get("id")), coerce.text(user.get("username"))
            if id_ is not None:
                found[id_] = UserSessions(
                    id=id_,
                    name=name,
                    locked_until=self._locked[id_][0] if id_ in self._locked else None,
                    sessions=tuple(one for row in by_name.get(name, ()) if (one := session(row))),
                )
        return found

    def lock(self, user_id: str) -> datetime:
        """Remember that a device of a user is locked out, and until when."""
        until = datetime.now(UTC) + _LOCKOUT
        self._locked[user_id] = until, Stamp.now()
        return until

    async def _rules(self) -> Mapping[str, Rule]:
        (available, rows), exits = await gather_all(self._client.rules(), self._exits())
        unavailable = None if available is None else not available
        return await self._listed_rules.read(
            [{**row, **exits, "unavailable": unavailable} for row in rows]
        )

    async def _proxies(self) -> Mapping[str, Proxy]:
        rows, shadowsocks, exits = await gather_all(
            self._client.proxies(), self.optional(self._client.shadowsocks, None), self._exits()
        )
        found = await PROXY.many({**row, **exits} for row in rows)
        if shadowsocks is not None:
            # It has no exit path of its own: a PUT is ignored, and the exit paths of its users
            # apply.
            own = {"id": SHADOWSOCKS, "protocol": SHADOWSOCKS, "exits": (), "exits_down": ()}
            (proxy,) = (await PROXY.many([{**shadowsocks, **own}])).values()
            found[SHADOWSOCKS] = replace(proxy, exit_path=None, has_exit=False)
        return found

    async def _server(self) -> Mapping[str, WireGuard]:
        return await WIREGUARD.many([await self._wireguard.get(SAME_MOMENT)])

    async def _wireguard_peers(self) -> Mapping[str, WireGuardPeer]:
        server, exits = await gather_all(self._wireguard.get(SAME_MOMENT), self._exits())
        own = joined(server.get(name) for name in ("public_key", "listen_port", "mtu", "dns"))
        rows = await self.around.with_ids(wireguard_peers(server))
        return await WIREGUARD_PEER.many({**row, **exits, "server": own} for row in rows)

    async def optional[T, D](self, read: Callable[[], Awaitable[T]], default: D) -> T | D:
        """Read something that only some versions have."""
        try:
            return await read()
        except UnsupportedError:
            return default
