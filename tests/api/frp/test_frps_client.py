"""Tests each endpoint of frps's dashboard."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    Reason,
    RejectedError,
    TunnelGoneError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.frp.frps_client import FrpsClient
from custom_components.tunnel_hub.api.http import Transport
from simulator.frp import FrpService, Proxy
from simulator.frp.frps import add

from .conftest import OLD


async def test_healthz(session: ClientSession, frp: FrpService) -> None:
    await FrpsClient(Transport(session, (frp.url,))).healthz()

    assert "Authorization" not in frp.calls_to("/healthz")[0].headers


async def test_serverinfo(client: FrpsClient) -> None:
    row = await client.serverinfo()

    assert (row["version"], row["bindPort"], row["clientCounts"]) == ("0.70.1", 7000, 1)


async def test_clients(client: FrpsClient) -> None:
    assert [row["key"] for row in await client.clients()] == ["alice.ha", "alice.attic"]


async def test_proxies_of(client: FrpsClient) -> None:
    rows = await client.proxies_of("tcp")

    assert [row["name"] for row in rows] == ["alice.backup", "alice.nas"]
    assert rows[0]["conf"] is None
    assert await client.proxies_of("nonsense") == []


async def test_proxy(client: FrpsClient) -> None:
    assert (await client.proxy("alice.nas"))["status"] == "online"
    with pytest.raises(TunnelGoneError):
        await client.proxy("unknown")


async def test_traffic(client: FrpsClient, frp: FrpService) -> None:
    row = await client.traffic("alice.nas")

    today = frp.state.server.proxies["alice.nas"].traffic_in[0]
    assert isinstance(row["trafficIn"], list)
    assert row["trafficIn"][0] == pytest.approx(today, abs=10**5)


async def test_delete_offline_proxies(client: FrpsClient, frp: FrpService) -> None:
    await client.delete_offline_proxies()

    assert "alice.backup" not in frp.state.server.proxies
    assert "alice.nas" in frp.state.server.proxies


async def test_system_info(client: FrpsClient) -> None:
    assert (await client.system_info()).keys() == {"version", "config", "status"}


async def test_clients_v2(client: FrpsClient) -> None:
    assert await client.clients_v2() == await client.clients()


async def test_client(client: FrpsClient) -> None:
    assert (await client.client("alice.ha"))["status"] == {
        "phase": "online",
        "curConns": 3,
        "proxyCount": 4,
    }


async def test_users(client: FrpsClient) -> None:
    assert await client.users() == [{"user": "alice", "clientCount": 2, "proxyCount": 5}]


async def test_proxies_v2(client: FrpsClient, frp: FrpService) -> None:
    for number in range(400):
        add(frp.state.server, Proxy(f"n{number}", "stcp", "", "ha"))

    rows = await client.proxies_v2()

    assert {row["name"] for row in rows} == frp.state.server.proxies.keys()
    assert len(rows) == 405
    assert [call.query["page"] for call in frp.calls_to("/api/v2/proxies")] == ["1", "2", "3"]


async def test_pages_are_read_again_if_a_row_was_removed(
    client: FrpsClient, frp: FrpService
) -> None:
    """A removed row moves another one to a page that was already read."""
    server = frp.state.server
    for number in range(300):
        add(server, Proxy(f"n{number:03}", "stcp", "", "ha"))
    gate = frp.gate("/api/v2/proxies", match={"page": "2"}, times=1)

    reading = asyncio.create_task(client.proxies_v2())
    await gate.reached()
    del server.proxies["n000"]
    gate.open()

    assert {row["name"] for row in await reading} == server.proxies.keys()


async def test_proxy_v2(client: FrpsClient) -> None:
    spec = (await client.proxy_v2("alice.web"))["spec"]
    assert isinstance(spec, dict)
    assert spec["type"] == "http"
    with pytest.raises(TunnelGoneError):
        await client.proxy_v2("unknown")


async def test_traffic_v2(client: FrpsClient) -> None:
    days = [date.fromisoformat(str(row["date"])) for row in await client.traffic_v2("alice.nas")]

    assert len(days) == 7
    assert days == sorted(days)


async def test_prune(client: FrpsClient, frp: FrpService) -> None:
    await client.prune()

    assert "alice.backup" not in frp.state.server.proxies


@pytest.mark.parametrize("name", ["a b", "a/b", "网盘", "a.b", "a?b#c%2F", "nas:1", "“x”", "+"])
@pytest.mark.parametrize("version", ["0.70.1", "0.69.0"])
async def test_any_name(client: FrpsClient, frp: FrpService, name: str, version: str) -> None:
    frp.state.server.settings.version = version
    add(frp.state.server, Proxy(name, "tcp", "", "ha"))

    assert (await client.proxy(name))["name"] == name
    assert (await client.traffic(name))["name"] == name


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_name_that_changes_the_path(client: FrpsClient, frp: FrpService, name: str) -> None:
    with pytest.raises(InvalidInputError):
        await client.traffic(name)
    assert not frp.calls


@pytest.mark.parametrize("body", ["Unauthorized\n", "<html><h1>401</h1></html>"])
async def test_a_refused_password(client: FrpsClient, frp: FrpService, body: str) -> None:
    """With the message of frps, or of a server in front of it."""
    frp.fault("*", "body", status=401, body=body)

    with pytest.raises(AuthenticationError):
        await client.system_info()


@pytest.mark.parametrize(
    "username, password", [("admin", "wrong"), ("", "demo-password"), ("", "")]
)
async def test_a_wrong_password(
    session: ClientSession, frp: FrpService, username: str, password: str
) -> None:
    anonymous = FrpsClient(Transport(session, (frp.url,)), username, password)

    with pytest.raises(AuthenticationError):
        await anonymous.system_info()


async def test_a_server_without_a_password(session: ClientSession, frp: FrpService) -> None:
    frp.state.server.settings.username = frp.state.server.settings.password = ""

    anonymous = FrpsClient(Transport(session, (frp.url,)))

    assert (await anonymous.system_info())["version"] == "0.70.1"


NEWER: tuple[Callable[[FrpsClient], Awaitable[object]], ...] = (
    lambda client: client.system_info(),
    lambda client: client.clients(),
    lambda client: client.clients_v2(),
    lambda client: client.client("alice.ha"),
    lambda client: client.users(),
    lambda client: client.proxies_v2(),
    lambda client: client.proxy_v2("alice.nas"),
    lambda client: client.traffic_v2("alice.nas"),
    lambda client: client.prune(),
)


@pytest.mark.parametrize("ask", NEWER)
async def test_endpoints_that_an_older_version_lacks(
    client: FrpsClient, frp: FrpService, ask: Callable[[FrpsClient], Awaitable[object]]
) -> None:
    """They are requested once."""
    frp.state.server.settings.version = OLD

    for _ in range(2):
        with pytest.raises(UnsupportedError):
            await ask(client)

    assert len(frp.calls) == 1


async def test_a_refusal_has_the_message_of_the_server(client: FrpsClient, frp: FrpService) -> None:
    frp.fault(
        "*", "body", status=400, body={"code": 400, "msg": "no demo-password here", "data": None}
    )

    with pytest.raises(RejectedError) as caught:
        await client.prune()

    assert caught.value.message == "no ** here"


@pytest.mark.parametrize(
    "status, body",
    [
        (401, {"code": 401, "msg": "Unauthorized"}),
        (403, {"message": "Forbidden"}),
        (404, "404 Not Found"),
        (404, {"code": 404, "msg": "Not Found"}),
        (400, "Client sent an HTTP request to an HTTPS server.\n"),
    ],
)
async def test_a_server_in_front_of_frps(
    client: FrpsClient, frp: FrpService, status: int, body: object
) -> None:
    frp.fault("*", "body", status=status, body=body)

    with pytest.raises(UnavailableError) as caught:
        await client.proxy_v2("alice.nas")

    assert caught.value.reason is Reason.FIREWALL


@pytest.mark.parametrize("body", [{}, {"code": 200, "data": None}, {"data": [1]}, [], "null"])
async def test_an_answer_without_data(client: FrpsClient, frp: FrpService, body: object) -> None:
    frp.fault("*", "body", body=body, times=4)

    with pytest.raises(UnavailableError):
        await client.system_info()
    with pytest.raises(UnavailableError):
        await client.proxies_v2()
    with pytest.raises(UnavailableError):
        await client.prune()
    with pytest.raises(UnavailableError):
        await client.delete_offline_proxies()
