"""The feeds of frps."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta, timezone
from functools import partial
import time
from typing import Any, NamedTuple

from .. import coerce
from ..age import Stamp
from ..cache import CachedRead
from ..errors import InvalidInputError, Reason, RejectedError, UnavailableError, UnsupportedError
from ..feed import Feed, by_key
from ..models.base import Resource
from ..models.server import Client, Server
from ..models.tunnels import Tunnel
from ..rows import Row
from ..time_slices import iterate
from .frps_client import TYPES, FrpsClient
from .frps_models import (
    CLIENT,
    PROXY,
    SERVER,
    Addressing,
    address_fields,
    addressing,
    has_id_of_its_own,
    is_online,
    key_of,
    name_of,
    offset_of,
    server_row,
    started_at,
)
from .unlisted_resources import Facts, UnlistedResources

INTERVAL = timedelta(seconds=30)
_IDLE = timedelta(minutes=1)

SAME_MOMENT = 10.0
"""Seconds for which feeds share an answer; thousands of proxies take a while."""
_OF_LATE = INTERVAL.total_seconds()

_HOUR = 3600.0
"""Seconds for which ports and domain of the server are cached."""
_ZONE_LASTS = 6 * 3600.0
"""Seconds for which the server's time zone is cached."""

_OF_VERSION_2 = frozenset({"last_close", "last_start"})
"""Fields that version 1 returns without a year and a time zone."""


class _Proxies(NamedTuple):
    """The listed proxies.

    lacking: fields that this version does not provide.
    """

    rows: Sequence[Row]
    lacking: frozenset[str]


