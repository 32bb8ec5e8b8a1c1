"""Runs services that share a clock and a seed."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
import time
from types import TracebackType
from typing import Any, Self

from .service import Options, Service

SERVICES: Mapping[str, type[Service[Any]]] = {
    folder.name: import_module(f"{__package__}.{folder.name}").SERVICE
    for folder in sorted(Path(__file__).parent.iterdir())
    if (folder / "service.py").is_file()
}
"""By name: every folder beside this file with a service.py."""


def wall_clock() -> float:
    """Return the time; looked up at each call, so that a test's frozen time applies."""
    return time.time()


class Simulator:
    """Runs services on loopback as a context manager.

    services: by name.
    """

    def __init__(
        self,
        services: Iterable[str] = tuple(SERVICES),
        *,
        tunnels: int = 5,
        nodes: int = 8,
        latency: float = 0.0,
        clock: Callable[[], float] = wall_clock,
        seed: int = 1,
        port_base: int = 0,
    ) -> None:
        """Create the services. `latency` is in seconds; with `port_base` 0, ports are free ones."""
        options = Options(tunnels, nodes, latency, clock, seed)
        self.port_base = port_base
        self.services = {name: SERVICES[name](options) for name in services}

    def get[S: Service[Any]](self, kind: type[S]) -> S:
        """Return the service of a class."""
        service = self.services[kind.NAME]
        assert isinstance(service, kind)
        return service

    async def __aenter__(self) -> Self:
        """Open the ports, ascending from `port_base` in the order of the services."""
        try:
            for index, service in enumerate(self.services.values()):
                await service.start(self.port_base and self.port_base + index)
        except OSError:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the held calls, and close the ports."""
        for service in self.services.values():
            service.clear_faults()
        await self._stop()

    def advance(self, seconds: float) -> None:
        """Advance the clock of every service."""
        for service in self.services.values():
            service.advance(seconds)

    async def _stop(self) -> None:
        for service in self.services.values():
            await service.stop()
