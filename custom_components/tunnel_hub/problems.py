"""Repairs for what lasts until a person acts."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .api.provider import Problem, Provider
from .const import DOMAIN
from .plain import plain


class Problems:
    """The repairs of one entry: the provider's own and those that we find."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, provider: Provider) -> None:
        """Show nothing yet."""
        self._hass = hass
        self._entry = entry
        self._provider = provider
        self._shown: set[str] = set()
        entry.async_on_unload(self._clear_shown)

    @callback
    def sync(self) -> None:
        """Show the provider's problems and clear those that it no longer has."""
        current = {problem.key: problem for problem in self._provider.problems()}
        for key in self._shown - current.keys():
            self.clear(key)
        for problem in current.values():
            self.show(problem)
        self._shown = set(current)

    @callback
    def show(self, problem: Problem) -> None:
        """Show one problem; again does no harm."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id(problem.key),
            is_fixable=problem.fixable,
            severity=ir.IssueSeverity.WARNING,
            translation_key=problem.key,
            translation_placeholders=plain({"account": self._entry.title, **problem.placeholders}),
        )

    @callback
    def clear(self, key: str) -> None:
        """Take a problem away, if it is shown."""
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(key))

    @callback
    def _clear_shown(self) -> None:
        """Take the provider's problems away: whoever comes next shows those that are left."""
        for key in self._shown:
            self.clear(key)

    def _issue_id(self, key: str) -> str:
        return f"{self._entry.entry_id}:{key}"


@callback
def clear_all(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take all of an entry's problems away."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(f"{entry.entry_id}:"):
            ir.async_delete_issue(hass, DOMAIN, issue_id)
