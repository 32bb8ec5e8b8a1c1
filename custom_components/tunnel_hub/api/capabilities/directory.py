"""Capabilities for directories of relay nodes."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from ..models.account import NewAccount
from ..models.directory import (
    CheckTarget,
    Finding,
    ProposedNode,
    QueryPriority,
    Region,
    RelayNodeReport,
    ReportResult,
)
from . import Capability

ALL_NODES = "all_nodes"
"""Option: whether an administrator sees the nodes of all users. Default: only their own."""

PUBLIC_NODES = "public_nodes"
"""Option: a list with the ids of public nodes to show. Default: none."""


class NodeDirectory(Capability):
    """The service has a directory of relay nodes: those of the user, and those for everyone."""

    @abstractmethod
    async def public_node_names(self) -> Mapping[str, str]:
        """Return the names of all public nodes by id, whether they are chosen or not."""

    @abstractmethod
    async def is_administrator(self) -> bool:
        """Return whether the account is an administrator."""

    @abstractmethod
    async def set_allow_relay(self, node_id: str, *, allowed: bool) -> None:
        """Allow or forbid a node to relay."""

    @abstractmethod
    async def query_nodes(
        self,
        *,
        region: Region | None = None,
        priority: QueryPriority | None = None,
        relay_only: bool = False,
    ) -> tuple[ProposedNode, ...]:
        """Return a few nodes that are online, the best first."""

    @abstractmethod
    async def check_node(self, node_id: str) -> tuple[Finding, ...]:
        """Check all connections of a node."""

    @abstractmethod
    async def check_targets(self, targets: Sequence[CheckTarget]) -> tuple[Finding, ...]:
        """Check some addresses."""

    @abstractmethod
    async def report_node(self, node_id: str, report: RelayNodeReport) -> ReportResult:
        """Send a report for a node."""

    @abstractmethod
    async def regenerate_report_token(self, node_id: str) -> str | None:
        """Replace the report token of a node and return the new one."""

    @abstractmethod
    async def is_initialized(self) -> bool:
        """Return whether the server is initialized.

        Raises InvalidInputError if a different service answers.
        """

    @abstractmethod
    async def initialize(self, jwt_secret: str, admin: NewAccount) -> None:
        """Create an empty database with one administrator."""
