"""Capabilities of a service as a whole."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from ..models.service import Download
from . import Capability


class CanListDownloads(Capability):
    """The service offers client programs."""

    @abstractmethod
    async def downloads(self) -> tuple[Download, ...]:
        """Return the files."""


class CanGetAppVersion(Capability):
    """The service knows the newest versions of third-party programs."""

    @abstractmethod
    async def app_version(self, loader: str, minecraft: str, kind: str) -> Mapping[str, Any]:
        """Return the latest version of a program.

        loader, minecraft: the environment of the program.
        """


class CanReloadConfiguration(Capability):
    """The program can reload its configuration file."""

    @abstractmethod
    async def reload_configuration(self) -> None:
        """Reload the file and apply its changes."""
