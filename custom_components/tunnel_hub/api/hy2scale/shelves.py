"""What a node keeps in lists: found, replaced and seen to have changed.

The node answers writes for what it does not have as if all were well, and replaces whole rows. So
every change reads the row first, and looks afterwards whether it came about.
"""

import asyncio
from collections.abc import Awaitable, Callable

from .. import coerce
from ..errors import InvalidInputError, UnsupportedError
from ..rows import Row
from . import shapes
from .client import Hy2ScaleClient, wireguard_peers
from .rows import SHADOWSOCKS


class Stock:
    """One kind of rows, which can be removed.

    rows: reads them. key: the field that they go by. remove: the write.
    """

    def __init__(
        self,
        key: str,
        rows: Callable[[], Awaitable[list[Row]]],
        remove: Callable[[str], Awaitable[None]],
    ) -> None:
        """Read nothing yet."""
        self.key = key
        self.rows = rows
        self._remove = remove

    async def row(self, id_: str) -> Row:
        """Read one row; raises InvalidInputError if there is none."""
        for row in await self.rows():
            if coerce.identifier(row.get(self.key)) == id_:
                return row
        raise InvalidInputError("unknown_resource", name=id_)

    async def remove(self, id_: str) -> None:
        """Remove a row; one that is gone already counts as removed."""
        await self._remove(id_)
        if any(coerce.identifier(row.get(self.key)) == id_ for row in await self.rows()):
            raise InvalidInputError("not_taken", name=id_)


class Shelf(Stock):
    """One kind of rows, which can also be made and replaced.

    create, replace: the writes. check: raises UnavailableError for a row that came damaged.
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
        **defaults: object,
    ) -> None:
        """Read nothing yet."""
        super().__init__(key, rows, remove)
        self._create = create
        self._replace = replace
        self._check = check
        self._defaults = defaults
        self._changing = asyncio.Lock()

    async def create(self, fields: Row, name: str) -> str:
        """Make a row; its id. name: the field that no two rows may share."""
        wanted = fields[name]
        if any(row.get(name) == wanted for row in await self.rows()):
            raise InvalidInputError("already_exists", name=str(wanted))
        await self._create({**self._defaults, **fields})
        for row in await self.rows():
            if row.get(name) == wanted and (id_ := coerce.identifier(row.get(self.key))):
                return id_
        raise InvalidInputError("not_taken", name=str(wanted))

    async def change(self, id_: str, changes: Row) -> None:
        """Replace a row by itself with changes, which may be to its id."""
        # Two changes at once would each undo the other's.
        async with self._changing:
            row = await self.row(id_)
            self._check(row)
            await self._replace(id_, {**row, **changes})
        await self.expect(str(changes.get(self.key, id_)), changes)

    async def expect(self, id_: str, changes: Row) -> None:
        """Raise InvalidInputError unless a row shows the changes, as far as it shows them."""
        row = await self.row(id_)
        if any(name in row and row[name] != value for name, value in changes.items()):
            raise InvalidInputError("not_taken", name=id_)


class Shelves:
    """All lists of a node."""

    def __init__(self, client: Hy2ScaleClient) -> None:
        """Take what reads and writes."""
        self._client = client
        self.clients = Shelf(
            "name",
            client.clients,
            client.delete_client,
            client.create_client,
            client.update_client,
            check=shapes.CLIENT.check,
        )
        self.users = Shelf(
            "id",
            client.users,
            client.delete_user,
            client.create_user,
            client.update_user,
            check=shapes.USER.check,
            enabled=True,
        )
        self.rules = Shelf(
            "id",
            self._rules,
            client.delete_rule,
            client.create_rule,
            client.update_rule,
            check=shapes.RULE.check,
            enabled=True,
        )
        self.proxies = Shelf(
            "id",
            self._proxies,
            self._delete_proxy,
            client.create_proxy,
            self._update_proxy,
            check=shapes.check_proxy,
            enabled=True,
        )
        self.wireguard_peers = Shelf(
            "name",
            self._wireguard_peers,
            client.delete_wireguard_peer,
            self._create_wireguard_peer,
            client.update_wireguard_peer,
            check=shapes.WIREGUARD_PEER.check,
        )
        self.certificates = Stock("id", client.certificates, client.delete_certificate)

    async def _rules(self) -> list[Row]:
        return (await self._client.rules())[1]

    async def _wireguard_peers(self) -> list[Row]:
        return wireguard_peers(await self._client.wireguard())

    async def _create_wireguard_peer(self, row: Row) -> None:
        """Add a peer; the node makes a pair of keys where none is given."""
        keys: Row = {}
        if not row.get("public_key"):
            keys = await self._client.generate_wireguard_key()
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

    async def _update_proxy(self, id_: str, row: Row) -> None:
        if id_ == SHADOWSOCKS and await self._shadowsocks() is not None:
            await self._client.update_shadowsocks(row)
        else:
            await self._client.update_proxy(id_, row)

    async def _delete_proxy(self, id_: str) -> None:
        """Remove a proxy; the Shadowsocks of 1.3 can only be disabled."""
        if id_ == SHADOWSOCKS and await self._shadowsocks() is not None:
            raise UnsupportedError
        await self._client.delete_proxy(id_)
