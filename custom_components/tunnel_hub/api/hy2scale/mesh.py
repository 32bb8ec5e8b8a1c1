"""Commands and queries for a node of a mesh."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, override

from .. import coerce
from ..capabilities.collections import CanEdit
from ..capabilities.mesh import MeshNode
from ..errors import InvalidInputError, Reason, RejectedError, UnavailableError
from ..http import Transport
from ..models.base import Resource
from ..models.mesh import (
    TUN_OFF,
    ExitUpdate,
    Kick,
    LatencySample,
    LinkHistory,
    MayHaveExit,
    NodeAfterRestart,
    Peer,
    PeerKind,
    Port,
    Position,
    Proxy,
    Rule,
    Session,
    User,
    VpnServer,
)
from ..models.tunnels import Tunnel
from ..provider import Credentials
from ..rows import Row, rows_in, rows_of
from . import schemas, upgrade
from .client import Hy2ScaleClient
from .collections import EditableRows, RowCollections
from .feeds import Feeds
from .mesh_reader import MeshReader
from .models import ID, PEER, TITLE
from .payloads import row_fields
from .topology import places, why_hidden


class MeshCommands(CanEdit, MeshNode):
    """The commands and queries of a node."""

    toggled = (Peer, Proxy, Rule, Tunnel, User)
    credentials: Credentials
    _around: MeshReader
    _client: Hy2ScaleClient
    _collections: RowCollections
    _editable_of: Mapping[type[Resource], EditableRows]
    _feeds: Feeds
    _transport: Transport

    @override
    async def set_enabled(self, of: type[Resource], resource_id: str, *, enabled: bool) -> None:
        if of is Peer:
            path = self._path(Peer, resource_id)
            await self._peer(path)
            await self._client.disable_peer(path, disabled=not enabled)
            await self._expect_peer(path, "disabled", not enabled)
            return
        rows = self._editable_of[of]
        if of is Proxy:
            await rows.change(resource_id, {"enabled": enabled})
            return
        await rows.row(resource_id)
        if of is Tunnel:
            name = self._around.handle_of(resource_id)
            await self._client.disable_client(name, disabled=not enabled)
            await rows.expect(resource_id, {"disabled": not enabled})
            return
        toggle = self._client.toggle_rule if of is Rule else self._client.toggle_user
        await toggle(resource_id, enabled=enabled)
        await rows.expect(resource_id, {"enabled": enabled})

    @override
    async def set_server_enabled(self, server: VpnServer, *, enabled: bool) -> None:
        """Start or stop a server; all other fields are sent as they were read."""
        read, write, shape = {
            VpnServer.L2TP: (self._client.l2tp, self._client.update_l2tp, schemas.L2TP),
            VpnServer.WIREGUARD: (
                self._client.wireguard,
                self._client.update_wireguard,
                schemas.WIREGUARD,
            ),
        }[server]
        row = await read()
        if coerce.boolean(row.get("capable")) is False:
            raise RejectedError(coerce.text(row.get("reason")) or server)
        if server is VpnServer.L2TP and row.get("psk") == "":
            raise InvalidInputError("l2tp_not_set_up")
        if server is VpnServer.WIREGUARD and row.get("private_key") == "":
            raise InvalidInputError("wireguard_not_set_up")
        shape.check(row)
        await write({**row, "enabled": enabled})
        if coerce.boolean((await read()).get("enabled")) is not enabled:
            raise InvalidInputError("not_taken", name=server)

    @override
    async def set_exit_node(self, *, enabled: bool) -> None:
        await self._client.update_node({"exit_node": enabled})
        if coerce.boolean((await self._client.node()).get("exit_node")) is not enabled:
            raise InvalidInputError("not_taken", name="exit_node")

    @override
    async def set_tun_mode(self, mode: str) -> None:
        """Set the TUN mode, only if it can be read: see the client."""
        row = await self._client.tun_mode()
        schemas.TUN_MODE.check(row)
        enabled = mode != TUN_OFF
        changes = {"enabled": enabled, "mode": mode if enabled else row.get("mode")}
        await self._client.update_tun_mode({**row, **changes})
        if coerce.boolean((await self._client.tun_mode()).get("enabled")) is not enabled:
            raise InvalidInputError("not_taken", name="tun_mode")

    @override
    async def set_peer_nested(self, of: PeerKind, peer_id: str, *, nested: bool) -> None:
        path = self._path(of, peer_id)
        await self._peer(path)
        await self._client.nest_peer(path, enabled=nested)
        await self._expect_peer(path, "nested", nested)

    def _path(self, of: PeerKind, peer_id: str) -> str:
        """Return the path of a node by current names."""
        return self._around.path_of(peer_id) if of is Peer else self._around.name_of(peer_id)

    async def _peer(self, path: str) -> Row:
        rows = {place.path: place.row for place in places(await self._client.topology())}
        if path in rows:
            return rows[path]
        raise why_hidden(path, rows)

    async def _expect_peer(self, path: str, field: str, value: bool) -> None:
        if bool(coerce.boolean((await self._peer(path)).get(field))) is not value:
            raise InvalidInputError("not_taken", name=path)

    @override
    async def select_exit(self, of: type[MayHaveExit], resource_id: str, path: str) -> None:
        paths = ExitUpdate(exit_paths=(path,) if path else ())
        await self._editable_of[of].change(resource_id, row_fields(paths))

    @override
    async def reset_traffic(self, user_id: str) -> None:
        await self._collections.users.row(user_id)
        await self._client.reset_traffic(user_id)

    @override
    async def sessions_of(self, user_id: str) -> tuple[Session, ...]:
        if (known := (await self._feeds.sessions()).get(user_id)) is None:
            raise InvalidInputError("unknown_resource", name=user_id)
        return known.sessions

    @override
    async def kick_sessions(self, user_id: str, key: str | None = None) -> Kick:
        """Disconnect one or all sessions of a user; they are locked out for a minute."""
        sessions = await self.sessions_of(user_id)
        # A device may connect again with the same key, but with a later start time.
        wanted = {s.key: s.since for s in sessions if key in (None, s.key)}
        if key is not None and key not in wanted:
            raise InvalidInputError("unknown_session", session=key)
        kicked: list[str] = []
        refusal: RejectedError | None = None
        for each in wanted:
            try:
                await self._client.delete_session(each)
            except RejectedError as err:
                # The session may have ended itself.
                refusal = err
            else:
                kicked.append(each)
        left = (await self._feeds.sessions()).get(user_id)
        if left and wanted.items() & {(s.key, s.since) for s in left.sessions}:
            raise refusal or InvalidInputError("not_taken", name=left.name or user_id)
        if not kicked:
            return Kick(keys=(), locked_until=None)
        return Kick(keys=tuple(kicked), locked_until=self._feeds.lock(user_id))

    # WireGuard

    @override
    async def wireguard_config(self, peer_id: str, endpoint: str | None = None) -> str:
        """Return the file for a peer, which contains a private key."""
        host = endpoint or self.credentials.get("host", "")
        row = await self._collections.wireguard_peers.row(peer_id)
        name = self._collections.wireguard_peers.name_of(peer_id)
        if row.get("private_key") == "":
            raise InvalidInputError("peer_without_key", name=name)
        return await self._client.wireguard_config(name, host)

    @override
    async def wireguard_qr(self, peer_id: str, endpoint: str | None = None) -> bytes:
        """Return the file as a QR code; older versions take a name instead of a text."""
        config = await self.wireguard_config(peer_id, endpoint)
        try:
            return await self._client.wireguard_qr(text=config)
        except RejectedError:
            name = self._around.wireguard_peers.name_of(peer_id)
            return await self._client.wireguard_qr(peer=name)

    # Queries

    @override
    async def install_upgrade(self, on_progress: Callable[[float | None], None]) -> None:
        await upgrade.install(self._client, on_progress)

    @override
    async def check_ports(self, ports: Sequence[Port]) -> Mapping[Port, bool]:
        """Return which ports are free; the documented generation ignores the protocol."""
        try:
            answer = await self._client.check_ports(
                [{"port": port.port, "proto": port.protocol, "desc": ""} for port in ports]
            )
        except RejectedError:
            answer = await self._client.check_ports({"ports": [port.port for port in ports]})
            results = answer.get("results")
            free = results if isinstance(results, dict) else {}
            return {port: bool(coerce.boolean(free.get(str(port.port)))) for port in ports}
        if "conflicts" not in answer:
            raise UnavailableError(Reason.MALFORMED, "no conflicts")
        taken = {
            (coerce.integer(row.get("port")), coerce.text(row.get("proto")))
            for row in rows_in(answer["conflicts"], null=True)
        }
        return {port: (port.port, port.protocol) not in taken for port in ports}

    @override
    async def resolve_name(self, name: str, exit_path: str | None = None) -> tuple[str, ...]:
        answer = await self._client.resolve(name, exit_path or "")
        if found := coerce.texts(answer.get("ips")):
            return found
        raise RejectedError(self._transport.redact(answer.get("error")) or name)

    @override
    async def link_history(self, of: PeerKind, peer_id: str) -> LinkHistory:
        """Return the history of the link to a direct peer; there is none for other peers."""
        path = self._path(of, peer_id)
        if of is Peer and "/" in path:
            raise InvalidInputError("no_link_of_its_own", name=path)
        latency = _of_peer(path, await self._client.peer_latency())
        rebinds = _of_peer(path, await self._client.peer_rebinds())
        return LinkHistory(
            connected=latency is not None,
            rebinds=None if rebinds is None else coerce.count(rebinds.get("rebind_checks")),
            samples=_samples({} if latency is None else latency),
        )

    @override
    async def latencies(self) -> Mapping[tuple[str, str], tuple[LatencySample, ...]]:
        rows = await self._client.peer_latency()
        ids = {
            **{
                self._path(Peer, one.id): (Peer.kind, one.id)
                for one in self._around.peers.present()
            },
            **{one.name: (Tunnel.kind, one.id) for one in self._around.clients.present()},
        }
        return {ids[name]: _samples(row) for row in rows if (name := _name(row)) in ids}

    @override
    async def peers_of(self, of: PeerKind, peer_id: str) -> tuple[Peer, ...]:
        path = self._path(of, peer_id)
        if of is Peer:
            await self._peer(path)
        rows = [
            {**row, ID: (below := f"{path}/{name}"), TITLE: below}
            for row in await self._client.peers_of(path)
            if (name := coerce.identifier(row.get("name")))
        ]
        return tuple((await PEER.many(rows)).values())

    @override
    async def describe_node(self) -> Mapping[str, Mapping[str, Any]]:
        described: Mapping[str, Row] = {
            "build": {**await self._client.build_info(), **await self._client.build_id()},
            "machine": await self._feeds.optional(self._client.arch, {}),
            "settings": await self._client.ui_settings(),
        }
        hide = self._transport.secrets.hide
        return {subject: coerce.data(row, hide) for subject, row in described.items()}

    @override
    async def backup(self) -> bytes:
        return await self._client.backup()

    @override
    async def graph_layout(self) -> Mapping[str, Position]:
        return _positions(await self._client.graph_layout())

    @override
    async def follow_layout(self) -> AsyncGenerator[Mapping[str, Position]]:
        async with aclosing(self._client.graph_layout_stream()) as layouts:
            async for layout in layouts:
                yield _positions(layout)

    @override
    async def restore_backup(self, archive: bytes) -> NodeAfterRestart:
        return await upgrade.restarted(self._client, partial(self._client.restore, archive))

    @override
    async def upload_upgrade(self, archive: bytes) -> NodeAfterRestart:
        return await upgrade.restarted(self._client, partial(self._client.upload_upgrade, archive))

    @override
    async def set_graph_layout(self, positions: Mapping[str, Position]) -> None:
        """Replace all positions, in the structure of the answer."""
        rows = {name: {"x": place.x, "y": place.y} for name, place in positions.items()}
        framed = "positions" in await self._client.graph_layout()
        await self._client.set_graph_layout({"positions": rows} if framed else rows)
        if await self.graph_layout() != positions:
            raise InvalidInputError("not_taken", name="graph_layout")


def _name(row: Row) -> str | None:
    return coerce.text(row.get("name"))


def _of_peer(name: str, rows: Iterable[Row]) -> Row | None:
    """Return the data of a direct peer; only connected ones are listed."""
    return next((row for row in rows if _name(row) == name), None)


def _samples(row: Row) -> tuple[LatencySample, ...]:
    return tuple(
        LatencySample(time=time, latency=coerce.count(sample.get("ms")))
        for sample in rows_of(row.get("history"))
        if (time := coerce.iso(sample.get("at")))
    )


def _positions(layout: Row) -> Mapping[str, Position]:
    """Return the positions, in the structure of each generation."""
    rows = layout.get("positions", layout)
    positions = {
        name: Position(x=x, y=y)
        for name, row in (rows if isinstance(rows, dict) else {}).items()
        if isinstance(row, dict)
        and (x := coerce.number(row.get("x"))) is not None
        and (y := coerce.number(row.get("y"))) is not None
    }
    if rows != {} and not positions:
        raise UnavailableError(Reason.MALFORMED, "no positions")
    return positions
