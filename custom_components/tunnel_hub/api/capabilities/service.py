"""What can be asked of a service as a whole."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from ..models.service import Download
from . import Capability


class CanListDownloads(Capability):
    """The service offers client programs."""

    @abstractmethod
    async def downloads(self) -> tuple[Download, ...]:
        """Return the files that the service offers."""


class CanGetAppVersion(Capability):
    """The service knows the newest version of programs that others write for it."""

    @abstractmethod
    async def app_version(self, loader: str, minecraft: str, kind: str) -> Mapping[str, Any]:
        """Return what it tells of a program. loader, minecraft: what it runs in."""


class CanReloadConfiguration(Capability):
    """The program can be made to read its configuration file again."""

    @abstractmethod
    async def reload_configuration(self) -> None:
        """Have it read the file, and act on what has changed there."""
