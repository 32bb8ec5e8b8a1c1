"""What a directory of relay nodes may be able to do."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from ..models.directory import (
    CheckTarget,
    Finding,
    NodeDraft,
    NodeReport,
    ProposedNode,
    QueryPriority,
    Region,
    ReportResult,
)

ALL_NODES = "all_nodes"
"""Option: whether an administrator sees everybody's nodes; only one's own without it."""

PUBLIC_NODES = "public_nodes"
"""Option: the ids of the public nodes to show one by one, a list; none without it."""


@runtime_checkable
class CanEditNodes(Protocol):
    """Nodes can be entered, changed and deleted."""

    async def create_node(self, draft: NodeDraft) -> str:
        """Enter a node; its id."""

    async def update_node(self, node_id: str, draft: NodeDraft) -> None:
        """Change what the draft names and is not so yet."""

    async def delete_node(self, node_id: str) -> None:
        """Delete a node; one that is gone already counts as deleted."""


@runtime_checkable
class CanChoosePublicNodes(Protocol):
    """The directory shows nodes to everybody."""

    async def public_node_names(self) -> Mapping[str, str]:
        """Return the names of all public nodes by id, whichever are chosen."""


@runtime_checkable
class CanSeeAllNodes(Protocol):
    """An administrator can see everybody's nodes."""

    async def is_administrator(self) -> bool:
        """Tell whether the account is one, as far as the service says."""


@runtime_checkable
class CanAllowRelay(Protocol):
    """A node can be allowed to carry traffic between others."""

    async def set_allow_relay(self, node_id: str, *, allowed: bool) -> None:
        """Allow or forbid it."""


@runtime_checkable
class CanQueryNodes(Protocol):
    """The directory proposes nodes to connect to."""

    async def query_nodes(
        self,
        *,
        region: Region | None = None,
        priority: QueryPriority | None = None,
        relay_only: bool = False,
    ) -> tuple[ProposedNode, ...]:
        """Return a few nodes that are online, the best first."""


@runtime_checkable
class CanCheckNodes(Protocol):
    """The service can be asked to reach a node from outside."""

    async def check_node(self, node_id: str) -> tuple[Finding, ...]:
        """Have all connections of a node tried now."""

    async def check_targets(self, targets: Sequence[CheckTarget]) -> tuple[Finding, ...]:
        """Have a few addresses tried now."""


@runtime_checkable
class CanReportNodes(Protocol):
    """Anybody who has a node's token can say how it is doing."""

    async def report_node(self, node_id: str, report: NodeReport) -> ReportResult:
        """Say it."""

    async def regenerate_report_token(self, node_id: str) -> str | None:
        """Replace the node's token; the new one."""
