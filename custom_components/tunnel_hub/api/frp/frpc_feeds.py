"""The feeds of frpc."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from .. import coerce
from ..age import Stamp
from ..cache import CachedRead
from ..errors import Reason, UnavailableError, UnsupportedError
from ..feed import Feed, by_key
from ..gather import gather_all
from ..models.base import Resource
from ..models.server import ClientStatus
from ..models.tunnels import Tunnel, TunnelPhase, TunnelSource
from ..rows import Row
from .frpc_client import FrpcClient
from .frpc_models import PROXY, REMEMBERED, proxy_row, server_in
from .frps_models import name_of

_INTERVAL = timedelta(seconds=10)
"""frpc is on the home network, and a request costs little."""
_IDLE = timedelta(seconds=30)
_ACCOUNT = "account"
_SAME_MOMENT = 2.0
_LASTING = 60.0
"""Seconds after which an error needs the user: frpc retries every half minute, and frps keeps the
port of a lost client for a while.
"""


class _Listed(NamedTuple):
    """All proxies by name.

    stored: those of the store; None if there is no store.
    """

    running: Mapping[str, Row]
    stored: Mapping[str, Row] | None


class FrpcFeeds:
    """Reads frpc's proxies, and remembers those that it only lists while it is connected to frps.

    has_store: whether there is a store; None before it is known.
    """

    def __init__(
        self, client: FrpcClient, server: str | None, on_read: Callable[[], Awaitable[None]]
    ) -> None:
        """Set up without a request.

        server: the public host of the server, if it was entered.
        on_read: called and awaited when frpc has answered.
        """
        self._client = client
        self._server = server
        self._on_read = on_read
        self._told_server: str | None = None
        self._listed = CachedRead(self._read)
        self._known: dict[str, Row] = {}
        self._absent: frozenset[str] = frozenset()
        self._failing: dict[str, tuple[Stamp, str]] = {}
        self._missed_store = 0
        self.has_store: bool | None = None
        self.on_memory: Callable[[Mapping[str, object]], Awaitable[None]] | None = None

    def feeds(self) -> dict[str, Feed[Resource]]:
        """Return the feeds by key."""
        return by_key(
            Feed(
                "client",
                ClientStatus,
                frozenset({"connected", "tunnels_offline", "tunnels_online"}),
                _INTERVAL,
                self._client_status,
                _IDLE,
                required=True,
            ),
            PROXY.feed(
                "tunnels",
                _INTERVAL,
                self._tunnels,
                _IDLE,
                kept=lambda: self._absent,
                forget=self._forget_proxy,
                forget_shared=self.forget,
            ),
        )

    def forget(self) -> None:
        """Clear cached answers after a write."""
        self._listed.forget()

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Restore the known proxies."""
        rows = memory.get("proxies")
        self._known = {
            name: {key: row.get(key) for key in REMEMBERED}
            for name, row in (rows if isinstance(rows, dict) else {}).items()
            if isinstance(row, dict)
        }
        self._told_server = coerce.text(memory.get("server"))

    async def of_file(self) -> Collection[str]:
        """Read the names of the proxies in the file, including those that frpc listed before."""
        listed = await self._read()
        known = listed.running.keys() | self._known_of_file()
        return known - (listed.stored or {}).keys()

    def lasting_errors(self) -> Iterator[tuple[str, str]]:
        """Return names and errors of the proxies that have not started for a while."""
        for name, (since, error) in sorted(self._failing.items()):
            if since.age >= _LASTING:
                yield name, error

    async def _read(self) -> _Listed:
        running, stored = await gather_all(self._client.status(), self._stored())
        return _Listed(_by_name(running), None if stored is None else _by_name(stored))

    async def _stored(self) -> list[Row] | None:
        try:
            rows = await self._client.stored()
        except UnsupportedError:
            self._missed_store += 1
            # A single answer can be wrong, and the switches depend on it.
            if self.has_store and self._missed_store == 1:
                raise UnavailableError(Reason.MALFORMED, "no store") from None
            return None
        self._missed_store = 0
        return rows

    async def _client_status(self) -> Mapping[str, ClientStatus]:
        tunnels = await self._tunnels()
        await self._on_read()
        online = sum(tunnel.online is True for tunnel in tunnels.values())
        listed = await self._listed.get(_SAME_MOMENT)
        is_missed = any(tunnel.phase is TunnelPhase.OFFLINE for tunnel in tunnels.values())
        status = ClientStatus(
            id=_ACCOUNT,
            # It lists its proxies once it is connected to the server.
            connected=True if listed.running else False if is_missed else None,
            tunnels_offline=len(tunnels) - online,
            tunnels_online=online,
        )
        return {status.id: status}

    async def _tunnels(self) -> Mapping[str, Tunnel]:
        listed = await self._listed.get(_SAME_MOMENT)
        self.has_store = listed.stored is not None
        stored = listed.stored or {}
        for row in listed.running.values():
            if (server := server_in(row)) is not None:
                self._told_server = server
                break
        # While frpc is not connected to frps, it lists no running proxies, so an empty list does
        # not mean an empty file: known proxies are kept until the user removes them.
        self._absent = frozenset() if listed.running else self._known_of_file() - stored.keys()
        server = self._server or self._told_server
        rows = {
            name: proxy_row(
                name,
                running=listed.running.get(name),
                stored=stored.get(name),
                known=self._known.get(name),
                server=server,
            )
            for name in listed.running.keys() | stored.keys() | self._absent
        }
        await self._remember(rows)
        tunnels = await PROXY.many(rows[name] for name in sorted(rows))
        self._note_errors(tunnels)
        return tunnels

    def _known_of_file(self) -> frozenset[str]:
        of_file = TunnelSource.FILE.value
        return frozenset(name for name, row in self._known.items() if row["source"] == of_file)

    async def _remember(self, rows: Mapping[str, Row]) -> None:
        known: dict[str, Row] = {
            name: {key: row[key] for key in REMEMBERED} for name, row in rows.items()
        }
        if known != self._known:
            self._known = known
            await self._store_memory()

    async def _store_memory(self) -> None:
        if self.on_memory is not None:
            await self.on_memory({"proxies": self._known, "server": self._told_server})

    async def _forget_proxy(self, name: str) -> None:
        """Remove a proxy that is only remembered."""
        self._absent -= {name}
        if self._known.pop(name, None) is not None:
            await self._store_memory()

    def _note_errors(self, tunnels: Mapping[str, Tunnel]) -> None:
        """Store since when proxies do not start."""
        before = self._failing
        self._failing = {
            tunnel.name or id_: (before.get(tunnel.name or id_, (Stamp.now(),))[0], tunnel.error)
            for id_, tunnel in tunnels.items()
            if tunnel.phase is TunnelPhase.START_ERROR and tunnel.error
        }


def _by_name(rows: list[Row]) -> Mapping[str, Row]:
    """Return rows by name; the first of several with the same name."""
    found: dict[str, Row] = {}
    for row in rows:
        if (name := name_of(row)) is not None:
            found.setdefault(name, row)
    if rows and not found:
        raise UnavailableError(Reason.MALFORMED, "no names")
    return found
