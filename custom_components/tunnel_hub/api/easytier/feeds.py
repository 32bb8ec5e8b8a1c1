"""What is read from a node manager, and how often: the feeds of one account, or of nobody's."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import NamedTuple

from .. import coerce
from ..capabilities.directory import ALL_NODES, PUBLIC_NODES
from ..errors import (
    InvalidInputError,
    NodeGoneError,
    RejectedError,
    TunnelHubError,
    UnavailableError,
    UnsupportedError,
)
from ..feed import FIVE_MINUTES, HOUR, Feed, by_key
from ..gather import gather_all
from ..models.account import Account
from ..models.base import Resource
from ..models.directory import CheckTarget, Finding, PublicNode, Reachability, RelayNode
from ..models.service import ServiceTotals
from ..provider import Options
from ..rows import Row, RowCache
from ..throttling import iterate
from . import models, recent_status
from .client import EasyTierClient, MailNotVerifiedError

BATCH = 20
"""How many addresses one check takes at most."""

_TWO_MINUTES = timedelta(minutes=2)
_CHECK_INTERVAL = timedelta(minutes=15)
"""A check makes the service try every connection of every node."""


class Network(NamedTuple):
    """What a client needs to join nodes' network. Unknown is ""."""

    name: str
    secret: str


class Feeds:
    """Reads a node manager, and remembers what commands and issues need to know of it.

    nodes: the account's, by id, as last read.
    namesakes: names that several nodes of one account have.
    key_refused: whether checks want another API key.
    on_own_listed, on_public_listed: called, and awaited, with the rows of a list that was read.
    not_verified: what the service says if the account's email address is not verified.
    """

    def __init__(
        self,
        client: EasyTierClient,
        options: Options,
        network: Network,
        renew_token: Callable[[], Awaitable[None]],
        *,
        signed_in: bool,
    ) -> None:
        """Read nothing yet.

        network: that of nodes of which the service does not tell it.
        renew_token: gets another session token; what the account may do sits in the token.
        """
        self._client = client
        self._renew_token = renew_token
        self._all_nodes = bool(options.get(ALL_NODES))
        chosen = options.get(PUBLIC_NODES)
        self._chosen = frozenset(chosen) if isinstance(chosen, list) else frozenset()
        self._network = network
        self._signed_in = signed_in
        self._rows: list[Row] | None = None
        self._public_by_id: Mapping[str | None, Row] = {}
        """As last read, for what an account's own nodes do not tell."""
        self._own = RowCache(models.NODE)
        self._public = RowCache(models.PUBLIC_NODE)
        self._checks_offered: bool | None = None
        """None before the first check."""
        self.nodes: Mapping[str, RelayNode] = {}
        self._sees_all: bool | None = None
        """What the service last said to the wish to see everyone's nodes, with this token."""
        self._renewed_as: bool | None = None
        """What the account was when the token was last renewed because of that."""
        self._tells_account = True
        """Whether this version of the service has an endpoint for the account."""
        self._login_tried = False
        """Whether it has been since the account had nodes."""
        self.namesakes: tuple[str, ...] = ()
        self.administrator: bool | None = None
        self.not_verified: str | None = None
        self.key_refused = False
        self.on_own_listed: Callable[[list[Row]], Awaitable[None]] = _nobody
        self.on_public_listed: Callable[[list[Row]], Awaitable[None]] = _nobody

    def feeds(self) -> dict[str, Feed[Resource]]:
        """Return the feeds by key."""
        account = (
            models.ACCOUNT.feed("account", HOUR, self.account, required=True),
            models.NODE.feed("nodes", _TWO_MINUTES, self._own_nodes, chosen=True),
            Feed[Resource](
                "reachability",
                Reachability,
                frozenset({"findings", "latency", "reachable"}),
                _CHECK_INTERVAL,
                self._reachability,
            ),
        )
        public = models.PUBLIC_NODE.feed(
            "public_nodes", FIVE_MINUTES, self._public_nodes, chosen=True
        )
        service = models.SERVICE.feed(
            "service",
            FIVE_MINUTES,
            self._service,
            also=("nodes_listed",),
            required=not self._signed_in,
        )
        return by_key(
            *(account if self._signed_in else ()), *((public,) if self._chosen else ()), service
        )

    # The account and its nodes

    async def account(self) -> Mapping[str, Account]:
        """Read what the account is; where the service does not tell, a login did."""
        try:
            row = await self._client.me()
        except UnsupportedError:
            self._tells_account = False
        except MailNotVerifiedError as err:
            self.not_verified = err.message
        else:
            self.not_verified = None
            self.administrator = coerce.boolean(row.get("is_admin"))
            await self._renew_token_if_contradicted()
        return {"account": Account(id="account", administrator=self.administrator)}

    async def _renew_token_if_contradicted(self) -> None:
        """Get another session token where this one allows other things than the account may do.

        Once for each change of the account: a server may have its own reasons.
        """
        told = self._sees_all, self.administrator
        if None in told or told[0] is told[1] or self._renewed_as is self.administrator:
            return
        before, self._renewed_as = self._renewed_as, self.administrator
        try:
            await self._renew_token()
        except TunnelHubError:
            self._renewed_as = before
            raise

    async def _own_nodes(self) -> Mapping[str, RelayNode]:
        found = await self.own_rows()
        await self.on_own_listed(found)
        self.nodes = await self._own.read(await _now(found))
        return self.nodes

    async def _log_in_if_nothing_is_listed(self, found: list[Row]) -> None:
        """Find out whether the account still exists, where only a login tells.

        The session token of a deleted account stays good, and lists nothing.
        """
        tried, self._login_tried = self._login_tried, not found and not self._tells_account
        if self._login_tried and not tried:
            known = self.administrator
            try:
                await self._renew_token()
            except TunnelHubError:
                self._login_tried = False
                raise
            # Such a version shows nobody the nodes of all, whatever the login says of the account.
            self.administrator = known

    async def own_rows(self) -> list[Row]:
        """Read the rows of the account's nodes, or of everyone's."""
        found = await self._listed_rows()
        await self._log_in_if_nothing_is_listed(found)
        # Older documents' servers tell of relaying only what they tell everyone.
        if any("allow_relay" not in row for row in found):
            with suppress(RejectedError, UnavailableError, UnsupportedError):
                public = iterate(await self._client.public())
                self._public_by_id = {_id(row): row async for row in public}
            public_by_id = self._public_by_id
            found = [{**public_by_id.get(_id(row), {}), **row} async for row in iterate(found)]
        self._rows = found
        self.namesakes = await models.namesakes(await self._with_owners(found))
        return found

    async def _with_owners(self, found: Iterable[Row]) -> list[Row]:
        """Return those rows of which it is known whose they are."""
        return [row async for row in iterate(found) if models.owner(row) or not self._all_nodes]

    async def nodes_called(self, name: str, owner: str | None) -> list[str]:
        """Read the ids of an account's nodes of one name."""
        return [
            _id(row) or ""
            for row in await self._with_owners(await self.own_rows())
            if coerce.text(row.get("node_name")) == name and models.owner(row) in (owner, None)
        ]

    async def _listed_rows(self) -> list[Row]:
        """Read everyone's rows where the user wants and may see them, else the account's own."""
        if (everybodys := await self._everybodys_rows()) is not None:
            return everybodys
        found = await self._client.my()
        if not found and self._rows != []:
            # The service lists nothing for a deleted account either: the account itself tells.
            await self.account()
        return found

    async def _everybodys_rows(self) -> list[Row] | None:
        """Read everyone's rows; None where they are not wanted or not allowed."""
        for _ in range(2):
            if not self._all_nodes or self._sees_all is False:
                break
            try:
                found = await self._client.all()
            except UnsupportedError:
                self._all_nodes = False
            except InvalidInputError:
                self._sees_all = False
                # The right sits in the session token, which may be older than the right.
                with suppress(UnavailableError):
                    await self.account()
            else:
                self._sees_all = True
                return found
        return None

    def forget_right(self) -> None:
        """Find out again whether everyone's nodes may be seen: there is another session token."""
        self._sees_all = None

    async def node_row(self, node_id: str) -> Row:
        """Read a node as the service has it now; raises NodeGoneError."""
        with suppress(UnsupportedError):
            return await self._client.node(node_id)
        for row in await self.own_rows():
            if _id(row) == node_id:
                return row
        raise NodeGoneError

    # Whether nodes can be reached

    def targets(self, row: Row) -> list[CheckTarget]:
        """Return what can be checked of a node: nothing unless its network is known."""
        name = coerce.verbatim(row.get("network_name")) or self._network.name
        secret = coerce.secret(row.get("network_token")) or self._network.secret
        if not (name and secret):
            return []
        return [
            CheckTarget(address=address, network_name=name, network_secret=secret)
            for address in models.addresses(row)
            if models.is_checkable(address)
        ]

    async def check(self, targets: Sequence[CheckTarget]) -> tuple[Finding, ...]:
        """Have addresses tried, twenty at a time, one batch after the other."""
        try:
            if not self._checks_offered:
                await self._client.health()
            found: list[Finding] = []
            for batch in batched(targets, BATCH, strict=False):
                found += await self._check_batch(batch)
        except InvalidInputError:
            self.key_refused = True
            raise
        except UnsupportedError:
            self._checks_offered = False
            raise
        self._checks_offered, self.key_refused = True, False
        return tuple(found)

    async def _check_batch(self, targets: Iterable[CheckTarget]) -> list[Finding]:
        wanted: list[Row] = [
            {
                "server": target.address,
                "network_name": target.network_name,
                "network_secret": target.network_secret,
            }
            for target in targets
        ]
        try:
            results = await self._client.batch_check(wanted)
        except UnsupportedError:
            # Perhaps a function that takes one at a time.
            results = [
                await self._client.check(t.address, t.network_name, t.network_secret)
                for t in targets
            ]
        return [
            models.finding(target.address, row)
            for target, row in zip(targets, results, strict=True)
        ]

    async def _reachability(self) -> Mapping[str, Reachability]:
        """Check all connections of all nodes; a server without checks is asked for them once."""
        if self._checks_offered is False:
            return {}
        own = self._rows if self._rows is not None else await self.own_rows()
        by_node = {
            node_id: targets
            for row in own
            if (node_id := _id(row)) and (targets := self.targets(row))
        }
        if not by_node:
            return {}
        try:
            findings = iter(await self.check([t for ts in by_node.values() for t in ts]))
        except UnsupportedError:
            return {}
        return {
            node_id: models.reachability(node_id, [next(findings) for _ in targets])
            for node_id, targets in by_node.items()
        }

    # What everyone may see

    async def public_nodes(self) -> Mapping[str, PublicNode]:
        """Read all public nodes now, by id."""
        found = await self._client.public()
        await self.on_public_listed(found)
        return await self._public.read(await _now(found))

    async def _public_nodes(self) -> Mapping[str, PublicNode]:
        nodes = await self.public_nodes()
        return {id_: node for id_, node in nodes.items() if id_ in self._chosen}

    async def _service(self) -> Mapping[str, ServiceTotals]:
        """Read the totals; where they do not tell of connections, the public nodes' count.

        Without the list of public nodes, which one damaged node spoils, the totals are still told.
        """
        row, public = await gather_all(self._client.stats(), self._public_if_told())
        totals = await models.SERVICE.many([row])
        return totals if public is None else {id_: _with(public, t) for id_, t in totals.items()}

    async def _public_if_told(self) -> Collection[PublicNode] | None:
        try:
            return (await self.public_nodes()).values()
        except RejectedError, UnavailableError, UnsupportedError:
            return None


def _id(row: Row) -> str | None:
    return coerce.identifier(row.get("id"))


async def _nobody(_: list[Row]) -> None:
    """Do nothing."""


async def _now(found: Iterable[Row]) -> list[Row]:
    now = datetime.now(UTC)
    return [recent_status.at_time(row, now) async for row in iterate(found)]


def _with(public: Collection[PublicNode], totals: ServiceTotals) -> ServiceTotals:
    """Add to the totals what the public nodes tell."""
    connections = totals.connections
    if connections is None:
        connections = coerce.integer(sum(node.connections or 0 for node in public))
    return replace(totals, nodes_listed=len(public), connections=connections)
