"""A server on loopback that replays the recorded answers of a real mesh, second by second."""

from bisect import bisect_right
from collections import Counter
import re
from typing import Any, Self

from aiohttp import web

from ..real_answers import Recording, load

BASE = "/scale/api"
RECORDED_SECOND = re.compile(r"(\d+) s: ")
NODE_RENAMED = "our node is renamed"
NODE = {
    "active_paths": {},
    "compat": False,
    "exit_node": True,
    "hy2_user_auth": False,
    "limited": True,
    "server": None,
    "version": "1.3.4",
}
UNCHANGING: dict[str, Any] = {
    "/stats": {
        "conns": 0,
        "exit_clients": 0,
        "rx_bytes": 0,
        "rx_rate": 0,
        "tx_bytes": 0,
        "tx_rate": 0,
    },
    "/sessions": {"devices": [], "total": 0},
    "/users": [],
    "/users/conflicts": {},
}
"""Answers without a recording. Other paths are missing, as in an older version."""


class RecordedNode:
    """Replays the recording of a mesh.

    second: the current one. last: the last one. calls: the number of requests for each path.
    """

    def __init__(self) -> None:
        self.second = 0
        self.calls: Counter[str] = Counter()
        self._answers: dict[str, list[tuple[int, Any]]] = {"/clients": [(0, [])]}
        self._renamed_at = 0
        for recording in load("hy2scale-mesh-1.3.4"):
            self._take(recording)
        self.last = self._seconds[-1]
        self._runner: web.AppRunner | None = None

    @property
    def _seconds(self) -> list[int]:
        return [second for second, _ in self._answers["/topology"]]

    def _take(self, recording: Recording) -> None:
        known = self._answers.get("/topology", [])
        noted = RECORDED_SECOND.match(recording.note)
        # Paths without a time of their own were recorded just after the last poll.
        second = int(noted[1]) if noted else known[-1][0]
        if recording.note == NODE_RENAMED:
            self._renamed_at = second
        if recording.method == "GET":
            self._answers.setdefault(recording.path, []).append((second, recording.reply.answer))

    async def __aenter__(self) -> Self:
        """Open the port."""
        app = web.Application()
        app.router.add_post(f"{BASE}/login", self._login)
        app.router.add_get("/{path:.*}", self._get)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the port."""
        if self._runner:
            await self._runner.cleanup()

    @property
    def port(self) -> int:
        """Return the port."""
        assert self._runner
        return int(self._runner.addresses[0][1])

    async def _login(self, _: web.Request) -> web.Response:
        return web.json_response({"token": "the-token", "force_password_change": False})

    async def _get(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix(BASE)
        self.calls[path] += 1
        if path == "/node":
            # The topology of that time contains the node's names before it was renamed.
            name = "house" if self.second > self._renamed_at else "home"
            return web.json_response({**NODE, "node_id": name, "name": name})
        if path in UNCHANGING:
            return web.json_response(UNCHANGING[path])
        answers = self._answers.get(path, [])
        latest = bisect_right(answers, self.second, key=lambda answer: answer[0])
        if latest:
            return web.json_response(answers[latest - 1][1])
        return web.Response(status=404, text="404 page not found\n")
