"""Watching for what must never happen: a secret that shows, an error without a reason."""

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
_HEARD = (OURS, "homeassistant.config_entries", "homeassistant.helpers")
"""Loggers that may speak of an entry; others log what Home Assistant itself was told."""
_REASONS = (
    re.compile(r"Error fetching .+ data: "),
    re.compile(r"Authentication failed while fetching .+ data: "),
)
"""What is an error to Home Assistant when a service does not answer."""


class Watch:
    """Listens to logs and events, and looks at what Home Assistant shows."""

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
        # What else there is to hear are lines for each event.
        log.set_level(logging.INFO)
        for name in _HEARD:
            log.set_level(logging.DEBUG, logger=name)
        hass.bus.async_listen(MATCH_ALL, self._note)

    @callback
    def _note(self, event: Event[Any]) -> None:
        # What an action is called with, its caller knows.
        if event.event_type != "call_service":
            self._events.append(event.as_dict())

    def remember(self) -> None:
        """Learn the secrets of this moment, which may be others later."""
        self._known |= {secret for secret in self._secrets() if secret}

    def nothing_secret(self, words: object) -> None:
        """Fail if something that can be seen holds a secret."""
        text = str(words)
        found = [secret for secret in self._known if secret in text]
        assert not found, f"{found} in {text}"

    def check(self) -> None:
        """Look at all that came since the last time, and at what shows now."""
        self.remember()
        records, events = list(self._log.records), self._events
        self._log.clear()
        self._events = []
        for record in records:
            if record.name.startswith(_HEARD):
                self.nothing_secret(logging.Formatter().format(record))
            assert not _unexplained(record), logging.Formatter().format(record)
        self.nothing_secret(json.dumps(events, default=str, ensure_ascii=False))
        for state in self._hass.states.async_all():
            self.nothing_secret(state.as_dict())
        for issue in ir.async_get(self._hass).issues.values():
            self.nothing_secret(issue)


def _unexplained(record: logging.LogRecord) -> bool:
    """Return whether a record is a bug's."""
    if record.levelno < logging.ERROR:
        return bool(record.exc_info) and record.levelno > logging.DEBUG
    message = record.getMessage()
    known = record.name.startswith(OURS) and any(r.match(message) for r in _REASONS)
    return not known or bool(record.exc_info)
