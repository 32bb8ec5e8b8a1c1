"""Reads, replaces and verifies the lists of a node.

The node reports success for writes to something that does not exist, and replaces whole rows.
Therefore every change reads the row first, and verifies the result.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from .. import coerce
from ..errors import InvalidInputError, Reason, UnavailableError, UnsupportedError
from ..routes import INVALID_NAMES
from ..rows import Row
from ..time_slices import iterate
from . import schemas
from .client import Hy2ScaleClient, wireguard_peers
from .mesh_reader import MeshReader
from .models import ID, NOT_SENT, SHADOWSOCKS

_KEYS = ("private_key", "public_key")


@dataclass(kw_only=True, eq=False)
class RowCollection:
    """A list of rows that can be deleted.

    rows: reads them. key: the field with the id of the resource. remove: deletes one.
    name_of: returns the current name of a row by its id.
    """

    key: str = "id"
    rows: Callable[[], Awaitable[list[Row]]]
    delete: Callable[[str], Awaitable[None]]
    name_of: Callable[[str], str] = lambda id_: id_

    async def ids(self) -> set[str]:
        """Read all ids."""
        return {
            id_
            async for row in iterate(await self.rows())
            if (id_ := coerce.identifier(row.get(self.key)))
        }

    async def row(self, id_: str) -> Row:
        """Read one row; raises InvalidInputError if there is none."""
        async for row in iterate(await self.rows()):
            if coerce.identifier(row.get(self.key)) == id_:
                return row
        raise InvalidInputError("unknown_resource", name=self.name_of(id_))

    async def remove(self, id_: str) -> None:
        """Delete a row; succeeds if it does not exist."""
        await self.delete(self.name_of(id_))
        if id_ in await self.ids():
            raise InvalidInputError("not_taken", name=self.name_of(id_))


@dataclass(kw_only=True, eq=False)
class EditableRows(RowCollection):
    """A list of rows that can be created, changed and deleted.

    create, replace: send a row.
    check: raises UnavailableError for a damaged row.
    unique: the fields that must be unique; the first one identifies a new row.
    names: the fields that are part of paths, if they are not the unique ones.
    check_change: raises InvalidInputError for changes that the node would not apply.
    unsure: the fields that the node may change itself.
    defaults: the values of a new row.
    """

    add: Callable[[Row], Awaitable[None]]
    replace: Callable[[str, Row], Awaitable[None]]
    check: Callable[[Row], None]
    unique: tuple[str, ...]
    names: tuple[str, ...] = ()
    check_change: Callable[[Row, Row], None] = lambda row, changes: None
    unsure: Collection[str] = ()
    defaults: Row = field(default_factory=dict)
    _changing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def create(self, fields: Row) -> str:
        """Create a row and return its id."""
        self._check_names(fields)
        rows = await self.rows()
        for name in self.unique:
            if any(row.get(name) == fields[name] for row in rows):
                raise InvalidInputError("already_exists", name=str(fields[name]))
        await self.add({**self.defaults, **fields})
        found_by = self.unique[0]
        async for row in iterate(await self.rows()):
            if row.get(found_by) == fields[found_by] and (
                id_ := coerce.identifier(row.get(self.key))
            ):
                return id_
        raise InvalidInputError("not_taken", name=str(fields[found_by]))

    async def change(self, id_: str, changes: Row) -> None:
        """Write a row with changes."""
        self._check_names(changes)
        # Two changes at the same time would undo each other.
        async with self._changing:
            row = await self.row(id_)
            self.check(row)
            self.check_change(row, changes)
            own = {name: value for name, value in row.items() if not name.startswith(NOT_SENT)}
            await self.replace(self.name_of(id_), {**own, **changes})
        await self.expect(id_, changes)

    def _check_names(self, fields: Row) -> None:
        """Raise InvalidInputError for a name that cannot be part of a path."""
        for name in self.names or self.unique:
            if name in fields and fields[name] in INVALID_NAMES:
                raise InvalidInputError("invalid_name", name=str(fields[name]))

    async def expect(self, id_: str, changes: Row) -> None:
        """Raise InvalidInputError unless a row contains the changes, as far as it shows them."""
        row = await self.row(id_)
        sure = {name: value for name, value in changes.items() if name not in self.unsure}
        if any(name in row and row[name] != value for name, value in sure.items()):
            raise InvalidInputError("not_taken", name=self.name_of(id_))


def _check_primary_address(row: Row, changes: Row) -> None:
    if changes.get("addr", row["addr"]) != row["addr"]:
        raise InvalidInputError(
            "primary_address_stays", name=str(row.get("name")), now=str(row["addr"])
        )


class RowCollections:
    """All lists of a node."""

    def __init__(self, client: Hy2ScaleClient, around: MeshReader) -> None:
        self._client = client
        self._around = around
        enabled: Row = {"enabled": True}
        self.clients = EditableRows(
            key=ID,
            rows=around.connections_now,
            delete=client.delete_client,
            add=client.create_client,
            replace=client.update_client,
            check=schemas.CLIENT.check,
            unique=("addr", "name"),
            names=("name",),
            name_of=around.handle_of,
            check_change=_check_primary_address,
            # It takes the name of the node when it connects.
            unsure=("name",),
        )
        self.users = EditableRows(
            rows=client.users,
            delete=client.delete_user,
            add=client.create_user,
            replace=client.update_user,
            check=schemas.USER.check,
            unique=("username",),
            defaults=enabled,
        )
        self.rules = EditableRows(
            rows=self._rules,
            delete=client.delete_rule,
            add=client.create_rule,
            replace=client.update_rule,
            check=schemas.RULE.check,
            unique=("id",),
            defaults=enabled,
        )
        self.proxies = EditableRows(
            rows=self._proxies,
            delete=self._delete_proxy,
            add=self._create_proxy,
            replace=self._update_proxy,
            check=schemas.check_proxy,
            unique=("id",),
            defaults=enabled,
        )
        self.wireguard_peers = EditableRows(
            key=ID,
            rows=self._wireguard_peers,
            delete=client.delete_wireguard_peer,
            add=self._create_wireguard_peer,
            replace=client.update_wireguard_peer,
            check=schemas.WIREGUARD_PEER.check,
            unique=("name",),
            name_of=around.wireguard_peers.name_of,
        )
        self.certificates = RowCollection(
            rows=client.certificates, delete=client.delete_certificate
        )

    async def _rules(self) -> list[Row]:
        return (await self._client.rules())[1]

    async def _wireguard_peers(self) -> list[Row]:
        return await self._around.with_ids(wireguard_peers(await self._client.wireguard()))

    async def _create_wireguard_peer(self, row: Row) -> None:
        """Create a peer; the node generates missing keys."""
        keys: Row = {}
        if not row.get("public_key"):
            answer = await self._client.generate_wireguard_key()
            keys = {name: coerce.token(answer.get(name)) for name in _KEYS}
            if not all(keys.values()):
                raise UnavailableError(Reason.MALFORMED, "no keys")
        await self._client.create_wireguard_peer({**row, **keys})

    # Shadowsocks: a proxy in the documented generation, a separate row since 1.3

    async def _shadowsocks(self) -> Row | None:
        """Return the separate row, or None if it is a proxy."""
        try:
            row = await self._client.shadowsocks()
        except UnsupportedError:
            return None
        return {**row, "id": SHADOWSOCKS, "protocol": SHADOWSOCKS}

    async def _proxies(self) -> list[Row]:
        rows = await self._client.proxies()
        shadowsocks = await self._shadowsocks()
        return rows if shadowsocks is None else [*rows, shadowsocks]

    async def _create_proxy(self, row: Row) -> None:
        await self._check_shadowsocks(row)
        await self._client.create_proxy(row)

    async def _check_shadowsocks(self, row: Row) -> None:
        """Raise InvalidInputError for a second Shadowsocks, which would become a SOCKS5 proxy."""
        if row.get("protocol") == SHADOWSOCKS and await self._shadowsocks() is not None:
            raise InvalidInputError("shadowsocks_exists", name=SHADOWSOCKS)

    async def _update_proxy(self, id_: str, row: Row) -> None:
        if id_ == SHADOWSOCKS and await self._shadowsocks() is not None:
            await self._client.update_shadowsocks(row)
        else:
            await self._check_shadowsocks(row)
            await self._client.update_proxy(id_, row)

    async def _delete_proxy(self, id_: str) -> None:
        """Delete a proxy; the Shadowsocks of 1.3 can only be disabled."""
        if id_ == SHADOWSOCKS and await self._shadowsocks() is not None:
            raise UnsupportedError
        await self._client.delete_proxy(id_)
