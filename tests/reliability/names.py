"""Looking names up without a network."""

import socket
from typing import override

from aiohttp.abc import AbstractResolver, ResolveResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import DATA_RESOLVER

HOST = "tunnels.example.com"
"""Where the simulated services are, by name."""


class Names(AbstractResolver):
    """Knows one name. The network's own resolvers are no part of what is tested."""

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host != HOST:
            raise OSError(None, "DNS lookup failed")
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    @override
    async def close(self) -> None:
        """Nothing is open."""

    async def real_close(self) -> None:
        """Nothing is open; by Home Assistant's name for it."""


def resolve_with_names(hass: HomeAssistant) -> None:
    """Let all sessions of Home Assistant look names up there."""
    hass.data[str(DATA_RESOLVER)] = Names()
