"""Tests each endpoint of frpc's admin API."""

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    RejectedError,
    TunnelGoneError,
    UnavailableError,
    UnsupportedError,
)
from custom_components.tunnel_hub.api.frp.frpc_client import FrpcClient
from custom_components.tunnel_hub.api.http import Transport
from simulator.frp import FrpService

from ...common import SMALL
from ..refusals import refused

pytestmark = SMALL

VISITOR = {"name": "v", "type": "stcp", "stcp": {"serverName": "secret", "bindPort": 9001}}


@pytest.fixture
def frpc(session: ClientSession, frp: FrpService) -> FrpcClient:
    return of(session, frp, frp.state.client.password)


def of(session: ClientSession, frp: FrpService, password: str) -> FrpcClient:
    transport = Transport(session, (frp.frpc_url,))
    return FrpcClient(transport, frp.state.client.username, password)


async def test_status(frpc: FrpcClient, session: ClientSession, frp: FrpService) -> None:
    rows = await frpc.status()
    assert [row["name"] for row in rows] == ["camera", "nas", "game"]

    frp.state.client.is_connected = False
    assert await frpc.status() == []
    with refused(AuthenticationError):
        await of(session, frp, "wrong").status()


async def test_config(frpc: FrpcClient, frp: FrpService) -> None:
    assert await frpc.config() == frp.state.client.config


async def test_proxy_config(frpc: FrpcClient) -> None:
    row = await frpc.proxy_config("nas")
    assert (row["name"], row["type"]) == ("nas", "tcp")
    with refused(TunnelGoneError, "tunnel_gone"):
        await frpc.proxy_config("unknown")


async def test_reload(frpc: FrpcClient, frp: FrpService) -> None:
    frp.state.client.config = 'serverAddr = "other.example.com"'
    await frpc.reload()
    assert (frp.state.client.server, frp.state.client.file) == ("other.example.com", {})

    frp.fault("/api/reload", "body", body="<html></html>")
    with pytest.raises(UnavailableError):
        await frpc.reload()


async def test_stop(frpc: FrpcClient, frp: FrpService) -> None:
    await frpc.stop()
    assert not frp.state.client.is_connected


async def test_stored(frpc: FrpcClient, frp: FrpService) -> None:
    assert [row["name"] for row in await frpc.stored()] == ["camera"]

    frp.state.client.has_store = False
    with pytest.raises(UnsupportedError):
        await frpc.stored()
    frp.state.client.has_store = True
    assert len(await frpc.stored()) == 1


async def test_stored_proxy(frpc: FrpcClient) -> None:
    assert (await frpc.stored_proxy("camera"))["name"] == "camera"
    with refused(TunnelGoneError, "tunnel_gone"):
        await frpc.stored_proxy("nas")


async def test_create(frpc: FrpcClient, frp: FrpService) -> None:
    proxy = {"name": "new", "type": "tcp", "tcp": {"localPort": 1}}
    await frpc.create(proxy)
    assert frp.state.client.store["new"]["localPort"] == 1
    with refused(RejectedError, 'conflict: already exists: proxy "new"'):
        await frpc.create(proxy)


async def test_replace(frpc: FrpcClient, frp: FrpService) -> None:
    proxy = {"name": "camera", "type": "udp", "udp": {"localPort": 1}}
    await frpc.replace("camera", proxy)
    assert frp.state.client.store["camera"] == {"name": "camera", "type": "udp", "localPort": 1}
    with refused(TunnelGoneError, "tunnel_gone"):
        await frpc.replace("unknown", {**proxy, "name": "unknown"})
    with refused(RejectedError, "proxy name in URL must match name in body"):
        await frpc.replace("camera", {**proxy, "name": "another"})


async def test_delete(frpc: FrpcClient, frp: FrpService) -> None:
    await frpc.delete("camera")
    assert frp.state.client.store == {}
    with refused(TunnelGoneError, "tunnel_gone"):
        await frpc.delete("camera")


async def test_visitors(frpc: FrpcClient) -> None:
    assert await frpc.visitors() == []


async def test_a_visitor(frpc: FrpcClient, frp: FrpService) -> None:
    await frpc.create_visitor(VISITOR)
    assert [row["name"] for row in await frpc.visitors()] == ["v"]
    assert (await frpc.visitor("v"))["type"] == "stcp"

    await frpc.replace_visitor("v", {**VISITOR, "stcp": {"bindPort": 9002}})
    assert frp.state.client.visitors["v"]["bindPort"] == 9002

    await frpc.delete_visitor("v")
    assert frp.state.client.visitors == {}
