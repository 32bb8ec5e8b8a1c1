"""Creates and deletes repair issues for problems that last until the user acts."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_cached_translations

from .api.provider import Issue, Provider
from .const import DOMAIN
from .markdown import escape_markdown
from .texts import join_texts

if TYPE_CHECKING:
    from .runtime import TunnelHubConfigEntry

REMEMBERED = frozenset({"session_contested", "sign_in_failing"})
"""Issues that are only known after some time, so they are kept across a restart."""


class EntryIssues:
    """The repair issues of one entry.

    sources: return the current issues: those of the provider, and those of the integration.
    """

    def __init__(
        self, hass: HomeAssistant, entry: TunnelHubConfigEntry, provider: Provider
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._shown: set[str] = set()
        self._is_unloaded = False
        self._ignored_before = self._ignored() - REMEMBERED
        self.sources: list[Callable[[], Iterable[Issue]]] = [provider.issues]
        entry.async_on_unload(self._clear_shown)

    @callback
    def sync(self, *, is_complete: bool) -> None:
        """Create the current issues and delete all others.

        is_complete: whether enough was read to know all current issues.
        """
        if self._is_unloaded:
            return
        current = {issue.key: issue for source in self.sources for issue in source()}
        for key in self._shown - current.keys():
            self.clear(key)
        for issue in current.values():
            self.show(issue)
        self._shown = set(current)
        if is_complete:
            for key in self._ignored_before - self._shown:
                self.clear(key)
            self._ignored_before.clear()

    @callback
    def show(self, issue: Issue) -> None:
        """Create or update an issue."""
        language = self._hass.config.language
        texts = async_get_cached_translations(self._hass, language, "common", DOMAIN)
        named = {
            name: value if isinstance(value, str) else join_texts(texts, value, "common.list_two")
            for name, value in issue.placeholders.items()
        }
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id(issue.key),
            is_fixable=issue.fixable,
            severity=ir.IssueSeverity.WARNING,
            translation_key=issue.key,
            translation_placeholders=escape_markdown({"account": self._entry.title, **named}),
        )

    @callback
    def clear(self, key: str) -> None:
        """Delete an issue, if it exists."""
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(key))

    @callback
    def _clear_shown(self) -> None:
        """Delete all issues when the entry is unloaded, except ignored ones."""
        self._is_unloaded = True
        for key in self._shown - self._ignored():
            self.clear(key)

    def _ignored(self) -> set[str]:
        """Return the keys of the entry's issues that the user has ignored."""
        return {
            issue_id.partition(":")[2]
            for (domain, issue_id), registered in ir.async_get(self._hass).issues.items()
            if domain == DOMAIN
            and issue_id.startswith(self._issue_id(""))
            and registered.dismissed_version is not None
        }

    def _issue_id(self, key: str) -> str:
        return f"{self._entry.entry_id}:{key}"


@callback
def clear_all(hass: HomeAssistant, entry: TunnelHubConfigEntry) -> None:
    """Delete all issues of an entry."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(f"{entry.entry_id}:"):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
