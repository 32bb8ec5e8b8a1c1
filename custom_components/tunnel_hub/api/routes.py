"""Paths of requests: routes that a version of a service does not have, and names in paths."""

import time
from urllib.parse import quote

from .errors import InvalidInputError, Reason, TunnelHubError, UnavailableError, UnsupportedError

_LASTS = 3600.0
"""Seconds after which a missing route is requested again."""


INVALID_NAMES = frozenset({"", ".", ".."})
"""Names that would change the path."""


def segment(name: str) -> str:
    """Return a name, including its slashes, as one path segment; raises InvalidInputError."""
    if name in INVALID_NAMES:
        raise InvalidInputError("unknown_resource", name=name)
    return quote(name, safe="")


class MissingRoutes:
    """Remembers which routes are missing, for an hour or until the version can be another one.

    A path that has answered before cannot become missing: then a proxy in front answers.
    """

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._missing: dict[str, float] = {}

    def forget(self) -> None:
        """Forget which paths are missing."""
        self._found.clear()
        self._missing.clear()

    def check(self, path: str) -> None:
        """Raise UnsupportedError for a path that was recently missing."""
        if self._missing.get(path, 0.0) > time.monotonic():
            raise UnsupportedError

    def found(self, path: str) -> None:
        """Record that a path has answered."""
        self._found.add(path)

    def missing(self, path: str) -> TunnelHubError:
        """Store that a path is missing; return the error to raise."""
        if path in self._found:
            return UnavailableError(Reason.MALFORMED, "no such path")
        self._missing[path] = time.monotonic() + _LASTS
        return UnsupportedError()
