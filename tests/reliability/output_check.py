"""Checks logs, events, states and issues for secrets and unexpected errors."""

from collections.abc import Callable, Iterable
import json
import logging
import re
from typing import Any

from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
import pytest

OURS = "custom_components"
_LOGGERS = (OURS, "homeassistant.config_entries", "homeassistant.helpers")
"""Loggers that may mention an entry; others log Home Assistant's own input."""
_REASONS = (
    re.compile(r"Error fetching .+ data: "),
    re.compile(r"Authentication failed while fetching .+ data: "),
)
"""Errors that Home Assistant logs when a service does not answer."""


class OutputCheck:
    """Checks everything that users can see for secrets, and logs for errors."""

    def __init__(
        self,
        hass: HomeAssistant,
        log: pytest.LogCaptureFixture,
        secrets: Callable[[], Iterable[str | None]],
    ) -> None:
        self._hass = hass
        self._log = log
        self._secrets = secrets
        self._known: set[str] = set()
        self._events: list[dict[str, Any]] = []
        # Debug output of all other loggers is a line for each event.
        log.set_level(logging.INFO)
        for name in _LOGGERS:
            log.set_level(logging.DEBUG, logger=name)
        hass.bus.async_listen(MATCH_ALL, self._record_event)

    @callback
    def _record_event(self, event: Event[Any]) -> None:
        # An action's data are known to its caller.
        if event.event_type != "call_service":
            self._events.append(event.as_dict())

    def collect_secrets(self) -> None:
        """Adds the current secrets, which may change later."""
        self._known |= {secret for secret in self._secrets() if secret}

    def check_no_secret(self, words: object) -> None:
        """Raises AssertionError if the text contains a secret."""
        text = str(words)
        found = [secret for secret in self._known if secret in text]
        assert not found, f"{found} in {text}"

    def check(self) -> None:
        """Checks logs and events since the last call, and the current states and issues."""
        self.collect_secrets()
        records, events = list(self._log.records), self._events
        self._log.clear()
        self._events = []
        for record in records:
            if record.name.startswith(_LOGGERS):
                self.check_no_secret(logging.Formatter().format(record))
            assert not _unexplained(record), logging.Formatter().format(record)
        self.check_no_secret(json.dumps(events, default=str, ensure_ascii=False))
        for state in self._hass.states.async_all():
            self.check_no_secret(state.as_dict())
        for issue in ir.async_get(self._hass).issues.values():
            self.check_no_secret(issue)


def _unexplained(record: logging.LogRecord) -> bool:
    """Returns whether a log record indicates a bug."""
    if record.levelno < logging.ERROR:
        return bool(record.exc_info) and record.levelno > logging.DEBUG
    message = record.getMessage()
    known = record.name.startswith(OURS) and any(r.match(message) for r in _REASONS)
    return not known or bool(record.exc_info)
