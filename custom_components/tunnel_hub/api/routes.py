"""Which of the documented routes a node has: versions differ."""

import time
from urllib.parse import quote

from .errors import InvalidInputError, Reason, TunnelHubError, UnavailableError, UnsupportedError

_LASTS = 3600.0
"""Seconds after which a missing route is looked for again."""


NO_NAMES = frozenset({"", ".", ".."})
"""What cannot stand in a path: it would lead to another one."""


def segment(name: str) -> str:
    """Return a name as one segment of a path, slashes and all; raises InvalidInputError."""
    if name in NO_NAMES:
        raise InvalidInputError("unknown_resource", name=name)
    return quote(name, safe="")


class MissingRoutes:
    """Remembers which paths answered and which are missing, until the node may be another.

    A path that has answered does not go missing: then something in front of the node answers.
    """

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._missing: dict[str, float] = {}

    def forget(self) -> None:
        """Forget which paths are missing."""
        self._found.clear()
        self._missing.clear()

    def check(self, path: str) -> None:
        """Raise UnsupportedError for a path that was missing a short while ago."""
        if self._missing.get(path, 0.0) > time.monotonic():
            raise UnsupportedError

    def found(self, path: str) -> None:
        """Record that a path has answered."""
        self._found.add(path)

    def missing(self, path: str) -> TunnelHubError:
        """Note that a path is missing; the error that this is."""
        if path in self._found:
            return UnavailableError(Reason.MALFORMED, "no such path")
        self._missing[path] = time.monotonic() + _LASTS
        return UnsupportedError()
