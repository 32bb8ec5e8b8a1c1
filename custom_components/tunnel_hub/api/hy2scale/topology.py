"""Gives the nodes of the topology permanent ids, even while they are not listed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .. import coerce
from ..errors import InvalidInputError, Reason, UnavailableError
from ..rows import Row, rows_of
from ..time_slices import TimeSlice
from .permanent_ids import (
    KEPT_SECONDS,
    Known,
    Register,
    Sighting,
    recognise,
    renamed,
    without_repetitions,
)

_CLIENT = "link"
_PEER = "peer"


class Place(NamedTuple):
    """The place of a peer in the topology.

    path: from the hub, by names.
    exit_path: the same in the console's format, in which inbound peers have the prefix of the hub's
    id.
    above: the index of the peer that it is behind, None for a direct peer.
    outbound: whether it is one of our own connections; None if it is unknown.
    """

    path: str
    exit_path: str
    name: str
    above: int | None
    outbound: bool | None
    row: Row


def places(topology: Iterable[Row]) -> Iterator[Place]:
    """Flatten the tree, without the hub itself, whose children are inbound peers."""
    index = -1
    for _, top in without_repetitions((_own_addresses(top), top) for top in topology):
        is_self = coerce.boolean(top.get("is_self")) or top.get("direction") == "local"
        waiting: list[tuple[str, str, int | None, Row]] = [("", "", None, top)]
        while waiting:
            prefix, exit_prefix, above, row = waiting.pop()
            if (name := coerce.identifier(row.get("name"))) is None:
                continue
            path, exit_path = f"{prefix}{name}", f"{exit_prefix}{name}"
            if len(path) > coerce.MAX_ID:
                # It cannot be used, and neither can what is behind it.
                continue
            if row is top and is_self:
                below: tuple[str, str, int | None] = "", f"{name}/", None
            else:
                index += 1
                below = f"{path}/", f"{exit_path}/", index
                outbound = _is_outbound(top) if row is top else False
                yield Place(path, exit_path, name, above, outbound, row)
            children = rows_of(row.get("children"))
            waiting.extend((*below, child) for child in reversed(children))


def _own_addresses(row: Row) -> tuple[str, ...] | None:
    """Return what identifies an outbound connection; None for others and without an address."""
    return (addresses(row) or None) if _is_outbound(row) else None


def _is_outbound(row: Row) -> bool | None:
    direction = row.get("direction")
    return direction == "outbound" if isinstance(direction, str) else None


async def located(topology: Sequence[Row]) -> list[Place]:
    """Return all places; in time slices, because there may be a thousand.

    Raises UnavailableError if it is unknown which peers exist, or which of them are our own
    connections: otherwise devices would be removed and added again.
    """
    if topology and not any(coerce.text(top.get("name")) for top in topology):
        raise UnavailableError(Reason.MALFORMED, "no names")
    time_slice = TimeSlice()
    found: list[Place] = []
    for place in places(topology):
        if place.outbound is None:
            raise UnavailableError(Reason.MALFORMED, "no direction")
        found.append(place)
        await time_slice.yield_if_due()
    return found


def why_hidden(path: str, rows: Mapping[str, Row]) -> InvalidInputError:
    """Return the error that says why a peer is not listed.

    rows: of listed peers by path.
    """
    above = path
    while above := above.rpartition("/")[0]:
        if (row := rows.get(above)) is None:
            continue
        if coerce.boolean(row.get("disabled")):
            return InvalidInputError("behind_disabled_link", name=path, link=above)
        if coerce.boolean(row.get("connected")) is False:
            return InvalidInputError("behind_lost_link", name=path, link=above)
        if coerce.boolean(row.get("nested")) is False:
            return InvalidInputError("behind_peer_not_nested", name=path, link=above)
        break
    return InvalidInputError("unknown_resource", name=path)


class Exits(NamedTuple):
    """The exit paths in the console's format.

    down: those that do not work at the moment.
    """

    paths: tuple[str, ...]
    down: tuple[str, ...]


def exits_of(found: Sequence[Place]) -> Exits:
    """Return every path that the console offers. Outbound peers never say if they are exits."""
    usable: list[bool] = []
    for place in found:
        up = coerce.boolean(place.row.get("connected")) is not False
        enabled = not coerce.boolean(place.row.get("disabled"))
        usable.append(up and enabled and (place.above is None or usable[place.above]))
    paths = {place.exit_path: up for place, up in zip(found, usable, strict=True)}
    down = (path for path, up in paths.items() if not up)
    return Exits(tuple(sorted(paths)), tuple(sorted(down)))


class Tree:
    """Assigns the permanent id of its node to each place in the topology."""

    def __init__(self, clients: Register, peers: Register) -> None:
        self._registers = {_CLIENT: clients, _PEER: peers}
        self._clients = clients
        self._peers = peers
        self._shape: object = None
        self._nodes: list[Known] = []

    # Paths

    def path_of(self, node: Known) -> str:
        """Return the current or last path of a peer, by current names."""
        names = [node.name]
        while parent := self._parent(node):
            node = parent
            names.append(node.name)
        return "/".join(reversed(names))

    def hidden(self, now: float) -> list[Known]:
        """Return the peers that are kept although they are not listed.

        Peers behind a deleted connection are deleted with it.
        """
        return [
            node
            for node in self._peers.known.values()
            if node.gone_at is not None
            and now - node.gone_at <= KEPT_SECONDS
            and not node.removed
            and self._has_a_way(node)
        ]

    def _has_a_way(self, node: Known) -> bool:
        while node.parent:
            parent = self._parent(node)
            if parent is None or node.parent.startswith(_CLIENT):
                return parent is not None and parent.gone_at is None
            node = parent
        return True

    def _parent(self, node: Known) -> Known | None:
        kind, _, id_ = node.parent.partition(":")
        return self._registers[kind].known.get(id_) if kind else None

    # Identification

    def new_and_missing(self, found: Sequence[Place]) -> tuple[bool, bool]:
        """Return whether there are unknown connections, and whether known ones are missing."""
        shown = [_signs(addresses(place.row), place.name) for place in found if place.outbound]
        known = [_signs(node.marks, node.name) for node in self._clients.present()]
        return _any_unmatched(known, shown), _any_unmatched(shown, known)

    def follow(
        self, found: Sequence[Place], node_ids: Mapping[str, str], now: float
    ) -> Sequence[Known]:
        """Return the node at each place.

        node_ids: by path, as far as they were read.
        """
        shape = [(p.path, p.above, p.outbound, p.row.get("addr")) for p in found]
        if shape != self._shape or node_ids:
            self._nodes = self._recognise(found, node_ids, now)
            self._shape = shape
        return self._nodes

    def _recognise(
        self, found: Sequence[Place], node_ids: Mapping[str, str], now: float
    ) -> list[Known]:
        siblings = defaultdict[tuple[int | None, bool | None], list[int]](list)
        for index, place in enumerate(found):
            siblings[place.above, place.outbound].append(index)
        known = defaultdict[str, list[Known]](list)
        for node in self._peers.known.values():
            known[node.parent].append(node)
        paths = {place.path for place in found}
        nodes: dict[int, Known] = {}
        at_path: dict[str, Known] = {}
        # Direct peers first, because others are only recognized behind the same peer.
        for (above, outbound), indexes in sorted(siblings.items(), key=_by_depth):
            if outbound:
                nodes |= self._recognise_clients(found, indexes)
                continue
            parent = "" if above is None else _key(found[above], nodes[above])
            if above is not None:
                # A node with connections in both directions lists its peers twice.
                nodes |= {i: at_path[found[i].path] for i in indexes if found[i].path in at_path}
            new = [i for i in indexes if i not in nodes]
            among = [node for key in self._same_node(parent) for node in known[key]]
            group = [found[i] for i in new]
            sightings = [Sighting(place.name, _node_id(place, node_ids)) for place in group]
            matches = recognise(sightings, among)
            left = [node for node in among if self.path_of(node) not in paths]
            self._find_renamed(group, matches, renamed(left, but=matches, now=now))
            for i, sighting, same in zip(new, sightings, matches, strict=True):
                nodes[i] = self._peers.note(sighting, same, id_=found[i].path, parent=parent)
            if above is not None:
                at_path |= {found[i].path: nodes[i] for i in new}
        self._peers.miss_all_but({nodes[i].id for i, p in enumerate(found) if not p.outbound}, now)
        return [nodes[index] for index in range(len(found))]

    def _find_renamed(
        self, group: Sequence[Place], matches: list[Known | None], left: Sequence[Known]
    ) -> None:
        """If one sibling disappeared and one appeared, it is the same node with another name.

        Unless it was at another place before: names are unique in a mesh.
        """
        new = [index for index, node in enumerate(matches) if node is None]
        if len(new) != 1 or len(left) != 1:
            return
        place, node = group[new[0]], left[0]
        is_known = any(
            other.name == place.name
            for register in self._registers.values()
            for other in register.known.values()
        )
        if node.facts.get("direction") == place.row.get("direction") and not is_known:
            matches[new[0]] = node

    def _recognise_clients(self, found: Sequence[Place], indexes: list[int]) -> dict[int, Known]:
        sightings = [_sighting(found[i]) for i in indexes]
        matches = recognise(sightings, self._clients.known.values())
        return {
            i: self._clients.note(sighting, node, id_=sighting.name)
            for i, sighting, node in zip(indexes, sightings, matches, strict=True)
        }

    def _same_node(self, key: str) -> list[str]:
        """Return the keys of a direct peer, which can have connections in both directions."""
        kind, _, id_ = key.partition(":")
        if not kind or (node := self._registers[kind].known[id_]).parent:
            return [key]
        return [
            f"{kind}:{other.id}"
            for kind, register in self._registers.items()
            for other in register.known.values()
            if other.name == node.name and not other.parent
        ]


def _by_depth(siblings: tuple[tuple[int | None, object], object]) -> int:
    above = siblings[0][0]
    return -1 if above is None else above


def _key(place: Place, node: Known) -> str:
    return f"{_CLIENT if place.outbound else _PEER}:{node.id}"


def _signs(marks: tuple[str, ...], name: str) -> set[str]:
    return set(marks) or {name}


def _any_unmatched(first: Iterable[set[str]], second: Iterable[set[str]]) -> bool:
    """Return whether an item of the second has nothing in common with any item of the first."""
    signs = set[str]().union(*first)
    return any(not signs & other for other in second)


def _sighting(place: Place) -> Sighting:
    return Sighting(place.name, addresses(place.row))


def addresses(row: Row) -> tuple[str, ...]:
    """Return a connection's addresses, starting with the primary one."""
    several = row.get("addrs")
    found = [row.get("addr"), *(several if isinstance(several, list) else ())]
    return tuple(dict.fromkeys(text for value in found if (text := coerce.text(value))))


def _node_id(place: Place, node_ids: Mapping[str, str]) -> tuple[str, ...]:
    node_id = node_ids.get(place.path)
    return () if node_id is None else (node_id,)
