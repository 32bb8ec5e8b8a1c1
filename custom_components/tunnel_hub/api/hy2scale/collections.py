"""What a node keeps in lists: found, replaced and seen to have changed.

The node answers writes for what it does not have as if all were well, and replaces whole rows. So
every change reads the row first, and looks afterwards whether it came about.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from .. import coerce
from ..errors import InvalidInputError, Reason, UnavailableError, UnsupportedError
from ..routes import NO_NAMES
from ..rows import Row
from ..throttling import iterate
from . import schemas
from .client import Hy2ScaleClient, wireguard_peers
from .mesh_reader import MeshReader
from .models import ID, NOT_SENT, SHADOWSOCKS

_KEYS = ("private_key", "public_key")


class RowCollection:
    """One kind of rows, which can be removed.

    rows: reads them. key: the field with the id of the resource. remove: the write.
    name_of: what the node, and a person, calls a row, by its id.
    """

    def __init__(
        self,
        key: str,
        rows: Callable[[], Awaitable[list[Row]]],
        remove: Callable[[str], Awaitable[None]],
        *,
        name_of: Callable[[str], str] = lambda id_: id_,
    ) -> None:
        self.key = key
        self.rows = rows
        self.name_of = name_of
        self._remove = remove

    async def ids(self) -> set[str]:
        """Read the ids of all rows."""
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
        """Remove a row; one that is gone already counts as removed."""
        await self._remove(self.name_of(id_))
        if id_ in await self.ids():
            raise InvalidInputError("not_taken", name=self.name_of(id_))


class EditableRows(RowCollection):
    """One kind of rows, which can also be made and replaced.

    create, replace: the writes. check: raises UnavailableError for a row that came damaged.
    unique: the fields in which no two rows may be the same; the first of them finds a new row.
    names: the fields that stand in paths, if they are not the unique ones.
    check_change: raises InvalidInputError for changes that the node would not make to a row.
    unsure: the fields that the node may change again by itself.
    defaults: what a new row has where nothing is said.
    """

    def __init__(
        self,
        key: str,
        rows: Callable[[], Awaitable[list[Row]]],
        remove: Callable[[str], Awaitable[None]],
        create: Callable[[Row], Awaitable[None]],
        replace: Callable[[str, Row], Awaitable[None]],
        *,
        check: Callable[[Row], None],
        unique: tuple[str, ...],
        names: tuple[str, ...] = (),
        name_of: Callable[[str], str] = lambda id_: id_,
        check_change: Callable[[Row, Row], None] = lambda row, changes: None,
        unsure: Collection[str] = (),
        **defaults: object,
    ) -> None:
        super().__init__(key, rows, remove, name_of=name_of)
        self._create = create
        self._replace = replace
        self._check = check
        self._unique = unique
        self._names = names or unique
        self._check_change = check_change
        self._unsure = unsure
        self._defaults = defaults
        self._changing = asyncio.Lock()

    async def create(self, fields: Row) -> str:
        """Create a row and return its id."""
        self._check_names(fields)
        rows = await self.rows()
        for field in self._unique:
            if any(row.get(field) == fields[field] for row in rows):
                raise InvalidInputError("already_exists", name=str(fields[field]))
        await self._create({**self._defaults, **fields})
        found_by = self._unique[0]
        async for row in iterate(await self.rows()):
            if row.get(found_by) == fields[found_by] and (
                id_ := coerce.identifier(row.get(self.key))
            ):
                return id_
        raise InvalidInputError("not_taken", name=str(fields[found_by]))

    async def change(self, id_: str, changes: Row) -> None:
        """Write a row with changes."""
        self._check_names(changes)
        # Two changes at once would each undo the other's.
        async with self._changing:
            row = await self.row(id_)
            self._check(row)
            self._check_change(row, changes)
            own = {name: value for name, value in row.items() if not name.startswith(NOT_SENT)}
            await self._replace(self.name_of(id_), {**own, **changes})
        await self.expect(id_, changes)

    def _check_names(self, fields: Row) -> None:
        """Raise InvalidInputError for a name by which the node could never be asked again."""
        for field in self._names:
            if field in fields and fields[field] in NO_NAMES:
                raise InvalidInputError("invalid_name", name=str(fields[field]))

    async def expect(self, id_: str, changes: Row) -> None:
        """Raise InvalidInputError unless a row shows the changes, as far as it shows them."""
        row = await self.row(id_)
        sure = {name: value for name, value in changes.items() if name not in self._unsure}
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
        self.clients = EditableRows(
            ID,
            around.connections_now,
            client.delete_client,
            client.create_client,
            client.update_client,
            check=schemas.CLIENT.check,
            unique=("addr", "name"),
            names=("name",),
            name_of=around.handle_of,
            check_change=_check_primary_address,
            # On connecting it takes the name of the node that it reaches.
            unsure=("name",),
        )
        self.users = EditableRows(
            "id",
            client.users,
            client.delete_user,
            client.create_user,
            client.update_user,
            check=schemas.USER.check,
            unique=("username",),
            enabled=True,
        )
        self.rules = EditableRows(
            "id",
            self._rules,
            client.delete_rule,
            client.create_rule,
            client.update_rule,
            check=schemas.RULE.check,
            unique=("id",),
            enabled=True,
        )
        self.proxies = EditableRows(
            "id",
            self._proxies,
            self._delete_proxy,
            self._create_proxy,
            self._update_proxy,
            check=schemas.check_proxy,
            unique=("id",),
            enabled=True,
        )
        self.wireguard_peers = EditableRows(
            ID,
            self._wireguard_peers,
            client.delete_wireguard_peer,
            self._create_wireguard_peer,
            client.update_wireguard_peer,
            check=schemas.WIREGUARD_PEER.check,
            unique=("name",),
            name_of=around.wireguard_peers.name_of,
        )
        self.certificates = RowCollection("id", client.certificates, client.delete_certificate)

    async def _rules(self) -> list[Row]:
        return (await self._client.rules())[1]

    async def _wireguard_peers(self) -> list[Row]:
        return await self._around.with_ids(wireguard_peers(await self._client.wireguard()))

    async def _create_wireguard_peer(self, row: Row) -> None:
        """Add a peer; the node makes a pair of keys where none is given."""
        keys: Row = {}
        if not row.get("public_key"):
            answer = await self._client.generate_wireguard_key()
            keys = {name: coerce.token(answer.get(name)) for name in _KEYS}
            if not all(keys.values()):
                raise UnavailableError(Reason.MALFORMED, "no keys")
        await self._client.create_wireguard_peer({**row, **keys})

    # Shadowsocks: a proxy as documented, since 1.3 on its own

    async def _shadowsocks(self) -> Row | None:
        """Return the row of its own, None where it is a proxy like others."""
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
        """Raise InvalidInputError for a second Shadowsocks: it would become a SOCKS5 proxy."""
        if row.get("protocol") == SHADOWSOCKS and await self._shadowsocks() is not None:
            raise InvalidInputError("shadowsocks_exists", name=SHADOWSOCKS)

    async def _update_proxy(self, id_: str, row: Row) -> None:
        if id_ == SHADOWSOCKS and await self._shadowsocks() is not None:
            await self._client.update_shadowsocks(row)
        else:
            await self._check_shadowsocks(row)
            await self._client.update_proxy(id_, row)

    async def _delete_proxy(self, id_: str) -> None:
        """Remove a proxy; the Shadowsocks of 1.3 can only be disabled."""
        if id_ == SHADOWSOCKS and await self._shadowsocks() is not None:
            raise UnsupportedError
        await self._client.delete_proxy(id_)
