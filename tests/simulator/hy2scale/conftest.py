"""A simulated node, and a client as plain as can be."""

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import aiohttp
import pytest
from yarl import URL

from simulator.hy2scale import Hy2ScaleService


class Api:
    """Asks the node; signed in, it sends its token along."""

    def __init__(self, session: aiohttp.ClientSession, service: Hy2ScaleService) -> None:
        self.session = session
        self.service = service
        self.token = ""

    async def sign_in(self, username: str = "admin", password: str = "hub-password") -> Any:
        """Get a token and keep it."""
        answer = await self.post(
            "/login", {"username": username, "password": sha256(password.encode()).hexdigest()}
        )
        self.token = answer["token"]
        return answer

    async def ask(
        self, method: str, path: str, json: object = None, *, status: int = 200, **options: Any
    ) -> Any:
        """Return the JSON, text or bytes of an answer that has this status."""
        options.setdefault("headers", {"Authorization": f"Bearer {self.token}"})
        if json is not None:
            options["json"] = json
        url = URL(self.service.api_url + path, encoded=True)
        async with self.session.request(method, url, **options) as response:
            assert response.status == status, await response.text()
            if response.content_type == "application/json":
                return await response.json()
            if response.content_type == "text/plain":
                return await response.text()
            return await response.read()

    async def get(self, path: str, **options: Any) -> Any:
        """Read."""
        return await self.ask("GET", path, **options)

    async def put(self, path: str, json: object = None, **options: Any) -> Any:
        """Write."""
        return await self.ask("PUT", path, json, **options)

    async def post(self, path: str, json: object = None, **options: Any) -> Any:
        """Create."""
        return await self.ask("POST", path, json, **options)

    async def delete(self, path: str, **options: Any) -> Any:
        """Remove."""
        return await self.ask("DELETE", path, **options)

    async def peer(self, path: str) -> Any:
        """Return a peer's row in the topology, None if it is not in there."""
        rows = await self.get("/topology")
        rows += rows[0].get("children", [])
        row = None
        for name in path.split("/"):
            row = next((row for row in rows if row["name"] == name), None)
            rows = row.get("children", []) if row else []
        return row


@pytest.fixture
async def visitor(hy2scale: Hy2ScaleService) -> AsyncIterator[Api]:
    """Return a client that has not signed in."""
    async with aiohttp.ClientSession() as session:
        yield Api(session, hy2scale)


@pytest.fixture
async def api(visitor: Api) -> Api:
    """Return a client that has signed in."""
    await visitor.sign_in()
    return visitor
