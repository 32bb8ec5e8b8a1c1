"""Commands for a directory of relay nodes: initialize it, edit, check and find nodes."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import override

from .. import coerce
from ..capabilities.directory import NodeDirectory
from ..errors import (
    InvalidInputError,
    NodeGoneError,
    Reason,
    RejectedError,
    TunnelHubError,
    UnavailableError,
)
from ..http import Transport
from ..models.account import NewAccount
from ..models.directory import (
    CheckTarget,
    Finding,
    ProposedNode,
    QueryPriority,
    Region,
    RelayNodeReport,
    RelayNodeUpdate,
    ReportResult,
)
from ..rows import Row, expected
from . import models
from .client import EasyTierClient
from .feeds import BATCH, Feeds
from .relay_node_payloads import changed_fields, new_fields, not_stored

_STATUS_WORDS = {True: "online", False: "offline"}


class DirectoryCommands(NodeDirectory):
    """The commands and queries of a directory."""

    _client: EasyTierClient
    _email: str | None
    _feeds: Feeds
    _transport: Transport

    @override
    async def is_initialized(self) -> bool:
        return await self._client.check_init()

    @override
    async def initialize(self, jwt_secret: str, admin: NewAccount) -> None:
        self._transport.secrets.add(jwt_secret, admin.password)
        await self._client.initialize(jwt_secret, admin.mail, admin.password)

    @override
    async def is_administrator(self) -> bool:
        await self._feeds.account()
        return bool(self._feeds.administrator)

    async def create_node(self, payload: RelayNodeUpdate) -> str:
        """Create a node and return its id."""
        fields = new_fields(payload)
        name = coerce.verbatim(payload.name) or ""
        if await self._namesakes(name, self._email):
            raise InvalidInputError("node_name_taken", name=name)
        created = expected(await self._client.create(fields), "id of the new node")
        if payload.bandwidth_tier:
            # Some servers only store it from reports, not with a new node.
            try:
                tier = RelayNodeUpdate(bandwidth_tier=payload.bandwidth_tier)
                await self.update_node(created, tier)
            except TunnelHubError as err:
                raise InvalidInputError("bandwidth_tier_not_stored", node=created) from err
        return created

    async def update_node(self, node_id: str, payload: RelayNodeUpdate) -> None:
        """Change values in the payload that differ, and verify the result."""
        row = await self._row_to_change(node_id)
        if not (changed := changed_fields(payload, row)):
            return
        if "node_name" in changed:
            name = coerce.verbatim(payload.name) or ""
            if await self._namesakes(name, models.owner(row) or self._email, node_id):
                raise InvalidInputError("node_name_taken", name=name)
        await self._client.update(node_id, changed)
        if missing := not_stored(payload, await self._row_to_change(node_id)):
            raise InvalidInputError("not_stored", fields=", ".join(missing))

    async def _row_to_change(self, node_id: str) -> Row:
        """Read a node; empty if the server fails to read it."""
        try:
            return await self._feeds.node_row(node_id)
        except UnavailableError as err:
            if err.reason is Reason.SERVER_ERROR:
                return {}
            raise

    async def _namesakes(
        self, name: str, owner: str | None, node_id: str | None = None
    ) -> list[str]:
        """Read the ids of the other nodes of an account with the same name.

        Empty if the server fails to list the nodes.
        """
        with suppress(UnavailableError, RejectedError):
            found = await self._feeds.nodes_called(name, owner)
            return [known for known in found if known != node_id]
        return []

    async def delete_node(self, node_id: str) -> None:
        """Delete a node; succeeds if it does not exist."""
        with suppress(NodeGoneError):
            await self._client.delete(node_id)

    @override
    async def set_allow_relay(self, node_id: str, *, allowed: bool) -> None:
        await self._client.update(node_id, {"allow_relay": int(allowed)})

    @override
    async def report_node(self, node_id: str, report: RelayNodeReport) -> ReportResult:
        """Send a status report with the token that the node's agent would use."""
        row = await self._feeds.node_row(node_id)
        if (token := report.token or coerce.token(row.get("report_token"))) is None:
            raise InvalidInputError("report_token_needed")
        fields: dict[str, object] = {
            "node_name": row.get("node_name"),
            "email": models.owner(row) or self._email,
            "token": token,
            "current_bandwidth": report.bandwidth,
            "reported_traffic": report.traffic,
            "connection_count": report.connections,
            "status": _STATUS_WORDS[report.online],
        }
        if report.bandwidth_tier is not None:
            fields["tier_bandwidth"] = report.bandwidth_tier
        try:
            return models.report_result(await self._client.report(fields))
        except InvalidInputError as err:
            if err.key == "report_refused":
                name = coerce.text(row.get("node_name")) or ""
                others = await self._namesakes(name, models.owner(row) or self._email, node_id)
                # The server assigns them to the first node that it finds.
                if any(_age(other) < _age(node_id) for other in others):
                    raise InvalidInputError("report_reaches_namesake", name=name) from None
            raise

    @override
    async def regenerate_report_token(self, node_id: str) -> str | None:
        return await self._client.regenerate_token(node_id)

    @override
    async def check_node(self, node_id: str) -> tuple[Finding, ...]:
        """Check all connections of a node that can be checked."""
        if not (targets := self._feeds.targets(await self._feeds.node_row(node_id))):
            raise InvalidInputError("nothing_to_check")
        return await self._feeds.check(targets)

    @override
    async def check_targets(self, targets: Sequence[CheckTarget]) -> tuple[Finding, ...]:
        if not 0 < len(targets) <= BATCH:
            raise InvalidInputError("check_count", count=str(len(targets)), maximum=str(BATCH))
        for target in targets:
            if not models.is_checkable(target.address):
                raise InvalidInputError("address_not_checkable", address=target.address)
        return await self._feeds.check(targets)

    @override
    async def query_nodes(
        self,
        *,
        region: Region | None = None,
        priority: QueryPriority | None = None,
        relay_only: bool = False,
    ) -> tuple[ProposedNode, ...]:
        wishes: dict[str, object] = {"relay_only": relay_only}
        if region is not None:
            wishes["region"] = region.value
        if priority is not None:
            wishes["priority"] = priority.value
        return tuple(
            ProposedNode(node=node, addresses=models.addresses(row))
            for row in (await self._client.query(wishes))[: coerce.MAX_ITEMS]
            if (node := models.PUBLIC_NODE.one(row)) is not None
        )

    @override
    async def public_node_names(self) -> Mapping[str, str]:
        nodes = await self._feeds.public_nodes()
        return {id_: node.name or id_ for id_, node in nodes.items()}


def _age(node_id: str) -> tuple[int, str]:
    """Return the sort key by creation: ids are ascending numbers."""
    return coerce.count(node_id) or 0, node_id
