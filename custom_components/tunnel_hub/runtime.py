"""The runtime data of an entry."""

from dataclasses import dataclass, field
from datetime import datetime

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .api.provider import Provider
from .coordinator import FeedCoordinator
from .force_down import ForceDown
from .graph_layout import LayoutFollower
from .history import HistoryImporter
from .issues import EntryIssues
from .node_suggestions import NodeSuggestions
from .reachability import AddressChecks
from .sign_in import SignIn


@dataclass(slots=True, kw_only=True)
class TunnelHubData:
    """The runtime data of a loaded entry.

    coordinators: by the key of the feed.
    loaded_at: when the entry was loaded.
    """

    provider: Provider
    issues: EntryIssues
    coordinators: dict[str, FeedCoordinator]
    history: HistoryImporter
    force_down: ForceDown | None = None
    sign_in: SignIn | None = None
    checks: AddressChecks | None = None
    node_suggestions: NodeSuggestions | None = None
    loaded_at: datetime = field(default_factory=dt_util.utcnow)
    layout: LayoutFollower | None = None

    @callback
    def sync_issues(self) -> None:
        """Create and delete repair issues according to the current state."""
        is_complete = not any(c.is_pending for c in self.coordinators.values())
        self.issues.sync(is_complete=is_complete)


type TunnelHubConfigEntry = ConfigEntry[TunnelHubData]
