"""A server that answers with recordings."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
import json

from aiohttp import web
from yarl import URL

from .comparison import NOT_RECORDED, Reply
from .recordings import Recording

type Key = tuple[str, str, frozenset[tuple[str, str]]]
"""Method, path and query."""


class RecordedServer:
    """Answers requests with recorded answers, for any body; otherwise with 404.

    url: the base URL of the recorded paths. unanswered: the requests without a recording.
    """

    def __init__(self) -> None:
        self.url = ""
        self.unanswered: list[str] = []
        self._replies: dict[Key, Reply] = {}

    def add(self, *recordings: Recording, path: str | None = None) -> None:
        """Answer with recordings from now on. path: another path than the recorded one."""
        for recording in recordings:
            key = _key(recording.method, URL(path or recording.path))
            self._replies[key] = recording.reply

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request."""
        reply = self._replies.get(_key(request.method, request.rel_url))
        if reply is None:
            self.unanswered.append(f"{request.method} {request.rel_url}")
            return web.Response(status=404, text="404 Not Found")
        return _response(reply)


def _key(method: str, url: URL) -> Key:
    return method, url.path, frozenset(url.query.items())


def _response(reply: Reply) -> web.Response:
    is_text = isinstance(reply.answer, str)
    content_type = reply.content_type
    if content_type == NOT_RECORDED:
        content_type = "text/plain" if is_text else "application/json"
    headers = {"Content-Type": content_type, "Location": reply.location}
    return web.Response(
        status=reply.status,
        body=reply.answer if is_text else json.dumps(reply.answer),
        headers={name: value for name, value in headers.items() if value is not None},
    )


@asynccontextmanager
async def recorded_server(recordings: Iterable[Recording] = ()) -> AsyncIterator[RecordedServer]:
    """Run a server on loopback that answers with recordings."""
    server = RecordedServer()
    server.add(*recordings)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