class Feeds:
    """Reads a server's resources, and remembers those that it forgets when it restarts.

    host: the public host of the server.
    time_zone: of the server; None if it is unknown.
    on_memory: called and awaited with data to store when they change.
    on_read: called and awaited when the server has answered.
    """

    def __init__(
        self, client: FrpsClient, host: str, on_read: Callable[[], Awaitable[None]]
    ) -> None:
        self._client = client
        self._host = host
        self._on_read = on_read
        self._version: str | None = None
        self._zone_read: Stamp | None = None
        self.time_zone: timezone | None = None
        self._server = CachedRead(self._read_server)
        self._proxies = CachedRead(self._read_proxies)
        self._lacking: frozenset[str] = frozenset()
        self._built: tuple[object, dict[str, Tunnel]] = (None, {})
        self._tunnels, self._clients = UnlistedResources(), UnlistedResources()
        self._memory = {"clients": self._clients, "proxies": self._tunnels}
        self.on_memory: Callable[[Mapping[str, object]], Awaitable[None]] | None = None

    def feeds(self) -> dict[str, Feed[Resource]]:
        """Return the feeds by key."""
        return by_key(
            SERVER.feed(
                "server",
                INTERVAL,
                self._fetch_server,
                _IDLE,
                also=("tunnels_offline",),
                required=True,
            ),
            PROXY.feed(
                "tunnels",
                INTERVAL,
                self._fetch_tunnels,
                _IDLE,
                also=("public_address",),
                unsupported_fields=lambda: self._lacking,
                kept=self._tunnels.ids,
                forget=partial(self._forget, self._tunnels),
            ),
            CLIENT.feed(
                "clients",
                INTERVAL,
                self._fetch_clients,
                _IDLE,
                kept=self._clients.ids,
                forget=partial(self._forget, self._clients),
            ),
        )

    # Memory

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Restore what the server may not list at the moment."""
        for name, unlisted in self._memory.items():
            unlisted.restore(memory.get(name))

    async def _remember(self) -> None:
        if self.on_memory and any(unlisted.changed for unlisted in self._memory.values()):
            await self.on_memory({name: known.stored() for name, known in self._memory.items()})

    async def _forget(self, unlisted: UnlistedResources, id_: str) -> None:
        unlisted.drop([id_])
        await self._remember()

    # The server

    async def _read_server(self) -> Row:
        try:
            answer = await self._client.system_info()
        except UnsupportedError:
            answer = await self._client.serverinfo()
        except UnavailableError as err:
            # After a downgrade, it only has version 1 of the API.
            if err.reason is not Reason.MALFORMED:
                raise
            answer = await self._client.serverinfo()
        row = server_row(answer)
        if (version := coerce.text(row.get("version"))) is None or "bindPort" not in row:
            raise UnavailableError(Reason.MALFORMED, "no server")
        if version != self._version:
            self._client.routes.forget()
            self._version = version
        return row

    async def server(self) -> Row:
        """Read the server now."""
        return await self._server.get(0)

    async def _fetch_server(self) -> Mapping[str, Server]:
        row = await self.server()
        await self._on_read()
        try:
            rows = (await self._proxies.get(_OF_LATE)).rows
            listed = {name_of(proxy) for proxy in rows}
            offline = sum(is_online(proxy) is False for proxy in rows) + len(
                self._tunnels.ids() - listed
            )
            known = {"tunnels_offline": offline}
        except UnavailableError:
            known = {}
        server = SERVER.one(row, **known)
        return {server.id: server} if server else {}

    # Proxies

    async def _read_proxies(self) -> _Proxies:
        try:
            rows = await self._client.proxies_v2()
            await self._learn_zone(rows)
            return _Proxies(rows, frozenset())
        except UnsupportedError:
            rows = [
                {**row, "type": proxy_type}
                for proxy_type in TYPES
                for row in await self._client.proxies_of(proxy_type)
            ]
        tells_client = not rows or any("clientID" in row for row in rows)
        return _Proxies(rows, _OF_VERSION_2 if tells_client else _OF_VERSION_2 | {"client"})

    async def _learn_zone(self, rows: Sequence[Row]) -> None:
        """Find out the time zone of the server now and then, because of daylight saving time.

        Version 1 returns a time in that zone, version 2 the same one since 1970.
        """
        if self._zone_read is not None and self._zone_read.age < _ZONE_LASTS:
            return
        started = ((name_of(row), started_at(row)) for row in rows)
        name, seconds = next(((n, s) for n, s in started if n and s), (None, None))
        if name is None:
            return
        with suppress(InvalidInputError, RejectedError, UnavailableError, UnsupportedError):
            if zone := offset_of(await self._client.proxy(name), seconds):
                self.time_zone, self._zone_read = zone, Stamp.now()

    async def _fetch_tunnels(self) -> Mapping[str, Tunnel]:
        addresses = addressing(await self._server.get(_HOUR), self._host)
        proxies = await self._proxies.get(SAME_MOMENT)
        listed = await self._listed(proxies.rows, addresses)
        self._lacking = proxies.lacking
        self._tunnels.follow(listed.keys(), time.time())
        await self._remember()
        return listed | {id_: self._unlisted_tunnel(id_, addresses) for id_ in self._tunnels.ids()}

    async def _listed(self, rows: Sequence[Row], addresses: Addressing) -> dict[str, Tunnel]:
        """Return the listed tunnels; the same mapping if nothing changed."""
        if self._built[0] == (rows, addresses):
            return self._built[1]
        found: dict[str, Tunnel] = {}
        async for row in iterate(rows):
            if (tunnel := PROXY.one(row)) is not None and tunnel.id not in found:
                facts = self._facts_of(tunnel, address_fields(row))
                self._tunnels.note(tunnel.id, facts)
                found[tunnel.id] = replace(tunnel, **_lasting(facts, addresses))
        if rows and not found:
            raise UnavailableError(Reason.MALFORMED, "no names")
        self._built = (rows, addresses), found
        return found

    def _facts_of(self, tunnel: Tunnel, address: Row | None) -> Facts:
        """Return the fields of a tunnel to remember while it is not listed."""
        known = self._tunnels.facts(tunnel.id)
        return {
            "type": tunnel.protocol or known.get("type"),
            "client": tunnel.client or known.get("client"),
            "address": known.get("address", {}) if address is None else address,
        }

    def _unlisted_tunnel(self, id_: str, addresses: Addressing) -> Tunnel:
        facts = self._tunnels.facts(id_)
        return Tunnel(id=id_, name=id_, online=False, **_lasting(facts, addresses))

    async def forget_offline(self) -> tuple[str, ...]:
        """Make the server remove offline proxies, and forget remembered ones; return their ids."""
        before = await self._fetch_tunnels()
        try:
            await self._client.prune()
        except UnsupportedError:
            await self._client.delete_offline_proxies()
        self._proxies.forget()
        listed = {name_of(row) for row in (await self._proxies.get(0)).rows}
        forgotten = {id_ for id_, tunnel in before.items() if tunnel.online is False} - listed
        self._tunnels.drop(forgotten)
        await self._remember()
        return tuple(sorted(forgotten))

    # Clients

    async def _fetch_clients(self) -> Mapping[str, Client]:
        try:
            rows = await self._client_rows()
        except UnsupportedError:
            return {}
        found: dict[str, Client] = {}
        # If several have the same id, the connected one is used.
        connected_first = sorted(
            rows, key=lambda row: coerce.boolean(row.get("online")) is not True
        )
        async for row in iterate(connected_first):
            client = CLIENT.one(row)
            if client is not None and (client.online or has_id_of_its_own(row)):
                found.setdefault(client.id, client)
        async for row in iterate(rows):
            if has_id_of_its_own(row) and (client := found.get(key_of(row) or "")):
                self._clients.note(client.id, {"version": client.version})
        self._clients.follow(found.keys(), time.time())
        await self._remember()
        return found | {
            id_: Client(
                id=id_, name=id_, online=False, version=self._clients.facts(id_).get("version")
            )
            for id_ in self._clients.ids()
        }

    async def _client_rows(self) -> list[Row]:
        try:
            return await self._client.clients_v2()
        except UnsupportedError:
            return await self._client.clients()


def _lasting(facts: Facts, addresses: Addressing) -> dict[str, Any]:
    """Return the fields of a tunnel that are also shown while it is offline."""
    protocol = coerce.text(facts.get("type"))
    address = facts.get("address")
    return {
        "client": coerce.text(facts.get("client")),
        "protocol": protocol,
        "public_address": addresses.of(protocol, address if isinstance(address, dict) else {}),
    }
