"""Server-sent events: a response without an end."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
import json
from typing import override

from aiohttp import web


class EventStream(web.Response):
    """Sends each event as the JSON of a `data` line, until the client disconnects."""

    def __init__(self, events: AsyncGenerator[object]) -> None:
        super().__init__(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        self.enable_chunked_encoding()
        self._events = events

    @override
    async def write_eof(self, data: bytes = b"") -> None:
        async with aclosing(self._events) as events:
            async for event in events:
                await self.write(f"data: {json.dumps(event)}\n\n".encode())
        await super().write_eof(data)
