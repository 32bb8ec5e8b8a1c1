"""The least that the same answers can cost: the same requests by aiohttp, parsed by orjson."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession, TCPConnector
import orjson

from .meter import Meter, run

_CONNECTIONS = 4
"""As many as the integration opens."""
_OF_THE_CONNECTION = {"Host", "Content-Length"}


async def repeat(meter: Meter, order: Mapping[str, Any]) -> None:
    """Send again what the integration has sent, phase by phase.

    order: "url" of the service; "phases", each a list of calls as the simulator noted them.
    """
    async with ClientSession(order["url"], connector=TCPConnector(limit=_CONNECTIONS)) as session:

        async def _repeat(call: Mapping[str, Any]) -> None:
            async with session.request(
                call["method"],
                call["path"],
                headers={
                    name: value
                    for name, value in call["headers"].items()
                    if name not in _OF_THE_CONNECTION
                },
                json=call["body"] if call["method"] == "POST" else None,
            ) as response:
                body = await response.read()
                if body.startswith(b"{"):
                    orjson.loads(body)
                meter.size += len(body)

        phases = order["phases"]
        # Loads all code.
        await _repeat(phases[0][0])
        for number, calls in enumerate(phases):
            with meter.phase(f"{number}"):
                await asyncio.gather(*map(_repeat, calls))


if __name__ == "__main__":
    run(repeat)
