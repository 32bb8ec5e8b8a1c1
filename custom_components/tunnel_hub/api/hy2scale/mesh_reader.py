"""Reads a node's connections and its mesh, and remembers the ids of peers."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
import time
from typing import Any, NamedTuple

from .. import coerce
from ..cache import CachedRead
from ..errors import (
    AuthenticationError,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from ..models.mesh import Peer, PeerDirection
from ..rows import Row
from ..time_slices import TimeSlice, iterate
from .client import Hy2ScaleClient
from .models import ABOVE, EXIT_PATH, ID, TITLE
from .permanent_ids import Known, Register, Sighting, without_repetitions
from .topology import Exits, Place, Tree, addresses, exits_of, located

_SAME_MOMENT = 2.0
_NOW = 0.0

_LASTING = (
    *("conflict", "direction", "enabled", "exit_node", "incompatible", "native", "nested"),
    *("unsupported", "version"),
)
"""Fields that are still shown for a peer that is no longer listed."""
_SHARED = ("direction", "exit_node", "nested", "version")
"""Fields that are the same for all connections with one name."""


class Mesh(NamedTuple):
    """The topology.

    links: rows of the node's own connections.
    peers: rows of all other peers.
    """

    links: Sequence[Row]
    peers: Sequence[Row]
    exits: Exits


class MeshReader:
    """Reads the surroundings of the node; all rows have permanent ids.

    connections: the configured ones. mesh: the topology.
    clients, peers, wireguard_peers: known things by id.
    on_memory: called and awaited with data to store when they change.
    """

    def __init__(self, client: Hy2ScaleClient) -> None:
        self._client = client
        self.clients = Register()
        self.peers = Register()
        self.wireguard_peers = Register()
        self._registers = {
            "clients": self.clients,
            "peers": self.peers,
            "wireguard_peers": self.wireguard_peers,
        }
        self.on_memory: Callable[[Mapping[str, object]], Awaitable[None]] | None = None
        self.connections = CachedRead(self._read_connections)
        self.mesh = CachedRead(self._read_mesh)
        self._tree = Tree(self.clients, self.peers)
        self._asked_for: set[str] = set()
        self._shown: Mapping[str, Peer] = {}

    # Memory

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Restore the known peers."""
        for name, register in self._registers.items():
            register.restore(memory.get(name, ()))

    async def remember(self) -> None:
        """Store changed data."""
        if self.on_memory and any(register.changed for register in self._registers.values()):
            await self.on_memory({name: reg.stored() for name, reg in self._registers.items()})

    def forget(self) -> None:
        """Drop cached values after a write."""
        self.connections.forget()
        self.mesh.forget()

    # Current names; an unknown id may be a name

    def path_of(self, peer_id: str) -> str:
        """Return the path of a peer by current names."""
        one = self.peers.known.get(peer_id)
        return self._tree.path_of(one) if one else peer_id

    def name_of(self, client_id: str) -> str:
        """Return the name of a connection."""
        return self.clients.name_of(client_id)

    def handle_of(self, client_id: str) -> str:
        """Return a connection's name, or its address if the name is not unique."""
        one = self.clients.known.get(client_id)
        if one is None or not one.marks:
            return client_id if one is None else one.name
        namesakes = [other for other in self.clients.present() if other.name == one.name]
        return one.name if len(namesakes) <= 1 else one.marks[0]

    # Configured connections and peers

    async def _read_connections(self) -> list[Row]:
        rows = await self._with_ids(await self._client.clients(), self.clients, addresses)
        titles = self._titles()
        return [{**row, TITLE: titles.get(str(row[ID]))} for row in rows]

    async def connections_now(self) -> list[Row]:
        """Read the connections, even if they are cached."""
        return await self.connections.get(_NOW)

    async def with_ids(self, wireguard_peers: Sequence[Row]) -> list[Row]:
        """Return the rows of all WireGuard peers, recognized by their keys."""
        return await self._with_ids(
            wireguard_peers, self.wireguard_peers, lambda row: coerce.texts([row.get("public_key")])
        )

    async def _with_ids(
        self, rows: Sequence[Row], register: Register, marks: Callable[[Row], tuple[str, ...]]
    ) -> list[Row]:
        """Return the rows of a complete list with ids; rows without a name have none.

        An exact repetition of a row is left out.
        """
        time_slice = TimeSlice()

        def _sighting(row: Row) -> Sighting | None:
            name = coerce.identifier(row.get("name"))
            return Sighting(name, marks(row)) if name else None

        distinct = without_repetitions((_sighting(row), row) for row in rows)
        found = [one async for one in iterate(distinct)]
        # All rows are recognized together.
        known = iter(register.follow([one for one, _ in found if one], time.time()))
        await time_slice.yield_if_due()
        await self.remember()
        return [{**row, ID: next(known).id if sighting else None} for sighting, row in found]

    def _titles(self) -> dict[str, str]:
        """Return the names of connections by id, with the address if a name is not unique."""
        there = self.clients.present()
        count = Counter(one.name for one in there)
        return {
            one.id: f"{one.name} ({one.marks[0]})"
            if count[one.name] > 1 and one.marks
            else one.name
            for one in there
        }

    # The mesh

    async def _read_mesh(self) -> Mesh:
        found = await located(await self._client.topology())
        await self._look_for_new_connections(found)
        ones = self._tree.follow(found, await self._node_ids(found), time.time())
        await self.remember()
        shown = {one.id: place for place, one in zip(found, ones, strict=True) if place.outbound}
        return Mesh(self._link_rows(shown), _peer_rows(found, ones), exits_of(found))

    async def _look_for_new_connections(self, found: Sequence[Place]) -> None:
        """Read the list of connections if there are new ones: only it contains their addresses."""
        new, missing = self._tree.new_and_missing(found)
        try:
            if new:
                await self.connections.get(_SAME_MOMENT)
        except UnsupportedError:
            pass
        except UnavailableError, RejectedError:
            # What looks new may be a missing one with another name, so it is too early to decide.
            if missing:
                raise

    def _link_rows(self, shown: Mapping[str, Place]) -> list[Row]:
        """Return a row for each connection; the topology has one row for all with the same name."""
        by_name = {
            place.name: {**place.row, EXIT_PATH: place.exit_path} for place in shown.values()
        }
        titles = self._titles()
        rows: list[Row] = []
        for id_, title in titles.items():
            name = self.clients.known[id_].name
            if name in by_name:
                row = by_name[name]
                shared = row if id_ in shown else {f: row[f] for f in _SHARED if f in row}
                conflict = {"conflict": True} if title != name else {}
                rows.append({**shared, **conflict, ID: id_, TITLE: title})
        return rows

    async def _node_ids(self, found: Sequence[Place]) -> dict[str, str]:
        """Read the node ids of new peers once, if they are near enough."""
        parents = {
            place.path: "" if place.above is None else found[place.above].path
            for place in found
            if not place.outbound
            and (place.above is None or found[place.above].above is None)
            and coerce.boolean(place.row.get("connected")) is not False
        }
        self._asked_for &= parents.keys()
        node_ids: dict[str, str] = {}
        for parent in dict.fromkeys(parents[path] for path in parents.keys() - self._asked_for):
            try:
                rows = await (
                    self._client.peers_of(parent) if parent else self._client.internal_peers()
                )
            except AuthenticationError, UnavailableError:
                continue
            except TunnelHubError:
                rows = []
            self._asked_for |= {path for path, above in parents.items() if above == parent}
            async for row in iterate(rows):
                name, node_id = coerce.identifier(row.get("name")), coerce.text(row.get("node_id"))
                if name and node_id:
                    node_ids[f"{parent}/{name}" if parent else name] = node_id
        return node_ids

    async def shown_and_hidden(self, shown: Mapping[str, Peer]) -> dict[str, Peer]:
        """Add the peers that are no longer listed, with their last data."""
        for id_, peer in shown.items():
            if self._shown.get(id_) != peer:
                facts = {name: getattr(peer, name) for name in _LASTING}
                self.peers.set(self.peers.known[id_], facts=facts)
        self._shown = shown
        await self.remember()
        hidden = self._tree.hidden(time.time())
        return {
            **shown,
            **{one.id: _hidden(one, self._tree.path_of(one)) for one in hidden},
        }

    def hidden_ids(self) -> set[str]:
        """Return the ids of peers that are shown although they are not listed."""
        return {one.id for one in self._tree.hidden(time.time())}

    async def forget_peer(self, peer_id: str) -> None:
        """Remove a peer that is not listed, until it is listed again."""
        if (one := self.peers.known.get(peer_id)) is not None:
            self.peers.set(one, removed=True)
            await self.remember()


def _peer_rows(found: Sequence[Place], ones: Sequence[Known]) -> list[Row]:
    """Return the rows of all other peers, with unique paths."""
    at_path: dict[str, dict[str, Row]] = {}
    for place, one in zip(found, ones, strict=True):
        if not place.outbound:
            row = {**place.row, ABOVE: one.parent, EXIT_PATH: place.exit_path}
            at_path.setdefault(place.path, {}).setdefault(one.id, row)
    return [
        {**row, **({"conflict": True} if len(rows) > 1 else {}), ID: id_, TITLE: title}
        for path, rows in at_path.items()
        for number, (id_, row) in enumerate(rows.items(), 1)
        for title in [path if number == 1 else f"{path} ({number})"]
    ]


def _hidden(one: Known, path: str) -> Peer:
    direction = one.facts.get("direction")
    return Peer(
        id=one.id,
        name=path,
        above=one.parent or None,
        connected=False,
        **{**one.facts, "direction": direction and PeerDirection(direction)},
    )
