"""A simulator, and simple HTTP clients of its services."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from simulator.chmlfrp import ChmlFrpService
from simulator.hayfrp import HayFrpService

HOUR = 3600
DAY = 24 * HOUR
NOON = 1_795_147_200.0
"""2026-11-20 12:00 in Shanghai."""
BROKEN = "服务器异常,请稍后重试."
"""The answer of HayFrp to an internal error."""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> float:
        """Return the time."""
        return self.time


async def content_of(response: aiohttp.ClientResponse, status: int = 200) -> Any:
    """Return the JSON, text or bytes of an answer with this status."""
    assert response.status == status, await response.text()
    if response.content_type == "application/json":
        return await response.json()
    if response.content_type.startswith("text/"):
        return await response.text()
    return await response.read()


class Client:
    """Calls a service; `csrf` is sent with every HayFrp call without another one."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.csrf = ""

    async def ask(self, path: str, kind: str, **fields: object) -> Any:
        """Post a HayFrp call and return the JSON, or the text of other answers."""
        json = {"type": kind, "csrf": self.csrf, **fields}
        async with self.session.post(self.url + path, json=json) as response:
            return await content_of(response)

    async def get(self, path: str) -> Any:
        """Return the JSON of a page."""
        async with self.session.get(self.url + path) as response:
            return await response.json()

    async def control(self, method: str, path: str, json: object = None) -> Any:
        """Call a control route."""
        url = f"{self.url}/_control/{path}"
        async with self.session.request(method, url, json=json) as response:
            assert response.status == 200, await response.text()
            return await response.json()


class Panel:
    """Calls ChmlFrp like its panel: with the token in the header, if there is one."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str = "") -> None:
        """Sign in with the token, if there is one."""
        self.session = session
        self.url = url
        self.token = token

    async def get(self, path: str, **query: str) -> Any:
        """Return the answer to a GET."""
        return await self.ask("GET", path, params=query)

    async def post(self, path: str, **fields: object) -> Any:
        """Return the answer to a POST of JSON."""
        return await self.ask("POST", path, json=fields)

    async def form(self, path: str, **fields: str) -> Any:
        """Return the answer to a POST of a form."""
        return await self.ask("POST", path, data=fields)

    async def ask(self, method: str, path: str, status: int = 200, **request: Any) -> Any:
        """Return the JSON of an answer, or its text."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(
            method, self.url + path, headers=headers, **request
        ) as response:
            return await content_of(response, status)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulated(clock: Clock) -> dict[str, Any]:
    return {"clock": clock}


@pytest.fixture
async def client(hayfrp: HayFrpService) -> AsyncIterator[Client]:
    """A client that is not signed in."""
    async with aiohttp.ClientSession(headers={"waf": "off"}) as session:
        yield Client(session, hayfrp.url)


@pytest.fixture
async def demo(client: Client) -> Client:
    """The client, signed in to the demo account."""
    answer = await client.ask("/user", "login", user="demo", passwd="demo-password")
    client.csrf = answer["token"]
    return client


@pytest.fixture
async def visitor(chmlfrp: ChmlFrpService) -> AsyncIterator[Panel]:
    """A panel without a login."""
    async with aiohttp.ClientSession(headers={"User-Agent": "panel"}) as session:
        yield Panel(session, chmlfrp.url)


@pytest.fixture
def panel(chmlfrp: ChmlFrpService, visitor: Panel) -> Panel:
    """A panel with the API token of the demo account."""
    return Panel(visitor.session, chmlfrp.url, chmlfrp.account.usertoken)
