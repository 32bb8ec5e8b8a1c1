"""What can be asked of a service as a whole."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from ..models.service import Download


@runtime_checkable
class CanListDownloads(Protocol):
    """The service offers client programs."""

    async def downloads(self) -> tuple[Download, ...]:
        """List the files."""


@runtime_checkable
class CanGetAppVersion(Protocol):
    """The service knows the newest version of programs that others write for it."""

    async def app_version(self, loader: str, minecraft: str, kind: str) -> Mapping[str, Any]:
        """Return what it tells of a program. loader, minecraft: what it runs in."""
