"""Resolves host names without a network."""

import socket
from typing import override

from aiohttp.abc import AbstractResolver, ResolveResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import DATA_RESOLVER

HOST = "tunnels.example.com"
"""The host name of the simulated services."""


class Names(AbstractResolver):
    """Resolves one name only; the tests don't use the system's resolvers."""

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
        """Required by aiohttp."""

    async def real_close(self) -> None:
        """Required by Home Assistant."""


def resolve_with_names(hass: HomeAssistant) -> None:
    """Makes all sessions of Home Assistant use `Names`."""
    hass.data[str(DATA_RESOLVER)] = Names()
