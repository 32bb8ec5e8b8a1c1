"""The feeds of a node manager, with an account or without."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import batched

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
from ..provider import Credentials, Options
from ..rows import Row, RowCache
from ..time_slices import iterate
from . import models, recent_status
from .client import EasyTierClient, MailNotVerifiedError

BATCH = 20
"""The maximum number of addresses in one check."""

_TWO_MINUTES = timedelta(minutes=2)
_CHECK_INTERVAL = timedelta(minutes=15)
"""A check makes the service connect to every address of every node."""


class Feeds:
    """Reads a node manager, and remembers what commands and issues need.

    nodes: those of the account by id, as last read.
    namesakes: names that several nodes of one account have.
    key_refused: whether checks need a different API key.
    on_own_listed, on_public_listed: called and awaited with the rows of a list that was read.
    not_verified: the service's message if the account's email address is not confirmed.
    """

    def __init__(
        self,
        client: EasyTierClient,
        credentials: Credentials,
        options: Options,
        renew_token: Callable[[], Awaitable[None]],
    ) -> None:
        """Set up without a request.

        credentials: email, if there is an account; network_name and network_secret, for nodes whose
        network the service does not provide.
        renew_token: gets a new session token, because it contains the rights of the account.
        """
        self._client = client
        self._renew_token = renew_token
        self._all_nodes = bool(options.get(ALL_NODES))
        chosen = options.get(PUBLIC_NODES)
        self._chosen = frozenset(chosen) if isinstance(chosen, list) else frozenset()
        self._network_name = credentials.get("network_name")
        self._network_secret = credentials.get("network_secret")
        self._signed_in = "email" in credentials
        self._rows: list[Row] | None = None
        self._public_by_id: Mapping[str | None, Row] = {}
        """As last read, for fields that the list of the account's nodes does not contain."""
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
        """Read the account; if the service does not provide it, use the login's answer."""
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
        """Renew a session token whose rights differ from those of the account.

        Once for each change of the account, because a server may have its own reasons.
        """
        rights = self._sees_all, self.administrator
        if None in rights or rights[0] is rights[1] or self._renewed_as is self.administrator:
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
        """Find out whether the account still exists, if only a login shows it.

        The session token of a deleted account stays valid, and lists nothing.
        """
        tried, self._login_tried = self._login_tried, not found and not self._tells_account
        if self._login_tried and not tried:
            known = self.administrator
            try:
                await self._renew_token()
            except TunnelHubError:
                self._login_tried = False
                raise
            # Such a version never lists the nodes of all users.
            self.administrator = known

    async def own_rows(self) -> list[Row]:
        """Read the rows of the account's nodes, or of those of all users."""
        found = await self._listed_rows()
        await self._log_in_if_nothing_is_listed(found)
        # Servers of older documents only provide allow_relay in the public list.
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
        return [row async for row in iterate(found) if models.owner(row) or not self._all_nodes]

    async def nodes_called(self, name: str, owner: str | None) -> list[str]:
        """Read the ids of an account's nodes with a name."""
        return [
            _id(row) or ""
            for row in await self._with_owners(await self.own_rows())
            if coerce.text(row.get("node_name")) == name and models.owner(row) in (owner, None)
        ]

    async def _listed_rows(self) -> list[Row]:
        """Read the rows of all users if chosen and allowed, otherwise the account's own."""
        if (everybodys := await self._everybodys_rows()) is not None:
            return everybodys
        found = await self._client.my()
        if not found and self._rows != []:
            # The list of a deleted account is empty, so the account is read.
            await self.account()
        return found

    async def _everybodys_rows(self) -> list[Row] | None:
        """Read the rows of all users; None if they are not chosen or not allowed."""
        for _ in range(2):
            if not self._all_nodes or self._sees_all is False:
                break
            try:
                found = await self._client.all()
            except UnsupportedError:
                self._all_nodes = False
            except InvalidInputError:
                self._sees_all = False
                # The session token contains the right, and may be older.
                with suppress(UnavailableError):
                    await self.account()
            else:
                self._sees_all = True
                return found
        return None

    def forget_right(self) -> None:
        """Check again whether all nodes may be read, because there is a new session token."""
        self._sees_all = None

    async def node_row(self, node_id: str) -> Row:
        """Read the current row of a node; raises NodeGoneError."""
        with suppress(UnsupportedError):
            return await self._client.node(node_id)
        for row in await self.own_rows():
            if _id(row) == node_id:
                return row
        raise NodeGoneError

    # Reachability of nodes

    def targets(self, row: Row) -> list[CheckTarget]:
        """Return the addresses of a node to check; none if its network is unknown."""
        name = coerce.verbatim(row.get("network_name")) or self._network_name
        secret = coerce.secret(row.get("network_token")) or self._network_secret
        if not (name and secret):
            return []
        return [
            CheckTarget(address=address, network_name=name, network_secret=secret)
            for address in models.addresses(row)
            if models.is_checkable(address)
        ]

    async def check(self, targets: Sequence[CheckTarget]) -> tuple[Finding, ...]:
        """Check addresses in batches of twenty, one batch after the other."""
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
        wanted = [
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
            # This may be a function that only takes one at a time.
            results = [await self._client.check(target) for target in wanted]
        return [
            models.finding(target.address, row)
            for target, row in zip(targets, results, strict=True)
        ]

    async def _reachability(self) -> Mapping[str, Reachability]:
        """Check all connections of all nodes. Missing checks are only requested once."""
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

    # Public data

    async def public_nodes(self) -> Mapping[str, PublicNode]:
        """Read all public nodes by id."""
        found = await self._client.public()
        await self.on_public_listed(found)
        return await self._public.read(await _now(found))

    async def _public_nodes(self) -> Mapping[str, PublicNode]:
        nodes = await self.public_nodes()
        return {id_: node for id_, node in nodes.items() if id_ in self._chosen}

    async def _service(self) -> Mapping[str, ServiceTotals]:
        """Read the totals; connections are added from the public nodes if they are missing.

        The totals are also shown if the list of public nodes cannot be read.
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
    """Add values of the public nodes to the totals."""
    connections = totals.connections
    if connections is None:
        connections = coerce.integer(sum(node.connections or 0 for node in public))
    return replace(totals, nodes_listed=len(public), connections=connections)
